"""What is counted: units with their measure, months, weekdays and numbers in words, in a few languages."""

from __future__ import annotations

from collections.abc import Mapping


def _table(text: str) -> dict[str, tuple[str, float]]:
    """Lines of `measure factor word word ...`."""
    found: dict[str, tuple[str, float]] = {}
    for line in text.replace("ı", "i").strip().splitlines():
        measure, factor, *words = line.split()
        found |= {word: (measure, float(factor)) for word in words}
    return found


def _counted(text: str, first: int = 1) -> dict[str, int]:
    """The n-th group of words, parted by slashes → n."""
    groups = enumerate(text.replace("ı", "i").split(), first)
    return {word: number for number, group in groups for word in group.split("/")}


UNITS: Mapping[str, tuple[str, float]] = _table(
    """
    days 0.000011574074 second seconds sec secs s sekunde sekunden seconde secondes saniye секунда секунд
    days 0.00069444444 minute minutes min mins minuten dakika минута минуты минут
    days 0.041666666667 hour hours hr hrs stunde stunden heure heures hora horas час часа часов
    days 1 day days tag tage tagen jour jours día días gün день дня дней
    days 7 week weeks woche wochen semaine semaines semana semanas hafta неделя недели недель
    days 14 fortnight fortnights
    days 30.4375 month months monat monate monaten mois mes meses ay месяц месяца месяцев
    days 365.25 year years yr yrs jahr jahre jahren ans année années año años yıl лет
    days 3652.5 decade decades jahrzehnt jahrzehnte
    days 36525 century centuries jahrhundert jahrhunderte
    money:eur 1 € eur euro euros евро avro
    money:usd 1 $ usd dollar dollars доллар доллара долларов dolar
    money:gbp 1 £ gbp pound pounds quid
    money:try 1 ₺ tl lira liras
    money:rub 1 ₽ rouble roubles ruble rubles рубль рубля рублей
    money:jpy 1 ¥ jpy yen
    money:inr 1 ₹ inr rupee rupees
    money:chf 1 chf franken franc francs
    money:crown 1 crown crowns krone kroner kronor sek nok dkk
    money:? 0.01 cent cents pence penny p ct cents kuruş копеек
    metres 0.001 mm millimetre millimetres millimeter millimeters
    metres 0.01 cm centimetre centimetres centimeter centimeters zentimeter
    metres 1 m metre metres meter meters mètre mètres metro metros метр метра метров
    metres 1000 km kilometre kilometres kilometer kilometers kilomètre kilomètres километр километров
    metres 0.3048 foot feet ft
    metres 0.0254 inch inches
    metres 0.9144 yard yards yd
    metres 1609.344 mile miles
    grams 1 g gram grams gramme grammes gramm грамм
    grams 1000 kg kilogram kilograms kilo kilos kilogramm килограмм
    grams 1000000 t ton tons tonne tonnes
    litres 0.001 ml millilitre millilitres milliliter milliliters
    litres 1 l litre litres liter liters литр литров
    share 0.01 % percent per-cent prozent pourcent procent yüzde
    """
)
MONTHS: Mapping[str, int] = _counted(
    """
    january/jan/januar/janvier/enero/ocak/января/январь
    february/feb/februar/février/febrero/şubat/февраля/февраль
    march/mar/märz/mars/marzo/mart/марта/март
    april/apr/avril/abril/nisan/апреля/апрель
    may/mai/mayo/mayıs/мая/май
    june/jun/juni/juin/junio/haziran/июня/июнь
    july/jul/juli/juillet/julio/temmuz/июля/июль
    august/aug/août/agosto/ağustos/августа/август
    september/sep/sept/septembre/septiembre/eylül/сентября/сентябрь
    october/oct/oktober/octobre/octubre/ekim/октября/октябрь
    november/nov/novembre/noviembre/kasım/ноября/ноябрь
    december/dec/dezember/décembre/diciembre/aralık/декабря/декабрь
    """
)
WEEKDAYS: Mapping[str, int] = _counted(
    """
    monday/mondays/montag/montags/lundi/lunes/pazartesi/понедельник
    tuesday/tuesdays/dienstag/dienstags/mardi/martes/salı/вторник
    wednesday/wednesdays/mittwoch/mittwochs/mercredi/miércoles/çarşamba/среда/среду
    thursday/thursdays/donnerstag/donnerstags/jeudi/jueves/perşembe/четверг
    friday/fridays/freitag/freitags/vendredi/viernes/cuma/пятница/пятницу
    saturday/saturdays/samstag/samstags/sonnabend/samedi/sábado/cumartesi/суббота/субботу
    sunday/sundays/sonntag/sonntags/dimanche/domingo/pazar/воскресенье
    """
)
_SMALL = """
    zero/null/sıfır/ноль one/eins/uno/bir/один two/zwei/deux/dos/iki/два/две three/drei/trois/tres/üç/три
    four/vier/quatre/cuatro/dört/четыре five/fünf/cinq/cinco/beş/пять six/sechs/seis/altı/шесть
    seven/sieben/sept/siete/yedi/семь eight/acht/huit/ocho/sekiz/восемь nine/neun/neuf/nueve/dokuz/девять
    ten/zehn/dix/diez/on/десять eleven/elf/onze/once twelve/zwölf/douze/doce thirteen/dreizehn/treize/trece
    fourteen/vierzehn/quatorze/catorce fifteen/fünfzehn/quinze/quince sixteen/sechzehn/seize
    seventeen/siebzehn eighteen/achtzehn nineteen/neunzehn
"""
_TENS = """
    twenty/zwanzig/vingt/veinte/yirmi/двадцать thirty/dreißig/trente/treinta/otuz/тридцать
    forty/vierzig/quarante/cuarenta/kırk fifty/fünfzig/cinquante/cincuenta/elli
    sixty/sechzig/soixante/sesenta/altmış seventy/siebzig/setenta/yetmiş eighty/achtzig/ochenta/seksen
    ninety/neunzig/noventa/doksan
"""
ENGLISH_TRAPS = frozenset(
    ("on", "once", "sept", "an", "may", "mar", "sep", "dec", "mars", "s", "p", "m", "l", "t", "g")
)
"""Words of a list that are mostly something else: they count only beside a number."""
ONES: Mapping[str, int] = {
    word: number for word, number in _counted(_SMALL, 0).items() if word not in ENGLISH_TRAPS
}
TENS: Mapping[str, int] = {word: 10 * number for word, number in _counted(_TENS, 2).items()}
LARGE: Mapping[str, float] = {
    "hundred": 1e2, "hundert": 1e2, "cien": 1e2, "yüz": 1e2, "сто": 1e2, "dozen": 12.0,
    "thousand": 1e3, "tausend": 1e3, "mille": 1e3, "mil": 1e3, "bin": 1e3, "тысяч": 1e3, "тысячи": 1e3,
    "k": 1e3,
    "million": 1e6, "millions": 1e6, "millionen": 1e6, "milyon": 1e6, "миллион": 1e6, "миллиона": 1e6,
    "миллионов": 1e6, "m": 1e6, "mio": 1e6, "mn": 1e6,
    "billion": 1e9, "billions": 1e9, "milliarde": 1e9, "milliarden": 1e9, "milliard": 1e9, "milyar": 1e9,
    "bn": 1e9,
}  # fmt: skip
PARTS: Mapping[str, float] = {
    "half": 1 / 2, "halves": 1 / 2, "third": 1 / 3, "thirds": 1 / 3, "quarter": 1 / 4, "quarters": 1 / 4,
    "fifth": 1 / 5, "fifths": 1 / 5, "tenth": 1 / 10, "tenths": 1 / 10,
}  # fmt: skip
"""Parts of a whole, after a number in words: two thirds."""
NUMERALS = frozenset((*LARGE, *ONES, *PARTS, *TENS))
_RANKED = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
"""
RANKS: Mapping[str, int] = _counted(_RANKED)
