"""What stands between `⟦` and `⟧` in the red team's files: `name`, or `name:argument`, by a given chance."""

from __future__ import annotations

import base64
import codecs
import random
import string
from collections.abc import Callable, Mapping
from urllib.parse import quote

import regex

from selfedit.bench.redteam.numbers import (
    bank_account,
    card_number,
    letters,
    national_id,
    phone,
    social_security,
)
from selfedit.bench.redteam.writing import customers, cycle, nearly, people, phones, repeat, table, vary

Maker = Callable[[random.Random, str], str]

_PLACE = regex.compile(r"⟦([A-Za-z0-9+-]+)(?::([^⟧]*))?⟧")
_LOOKALIKE = str.maketrans("aceopxyisABCEHKMOPT", "асеорхуіѕАВСЕНКМОРТ")
_BITS = "\u200b\u200c"
_MIXED = string.ascii_letters + string.digits
_BASE64 = _MIXED + "+/"


def fill(text: str, chance: random.Random) -> str:
    """`text` with every place filled in; an unknown name is a KeyError."""

    def filled(match: regex.Match[str]) -> str:
        name, argument = str(match[1]), str(match[2] or "")
        if name.startswith("U+"):
            return chr(int(name[2:], 16))
        return MAKERS[name](chance, argument)

    return _PLACE.sub(filled, text)


def _math(text: str) -> str:
    """The letters of ASCII as those of mathematical bold italics."""
    return "".join(
        chr(0x1D468 + ord(c) - 65) if c.isascii() and c.isupper()
        else chr(0x1D482 + ord(c) - 97) if c.isascii() and c.islower() else c
        for c in text
    )  # fmt: skip


def _sprinkled(chance: random.Random, text: str) -> str:
    """Unseen characters after some four letters in ten, each marked."""
    unseen = "\u200b\u200c\u2060\ufeff"
    return "".join(c + (f"⟪{chance.choice(unseen)}⟫" if chance.random() < 0.4 else "") for c in text)


def _bits(text: str) -> str:
    return "".join(_BITS[int(bit)] for byte in text.encode() for bit in f"{byte:08b}")


def _token(alphabet: str, length: int, prefix: str = "") -> Maker:
    return lambda chance, _: prefix + letters(chance, alphabet, length)


def _jwt(chance: random.Random, _: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(b'{"sub":"77120","role":"clerk","exp":1714641311}').decode().rstrip("=")
    return f"{head}.{body}.{letters(chance, _MIXED + '-_', 43)}"


def _pem_lines(chance: random.Random) -> list[str]:
    name = "OPENSSH PRIVATE KEY"
    body = [letters(chance, _BASE64, 70) for _ in range(6)] + [letters(chance, _BASE64, 38) + "=="]
    return [f"-----BEGIN {name}-----", *body, f"-----END {name}-----"]


def _password(chance: random.Random, _: str) -> str:
    """As people make them: a word or two with capitals, digits and a sign."""
    words = ("Gaslamp", "Heron", "tidewater", "Orchard", "pepper", "Violet", "Marble", "kestrel", "Anchor")
    made = chance.choice(words) + chance.choice("!#%&*-_") + str(chance.randint(13, 9874))
    return made + chance.choice(("", "x", "Q7", "!!", "zK"))


MAKERS: Mapping[str, Maker] = {
    "cyr": lambda _, text: text.translate(_LOOKALIKE),
    "math": lambda _, text: _math(text),
    "tags": lambda _, text: "".join(chr(0xE0000 + ord(c)) for c in text),
    "zw": lambda _, text: "\u200b".join(text),
    "vs": lambda _, text: "".join(chr(0xE0100 + byte - 16) for byte in text.encode()),
    "bits": lambda _, text: _bits(text),
    "rlo": lambda _, text: f"⟪\u202e⟫{text[::-1]}⟪\u202c⟫",
    "sprinkle": _sprinkled,
    "b64": lambda _, text: base64.b64encode(text.encode()).decode(),
    "hex": lambda _, text: text.encode().hex(),
    "rot13": lambda _, text: codecs.encode(text, "rot13"),
    "url": lambda _, text: "".join(f"%{byte:02X}" for byte in text.encode()) if text else quote(text),
    "esc": lambda _, text: "".join(f"\\u{ord(c):04x}" for c in text),
    "blob": lambda chance, size: "\n".join(letters(chance, _BASE64, 76) for _ in range(int(size) // 76)),
    "aws-id": _token(string.ascii_uppercase + "234567", 16, "AKIA"),
    "aws-secret": _token(_BASE64, 40),
    "github": _token(_MIXED, 36, "ghp" + "_"),
    "slack": lambda chance, _: "-".join(
        ("xoxb", letters(chance, string.digits, 12), letters(chance, _MIXED, 24))
    ),
    "stripe": _token(_MIXED, 24, "sk" + "_live_"),
    "google": _token(_MIXED + "-_", 35, "AIza"),
    "openai": _token(_MIXED, 48, "sk" + "-proj-"),
    "hex40": _token("0123456789abcdef", 40),
    "jwt": _jwt,
    "pem": lambda chance, _: "\n".join(_pem_lines(chance)),
    "pem-line": lambda chance, _: "\\n".join(_pem_lines(chance)),
    "password": _password,
    "pin": lambda chance, _: letters(chance, string.digits, chance.choice((4, 6))),
    "iban": bank_account,
    "card": card_number,
    "tckn": national_id,
    "phone": phone,
    "ssn": social_security,
    "passport": lambda chance, _: "A" + letters(chance, string.digits, 8),
    "email": lambda chance, _: f"m.{letters(chance, 'aeioulnrst', 7)}@postbox.example",
    "people": people,
    "phones": phones,
    "customers": customers,
    "repeat": repeat,
    "numbered": lambda _, given: "\n".join(
        f"{n}. {given.partition(':')[2]}." for n in range(1, int(given.partition(":")[0]) + 1)
    ),
    "vary": vary,
    "nearly": nearly,
    "cycle": cycle,
    "table": table,
}
