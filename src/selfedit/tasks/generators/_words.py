"""Words, phrases and numbers that the generators draw inputs from."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random


def listed(words: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(words.split())


KINDS: Mapping[str, tuple[str, ...]] = {
    kind: listed(words)
    for kind, words in {
        "animal": "horse tiger goose otter camel zebra sheep mouse rabbit beaver donkey badger falcon lizard "
        "salmon spider turtle walrus monkey weasel pigeon hamster panther sparrow",
        "food": "bread honey onion apple lemon melon olive pasta butter carrot cheese garlic potato tomato "
        "pepper radish almond banana cherry walnut noodle biscuit lettuce pancake",
        "tool": "hammer shovel ladder chisel wrench pliers needle bucket anvil drill razor spade tongs broom "
        "lever clamp trowel mallet scissors sickle crowbar pulley sander spanner",
        "place": "forest island harbour desert valley castle market museum prison temple garden station "
        "village bridge airport library hospital theatre stadium factory meadow canyon tunnel school",
        "clothing": "jacket sandal mitten trousers sweater blouse helmet scarf shirt skirt glove boots apron "
        "hoodie slipper bonnet waistcoat pyjamas cardigan raincoat stocking sneaker tuxedo poncho",
    }.items()
}
WORDS = tuple(word for words in KINDS.values() for word in words)
FIRST = listed("Ada Bruno Carla Deniz Elif Felix Greta Hugo Irma Jonas Kemal Lena Mira Nils Olga Petra")
LAST = listed("Aydin Becker Costa Demir Ekman Fuchs Garner Holt Ivers Jansen Keller Lund Moreno Novak Ortiz")
VOWELS = "aeiou"


def word(rng: Random) -> str:
    """One word in small letters."""
    return rng.choice(WORDS)


def words(rng: Random, low: int = 3, high: int = 5) -> list[str]:
    """Different words."""
    return rng.sample(WORDS, rng.randint(low, high))


def phrase(rng: Random) -> str:
    """Three to five different words."""
    return " ".join(words(rng))


def numbers(rng: Random, count: tuple[int, int] = (4, 6), low: int = 1, high: int = 30) -> str:
    """Whole numbers with spaces between."""
    return " ".join(str(rng.randint(low, high)) for _ in range(rng.randint(*count)))


def different_numbers(rng: Random, count: tuple[int, int] = (4, 6), low: int = 1, high: int = 30) -> str:
    """As `numbers`, none twice."""
    return " ".join(map(str, rng.sample(range(low, high + 1), rng.randint(*count))))


def full_name(rng: Random) -> str:
    """First and last name."""
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"
