"""Made-up numbers whose check digits are right: bank accounts, cards, national ids."""

from __future__ import annotations

import random
import string


def letters(chance: random.Random, alphabet: str, length: int) -> str:
    """So many characters of the alphabet."""
    return "".join(chance.choice(alphabet) for _ in range(length))


def bank_account(chance: random.Random, country: str) -> str:
    """An IBAN in groups of four (ISO 13616; check digits by ISO 7064 mod 97-10)."""
    length = {"DE": 18, "AT": 16, "TR": 22}[country]
    account = letters(chance, string.digits, length)
    if country == "TR":
        account = account[:5] + "0" + account[6:]
    moved = account + "".join(str(int(c, 36)) for c in country) + "00"
    whole = f"{country}{98 - int(moved) % 97:02d}{account}"
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def card_number(chance: random.Random, _: str) -> str:
    """Sixteen digits whose last one is Luhn's."""
    body = chance.choice(("4", "51", "53", "55"))
    body += letters(chance, string.digits, 15 - len(body))
    total = sum(_doubled(int(c)) if at % 2 == 0 else int(c) for at, c in enumerate(body))
    whole = body + str(-total % 10)
    return " ".join(whole[at : at + 4] for at in range(0, 16, 4))


def _doubled(digit: int) -> int:
    return 2 * digit - 9 if digit > 4 else 2 * digit


def national_id(chance: random.Random, _: str) -> str:
    """A Turkish identity number: its tenth and eleventh digit follow from the first nine."""
    nine = [chance.randint(1, 9), *(chance.randint(0, 9) for _ in range(8))]
    tenth = (7 * sum(nine[::2]) - sum(nine[1::2])) % 10
    return "".join(map(str, [*nine, tenth, (sum(nine) + tenth) % 10]))


def phone(chance: random.Random, country: str) -> str:
    """A mobile number."""
    if country == "TR":
        first, second = chance.randint(30, 55), chance.randint(200, 999)
        return f"05{first} {second} {chance.randint(10, 99)} {chance.randint(10, 99)}"
    return f"07{chance.randint(100, 999)} {chance.randint(100000, 999999)}"


def social_security(chance: random.Random, _: str) -> str:
    """A number of the American kind; it has no check digit."""
    return f"{chance.randint(101, 649)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"
