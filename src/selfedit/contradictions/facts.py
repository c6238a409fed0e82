"""Facts: what live commits hold, as questions with their answers and the sentences that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

import regex

from selfedit.contradictions.said import Said
from selfedit.contradictions.tokens import light_keys, tokens
from selfedit.contradictions.values import same
from selfedit.contradictions.vocabulary import HONORIFICS
from selfedit.edits.questions import blank_question
from selfedit.edits.sentences import sentences
from selfedit.types import Probe, Sequence, Task

Row = str | Sequence
"""A row of training."""
_ASKED = regex.compile(r"(?s)(?:Topic: (?P<topic>.*?)\. )?(?P<question>.+)\nAnswer:\s*")
_BLANK = regex.compile(r"(?s)Fill in the blank: \"(?P<gapped>.*)\"")
_GAP = regex.compile(r"_{2,}")


@final
@dataclass(frozen=True, slots=True)
class Fact:
    """A question that a live commit has an answer to, and the sentence of its passage that says so, or ""."""

    commit: str
    title: str
    question: str
    answer: str
    sentence: str = ""


def facts_of(commit: str, tasks: Items[Task], told: Iterable[Probe | Row]) -> tuple[Fact, ...]:
    """The facts of a commit from its passages and its probes or rows; rows that ask nothing are passed over.

    What says the same twice is one fact. A probe's or row's topic names its passage; without one, or with one
    that no passage has, all are looked through.
    """
    split = [(task.title, Said(line)) for task in tasks for line in sentences(task.passage)]
    found: dict[tuple[str, str, str], Fact] = {}
    by_title: dict[str, list[tuple[str, Said]]] = defaultdict(list)
    for part in split:
        by_title[part[0]].append(part)
    for probe in (asked for each in told if (asked := _probe(each))):
        title, sentence = _telling(probe, by_title.get(probe.topic) or split)
        fact = Fact(commit, title or probe.topic, probe.question, probe.answer.strip(), sentence)
        found.setdefault((fact.title, fact.question, fact.answer), fact)
    asked = frozenset((fact.sentence, fact.answer) for fact in found.values())
    return (*found.values(), *_unasked(commit, split, asked))


def _unasked(
    commit: str, lines: Items[tuple[str, Said]], asked: frozenset[tuple[str, str]]
) -> Iterator[Fact]:
    """Values that no question asked for, as gaps in their sentences."""
    for title, line in lines:
        answers = [answer for sentence, answer in asked if sentence == line.text] if asked else []
        for value in line.values:
            text, first, last = line.part(value.first, value.last), value.first, value.last
            if value.kind == "rank":
                continue
            if not any(text in answer or answer in text for answer in answers):
                start, end = line.words[first].start, line.words[last - 1].end
                yield Fact(commit, title, blank_question(line.text, start, end), text, line.text)


def _probe(told: Probe | Row) -> Probe | None:
    if isinstance(told, Probe):
        return told if told.answer.strip() else None
    if isinstance(told, str) or not told.completion.strip() or told.weight <= 0:
        return None
    asked = _ASKED.fullmatch(told.prompt)
    return Probe(asked["question"], told.completion.strip(), asked["topic"] or "") if asked else None


def _telling(probe: Probe, lines: Items[tuple[str, Said]]) -> tuple[str, str]:
    """Title and text of the sentence that shares most with the question; the answer's own goes first."""
    wanted, answer = light_keys(plain(probe.question)), light_keys(probe.answer) - {"yes", "no", "none"}
    flat = probe.answer.casefold().strip(" .")
    best, told = 0.0, ("", "")
    for title, line in lines:
        holds = bool(flat in line.text.casefold() or (answer and answer <= line.light))
        score = len(wanted & line.light) + (1000 if holds else 0)
        if score > best:
            best, told = score, (title, line.text)
    return told


def plain(question: str) -> str:
    """A question without the words around a gap."""
    found = _BLANK.fullmatch(question.strip())
    return _GAP.sub(" ", str(found["gapped"])) if found else question


def gapped(question: str) -> str:
    """The sentence with a gap that a question asks to be filled in; "" for other questions."""
    found = _BLANK.fullmatch(question.strip())
    return str(found["gapped"]) if found and _GAP.search(str(found["gapped"])) else ""


def concerned(fact: Fact, rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows of training that say a fact: to be left out, or cut, when it is corrected.

    Text that holds a sentence with the answer and most of what the question names, and questions of which the
    same is true with their answers. A row of a whole passage is among them, if one of its sentences is.
    """
    asks, answer = _needed(fact), Said(fact.answer)
    return tuple(row for row in rows if any(_says(each, fact, asks, answer) for each in _sentences(row)))


def _needed(fact: Fact) -> frozenset[str]:
    return Said(plain(fact.question)).keys - Said(fact.answer).keys


def _sentences(row: Row) -> Iterator[str]:
    if isinstance(row, str):
        yield from sentences(row)
    else:
        asked = _ASKED.fullmatch(row.prompt)
        yield f"{plain(asked['question']) if asked else row.prompt} {row.completion}"


def _says(text: str, fact: Fact, asks: frozenset[str], answer: Said) -> bool:
    said = Said(text)
    if fact.sentence and _flat(fact.sentence) == _flat(text):
        return True
    if not holds(said, answer):
        return False
    old = Said(fact.sentence).keys - answer.keys if fact.sentence else frozenset[str]()
    return any(need and len(need & said.keys) >= 0.6 * len(need) for need in (asks, old))


def holds(said: Said, answer: Said) -> bool:
    """Whether a sentence has all of an answer: its values in any writing, and its words in any form."""
    for value in answer.values:
        if not any(same(value, other) for other in said.values):
            return False
    wanted = {answer.words[at].key for at in answer.content}
    if wanted:
        return wanted <= said.keys or _surname(said, answer)
    return bool(answer.values) or _flat(answer.text) in _flat(said.text)


def _surname(said: Said, answer: Said) -> bool:
    """Whether a sentence has the last word of a name, without another first name before it."""
    words = [answer.words[at] for at in answer.content]
    if len(words) < 2 or len(words) != len(answer.words) or not all(word.named for word in words):
        return False
    at = next((at for at, word in enumerate(said.words) if word.key == words[-1].key and word.named), -1)
    before = next((word for word in reversed(said.words[:at]) if word.text != "."), None) if at >= 0 else None
    given = before is not None and before.named and len(before.fold) > 1 and before.fold not in HONORIFICS
    return at >= 0 and (not given or before is said.words[0])


def _flat(text: str) -> str:
    return " ".join(token.fold for token in tokens(text) if token.kind != "mark")
