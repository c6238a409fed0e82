"""Characters that no screen shows, where the script around them has no use for them."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import UNSEEN, Page

_RUN = regex.compile(f"{UNSEEN.pattern}+")
_JOINING = regex.compile(
    r"[\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}"
    r"\p{Kannada}"
    r"\p{Malayalam}\p{Sinhala}\p{Khmer}\p{Myanmar}\p{Mongolian}\p{Thai}\p{Lao}\p{Tibetan}]"
)
_RIGHT_TO_LEFT = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]")
_PICTURE = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\u20e3\U0001f1e6-\U0001f1ff]")
_MARKS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200b\u200c\u200d")


def unseen(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each run of them; tags and bits are read out where they can be."""
    for match in _RUN.finditer(page.text):
        for start, end in _unwanted(page.text, *match.span()):
            place = page.text[start:end]
            yield Finding(
                "invisible",
                _what(place),
                start,
                end,
                0.99,
                "strip them, or set the text anew",
                "",
                quoted(place),
            )


def _unwanted(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begun = None
    for at in range(start, end):
        if _belongs(text, at, start, end):
            if begun is not None:
                yield begun, at
            begun = None
        elif begun is None:
            begun = at
    if begun is not None:
        yield begun, end


def _belongs(text: str, at: int, start: int, end: int) -> bool:
    """Whether writing asks for the character: a script, an emoji, a line from right to left."""
    letter, before, after = text[at], text[start - 1 : start], text[end : end + 1]
    if letter == "\ufeff":
        return at == 0
    if letter == "\u00ad":
        return before.isalpha() and after.isalpha()
    if letter in "\ufe0e\ufe0f":
        return bool(before) and end - start <= 2 and not before.isalpha() and not before.isspace()
    if letter in _JOINERS and _JOINING.match(before or " "):
        return end - start <= 2
    if letter == "\u200d":
        return (
            bool((_PICTURE.match(before or " ") and _PICTURE.match(after or " ")) or after in "♂♀⚕❤➡⬛")
            and end - start <= 2
        )
    if letter in _MARKS:
        near = text[
            max(0, text.rfind("\n", 0, at)) : text.find("\n", at) if text.find("\n", at) > 0 else len(text)
        ]
        return bool(_RIGHT_TO_LEFT.search(near)) and end - start <= 3
    return "\U000e0020" <= letter <= "\U000e007f" and before == "\U0001f3f4"


def _what(place: str) -> str:
    if any("\U000e0020" <= c < "\U000e007f" for c in place):
        hidden = "".join(chr(ord(c) - 0xE0000) for c in place if "\U000e0020" <= c < "\U000e007f")
        return f"unseen tag characters that say {quoted(hidden)!r}"
    if any(c in "\u202d\u202e" for c in place):
        return "a direction override: what is shown is not what stands there"
    if any(c in _MARKS for c in place):
        return "direction marks in text that runs one way"
    if any(c >= "\U000e0100" or "\ufe00" <= c <= "\ufe0f" for c in place):
        return "variation selectors that select nothing"
    return f"{len(place)} characters of no width"
