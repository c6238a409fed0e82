"""Text that HTML holds and no browser shows."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page

_ELEMENT = regex.compile(r"(?is)<([a-z][a-z0-9]*)\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>(.*?)</\1\s*>")
_STYLE = regex.compile(r"(?is)\bstyle\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)")
_HIDDEN = regex.compile(r"(?i)(?:^|\s)(?:hidden|aria-hidden\s*=\s*[\"']?true[\"']?)(?=\s|=|$)")
_UNSHOWN = regex.compile(
    r"(?i)display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0+(?!\.?\d)"
    r"|font-size\s*:\s*[01](?:\.\d+)?\s*(?:px|pt|em|%)?\s*(?:;|$|[\"'])|(?:left|right|top|"
    r"text-indent|margin-left)\s*:\s*-\d{3,}"
    r"|(?:width|height)\s*:\s*0(?:px)?\s*(?:;|$|[\"'])|clip(?:-path)?\s*:\s*(?:rect|"
    r"inset)\(\s*(?:0|50%|100%)"
    r"|color\s*:\s*(?:transparent|rgba\([^)]*,\s*0\s*\))"
)
_COLOUR = regex.compile(r"(?i)(?<![-\w])color\s*:\s*([^;\"']+)")
_GROUND = regex.compile(r"(?i)background(?:-color)?\s*:\s*([^;\"']+)")
_NAMES = {"white": "fff", "black": "000"}


def hiding(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each element with words in it that a style or attribute hides; what is set as code is no element."""
    for match in _ELEMENT.finditer(page.text, overlapped=True):
        attributes, inner = str(match[2]), str(match[3])
        if not _hides(attributes) or len(regex.findall(r"\p{L}+", inner)) < 2 or page.in_code(*match.span()):
            continue
        yield Finding(
            "hidden", "text that a browser does not show", *match.span(), 0.9,
            "take the element out, or let it be seen", "", quoted(match[0]),
        )  # fmt: skip


def _hides(attributes: str) -> bool:
    bare = regex.sub(r"\"[^\"]*\"|'[^']*'", "", attributes)
    if _HIDDEN.search(bare):
        return True
    style = _STYLE.search(attributes)
    if not style:
        return False
    colour, ground = _COLOUR.search(style[1]), _GROUND.search(style[1])
    same = colour and ground and _plain(colour[1]) == _plain(ground[1])
    return bool(same or _UNSHOWN.search(style[1]))


def _plain(colour: str) -> str:
    """`#FFFFFF`, `#fff` and `white` are one."""
    name = colour.strip().lower().lstrip("#")
    name = _NAMES.get(name, name)
    return name[::2] if len(name) == 6 and name[::2] == name[1::2] else name
