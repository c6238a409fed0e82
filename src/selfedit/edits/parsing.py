"""What a model wrote → clean lines, paragraphs or pairs, or a Failure. Total on every string."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

import regex

from selfedit.edits.words import squash
from selfedit.types import Failure

MOST_LINES = 200
MOST_CHARACTERS = 2_000
MOST_TEXT = 1_000_000

_BULLET = regex.compile(
    r"\A(?:\s|[>#]+(?=\s)|[-–—*•‣▪◦·+](?=\s)|\(?\d{1,4}[.):](?=\s)|\(?[a-z][.)](?=\s)|\*\*(?=\S))++"
)
_STUTTER = regex.compile(r"(.{1,4}?)\1{11,}")
_TERMINAL = tuple(".!?…\"”')]。")
_QUESTION = regex.compile(r"(?i)\A(?:q|question)\s*\d{0,4}\s*[:.)]\s*")
_ANSWER = regex.compile(r"(?i)\A(?:a|ans|answer)\s*\d{0,4}\s*[:.)]\s*")
_INLINE = regex.compile(r"(?i)(?<=\S)\s++(?=(?:a|answer)\s*:\s)")


def clean_lines(text: str, *, echoes: Iterable[str] = (), fewest_words: int = 2) -> tuple[str, ...] | Failure:
    """One training line per line of text.

    Bullets, numbers, marks that cannot be printed, blank lines, repeated lines and lines that stand in
    `echoes` are dropped; so is a last line that was cut off. At most 200 lines of 2,000 characters are kept.
    A text without a usable line, or that mostly repeats itself, is a Failure.
    """
    raw = _raw_lines(text)
    if not raw:
        return Failure("parse", "the model wrote nothing")
    looping = sum(degenerate(line) for line in raw)
    if 2 * looping >= len(raw) or (len(raw) >= 8 and 4 * len(set(raw)) < len(raw)):
        return _looping(raw)
    dropped = {_key(echo) for echo in echoes}
    notes = (line for line in raw if not degenerate(line) and _key(line) not in dropped)
    kept = _without_cut(_distinct(line for line in notes if _says_something(line, fewest_words)))
    lines = tuple(clamp(line) for line in kept[:MOST_LINES])
    return lines or Failure("parse", f"no usable line in {text.strip()[:60]!r}")


def _says_something(line: str, fewest_words: int) -> bool:
    return len(line.split()) >= fewest_words and any(map(str.isalpha, line)) and not line.endswith(":")


def clean_paragraphs(text: str, *, echoes: Iterable[str] = ()) -> tuple[str, ...] | Failure:
    """As `clean_lines`, for prose: lines without a blank line between them are one paragraph.

    A last paragraph that was cut off loses its last sentence only.
    """
    echoes = tuple(echoes)
    dropped = {_key(echo) for echo in echoes}
    blocks = regex.split(r"\n[^\S\n]*\n\s*", "\n".join(text[:MOST_TEXT].splitlines()).strip())
    joined: list[str] = []
    for block in blocks:
        lines = [line for line in block.split("\n") if _key(squash(line)) not in dropped]
        joined.append(" ".join(lines))
    whole = _finished(tuple(line for line in joined if line.strip()))
    return clean_lines("\n".join(whole), echoes=echoes, fewest_words=3)


def clean_pairs(text: str, *, echoes: Iterable[str] = ()) -> tuple[tuple[str, str], ...] | Failure:
    """Question and answer pairs, from `Question: … Answer: …` in its usual spellings.

    A question without answer, an answer without question, and an answer that is its question are dropped.
    """
    lines = _raw_lines("\n".join(_INLINE.sub("\n", line) for line in text[:MOST_TEXT].splitlines()))
    if lines and 2 * sum(degenerate(line) for line in lines) >= len(lines):
        return _looping(lines)
    dropped = {_key(echo) for echo in echoes}
    pairs: dict[str, tuple[str, str]] = {}
    question = ""
    for line in lines:
        bare = _QUESTION.sub("", line)
        if _ANSWER.match(line):
            answer = _ANSWER.sub("", line).strip(" *")
            if question and _good_pair(question, answer):
                pairs.setdefault(_key(question), (question, clamp(answer, 400)))
            question = ""
        elif bare != line or bare.endswith("?"):
            question = "" if _key(line) in dropped else clamp(bare.strip(" *"), 400)
        elif question and _good_pair(question, bare):
            pairs.setdefault(_key(question), (question, clamp(bare, 400)))
            question = ""
    found = tuple(pairs.values())[:MOST_LINES]
    return found or Failure("parse", "no question with its answer; wanted are 'Question: …' and 'Answer: …'")


def _distinct(lines: Iterable[str]) -> tuple[str, ...]:
    """The first of each that reads alike."""
    found: dict[str, str] = {}
    for line in lines:
        found.setdefault(_key(line), line)
    return tuple(found.values())


def _looping(lines: tuple[str, ...]) -> Failure:
    return Failure("parse", f"the text repeats itself: {lines[-1][:60]!r}")


def degenerate(line: str) -> bool:
    """Whether a line says nothing at length, or one thing over and over."""
    if not any(character.isalpha() for character in line):
        return len(line) >= 8
    head = line[:MOST_CHARACTERS].lower()
    words = head.split()
    if len(words) >= 16 and len(set(words)) * 4 < len(words):
        return True
    return _STUTTER.search(head) is not None or any(_runs(words, size) for size in range(1, 13))


def _runs(words: list[str], size: int) -> bool:
    """Whether a phrase of `size` words comes again at once, three times and more (a single word five)."""
    run, enough = 0, 4 if size == 1 else 2 * size
    for left, right in zip(words, words[size:], strict=False):
        run = run + 1 if left == right else 0
        if run >= enough:
            return True
    return False


def clamp(line: str, most: int = MOST_CHARACTERS) -> str:
    """At most `most` characters, ending after a sentence, else after a word."""
    if len(line) <= most:
        return line
    head = line[:most]
    stop = max(head.rfind(mark) for mark in (". ", "! ", "? "))
    return head[: stop + 1] if stop > most // 2 else head.rsplit(" ", 1)[0].rstrip()


def _raw_lines(text: str) -> tuple[str, ...]:
    found = (strip_marks(line) for line in text[:MOST_TEXT].splitlines()[: 20 * MOST_LINES])
    lines = (line for line in found if not line.startswith("```"))
    return tuple(line for line in lines if any(map(str.isalnum, line)) or len(line) >= 8)


def strip_marks(line: str) -> str:
    """The line without bullets, numbering, emphasis and what cannot be printed."""
    bare = _BULLET.sub("", squash(line))
    return bare.removesuffix("**").strip() if bare.count("**") % 2 else bare.strip()


def _key(line: str) -> str:
    return " ".join(regex.findall(r"\w+", line.lower()))


def _without_cut(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without a last line that breaks off: it alone has no terminal mark while most others have one."""
    ended = sum(line.endswith(_TERMINAL) for line in lines[:-1])
    cut = len(lines) > 1 and not lines[-1].endswith(_TERMINAL) and 2 * ended > len(lines) - 1
    return lines[:-1] if cut else lines


def _finished(paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    if not paragraphs or paragraphs[-1].rstrip().endswith(_TERMINAL):
        return paragraphs
    last = regex.match(r".*[.!?…][\"”')\]]*(?=\s)", paragraphs[-1], regex.DOTALL)
    return (*paragraphs[:-1], last.group()) if last else paragraphs


def _good_pair(question: str, answer: str) -> bool:
    if len(question.split()) < 2 or not any(map(str.isalnum, answer)) or _key(question) == _key(answer):
        return False
    return not degenerate(question) and (len(answer) < 24 or not degenerate(answer))


def json_objects(text: str, most: int = 100) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, those within others among them; at most so many braces are tried."""
    decoder, start = json.JSONDecoder(), -1
    for _ in range(most):
        start = text.find("{", start + 1)
        if start < 0:
            return
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield cast("dict[str, Any]", value)
