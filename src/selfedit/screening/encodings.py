"""Orders in disguise: base64, hexadecimal, escapes, percent signs, rot13, back to front; and long blobs."""

from __future__ import annotations

import base64
import binascii
import codecs
import math
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import unquote

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page
from selfedit.screening.gibberish import likeness, small_share
from selfedit.screening.instructions import orders

_LONG = 500
"""A blob of more characters teaches nothing but itself."""
_BASE64 = regex.compile(r"(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/_-]{20,}={0,2})(?![A-Za-z0-9+/_-])")
_LINES = regex.compile(r"(?:(?<=^|\n)[ \t]*[A-Za-z0-9+/]{40,}={0,2}[ \t]*(?:\n|$)){4,}")
_HEX = regex.compile(r"(?i)(?<![0-9a-z])(?:(?:0x|\\x)?[0-9a-f]{2}[ :,]?){16,}(?![0-9a-z])")
_ESCAPES = regex.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}){8,}")
_PERCENTS = regex.compile(r"(?:%[0-9A-Fa-f]{2}){8,}")
_ENTITIES = regex.compile(r"(?:&#(?:x[0-9a-fA-F]+|\d+);){8,}")
_WORDS = regex.compile(r"\p{L}{2,}")
_PARTS = regex.compile(r"\n+|[()]|(?<=[.!?:;]) ")
_FEW = 5
"""Words of which it can be told in which direction they are a language."""
_LIKELIER = 0.5
"""Nats a letter."""
_REMEDY = "say it in plain words, or take it out"


def encodings(page: Page, policy: Policy) -> Iterator[Finding]:
    """What decodes to an order is one (`encoded`); what decodes to other words is doubtful; and `blob`s."""
    for pattern, decode, name in _CODES:
        for match in pattern.finditer(page.text):
            text = decode(match[0])
            if text and _is_text(text):
                order = any(orders(Page(text).latin)) or any(orders(Page(text).plain))
                what = f"{name} that says {quoted(text)!r}"
                yield Finding(
                    "encoded", what, *match.span(), 0.95 if order else 0.55, _REMEDY, "", quoted(match[0])
                )
    yield from _turned(page)
    for match in _LINES.finditer(page.text):
        if len(match[0]) > _LONG and _entropy(match[0]) > 4.5 and not _is_public(page.text, match.start()):
            size = len(match[0])
            yield Finding(
                "blob", f"{size:,} characters of binary data", *match.span(), 0.9, "keep files out of texts",
                f"[{size:,} characters of data left out]\n", quoted(match[0]),
            )  # fmt: skip


def _turned(page: Page) -> Iterator[Finding]:
    """The whole text in rot13 and back to front: an order there was put there."""
    for name, text in (("rot13", codecs.encode(page.text, "rot13")), ("text back to front", page.text[::-1])):
        for parts in orders(Page(text).plain):
            folded = Page(text).plain
            start, end = folded.span(parts[0].start, max(part.end for part in parts))
            what = f"{name} that says {quoted(text[start:end])!r}"
            if name != "rot13":
                start, end = len(text) - end, len(text) - start
            yield Finding("encoded", what, start, end, 0.9, _REMEDY, "", quoted(page.text[start:end]))


def undisguised(text: str) -> str:
    """What the text's lines and codes say where they say it in disguise, a line each; "" for a plain text."""
    said = [decode(match[0]) for pattern, decode, _ in _CODES for match in pattern.finditer(text)]
    found = [each for each in said if each and _is_text(each)]
    for part in _PARTS.split(text):
        turned = (codecs.encode(part, "rot13"), part[::-1])
        found += [each for each in turned if _says_more(each, part)]
    return "\n".join(found)


def _says_more(turned: str, plain: str) -> bool:
    """Whether a part reads as a language one way, and hardly the other."""
    here, there = _WORDS.findall(turned), _WORDS.findall(plain)
    if len(here) < _FEW or len(there) < _FEW:
        return False
    return likeness(here) > likeness(there) + _LIKELIER and small_share(here) > small_share(there)


def _base64(text: str) -> str:
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    if not any(c.isdigit() or c.isupper() for c in body) or len(body) % 4 == 1:
        return ""
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _hexadecimal(text: str) -> str:
    try:
        return bytes.fromhex(regex.sub(r"(?i)0x|\\x|[^0-9a-f]", "", text)).decode("utf-8")
    except (ValueError, UnicodeDecodeError):
        return ""


def _escapes(text: str) -> str:
    return regex.sub(r"\\[ux]([0-9a-fA-F]{2,4})", lambda m: _character(int(m[1], 16)), text)


def _entities(text: str) -> str:
    return regex.sub(
        r"&#(x?)([0-9a-fA-F]+);",
        lambda m: _character(int(m[2], 16 if m[1] else 10) if m[1] or m[2].isdigit() else 0),
        text,
    )


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0xD800 or 0xE000 <= code < 0x110000 else " "


_CODES: tuple[tuple[regex.Pattern[str], Callable[[str], str], str], ...] = (
    (_BASE64, _base64, "base64"),
    (_HEX, _hexadecimal, "hexadecimal"),
    (_ESCAPES, _escapes, "escapes"),
    (_PERCENTS, unquote, "percent signs"),
    (_ENTITIES, _entities, "entities"),
)


def _is_text(text: str) -> bool:
    """Whether it is words for the most part, and more than two."""
    words = _WORDS.findall(text)
    printable = sum(c.isprintable() or c in "\n\t" for c in text)
    return len(words) > 2 and printable > 0.95 * len(text) and sum(map(len, words)) > 0.6 * len(text.strip())


def _entropy(text: str) -> float:
    """Bits a character."""
    counts = Counter(c for c in text if not c.isspace())
    total = sum(counts.values()) or 1
    return -sum(n / total * math.log2(n / total) for n in counts.values())


def _is_public(text: str, start: int) -> bool:
    """Certificates and public keys are meant to be seen."""
    return bool(
        regex.search(
            r"BEGIN (?:CERTIFICATE|PUBLIC KEY|PGP \w+(?: \w+)?)-----\s*$", text[max(0, start - 60) : start]
        )
    )
