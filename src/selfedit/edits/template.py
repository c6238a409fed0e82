"""A user's own format, from a text file.

    name: glossary
    parser: lines
    max_tokens: 400

    Terms in a text about {title}:
    {passage}
    Each term with what it means, one a line:

Header lines come first, in any order, each may be left out; then the prompt, which must hold `{passage}`
and may hold `{title}`. Other braces are written double. A blank line divides the two.
"""

from __future__ import annotations

from pathlib import Path

import regex

from selfedit.edits.base import Format, Parser
from selfedit.edits.implications import parse_lines
from selfedit.edits.question_answer import parse_pairs
from selfedit.edits.rewrite import parse_paragraphs
from selfedit.errors import EditError

PARSERS: dict[str, Parser] = {
    "lines": parse_lines,
    "paragraphs": parse_paragraphs,
    "question-answer": parse_pairs,
}
MOST_BYTES = 100_000
_HEADER = regex.compile(r"[ \t]*(name|parser|max_tokens)[ \t]*:[ \t]*(.*?)[ \t]*\Z")
_BRACES = regex.compile(r"\{\{|\}\}|\{(title|passage)\}|[{}][^{}\s]{0,40}\}?")


def load_template(path: str | Path) -> Format:
    """The format in the file; `EditError` in one line for one that cannot be read or used."""
    where = Path(path)
    try:
        data = where.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise EditError(f"template {where}: {error.strerror or error}; name a readable text file") from error
    except UnicodeDecodeError as error:
        raise EditError(f"template {where}: not UTF-8 text; save it as UTF-8") from error
    if len(data) > MOST_BYTES:
        raise EditError(f"template {where}: {len(data)} bytes; a template has at most {MOST_BYTES}")
    return parse_template(text, str(where), default_name=where.stem)


def parse_template(text: str, where: str, *, default_name: str = "template") -> Format:
    """As `load_template`, from the text; `where` is what messages call it."""
    header, body = _divided(text)
    parser = header.get("parser", "lines")
    if parser not in PARSERS:
        raise EditError(f"template {where}: parser is {parser!r}; choose one of {', '.join(PARSERS)}")
    prompt = _checked(body, where)
    return Format(
        name=header.get("name") or default_name,
        instruction=prompt,
        opening=prompt,
        parser=PARSERS[parser],
        max_tokens=_max_tokens(header.get("max_tokens", "512"), where),
    )


def _divided(text: str) -> tuple[dict[str, str], str]:
    lines = text.splitlines()
    header: dict[str, str] = {}
    while lines:
        found = _HEADER.match(lines[0])
        if found is None and not (lines[0].strip() == "---" and len(header) != 1):
            break
        if found:
            header[found.group(1)] = found.group(2)
        lines.pop(0)
    while lines and not lines[0].strip():
        lines.pop(0)
    return header, "\n".join(lines)


def _checked(body: str, where: str) -> str:
    placeholders: set[str] = set()
    for match in _BRACES.finditer(body):
        if match.group() in ("{{", "}}"):
            continue
        if match.group(1) is None:
            remedy = "{title} and {passage} are known, and other braces are written double"
            raise EditError(f"template {where}: unknown placeholder {match.group()!r}; {remedy}")
        placeholders.add(match.group(1))
    if "passage" not in placeholders:
        raise EditError(f"template {where}: no {{passage}}; the model must be shown what it is to learn")
    return body


def _max_tokens(value: str, where: str) -> int:
    number = int(value) if regex.fullmatch(r"[0-9]{1,6}", value) else 0
    if not 1 <= number <= 8192:
        raise EditError(f"template {where}: max_tokens is {value!r}; choose a whole number from 1 to 8192")
    return number
