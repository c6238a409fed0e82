"""Near-misses: questions that look like those of a passage, which the passage does not answer.

A question-answer row's question with another, invented name, another year or another thing in place of its
own; or a question about the same subject that nobody would know. All are answered "I don't know.", in the
very row format, so that a model learns where its knowledge ends. The rules are for English: what they cannot
change safely is left out. Knows nothing of models or training.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import final

import regex

from selfedit.edits.fictions import HELD_OUT, TRAINED, Fictions
from selfedit.edits.questions import BLANK, ask_prompt, qa_row
from selfedit.edits.words import AUXILIARIES, FUNCTION_WORDS, PREPOSITIONS, content, listed, squash
from selfedit.types import Sequence, Task, rng_for

__all__ = ["HELD_OUT", "TRAINED", "UNKNOWN", "Fictions", "near_misses"]

UNKNOWN = "I don't know."
LONGEST_BLANK = 24
"""Words of a sentence with a gap: in a longer one a single name is no great difference."""


def near_misses(
    task: Task,
    rows: Iterable[str | Sequence],
    *,
    share: float = 0.25,
    seed: int = 0,
    fictions: Fictions = TRAINED,
) -> tuple[Sequence, ...]:
    """At most `share` near-misses for each question-answer row of the task; fewer where no more can be made.

    Rows that are no questions under the task's title are passed over. What the rows ask is never asked, and
    nothing is put in that the passage speaks of.
    """
    asked = {row.prompt: text for row in rows if isinstance(row, Sequence) and (text := _bare(row, task))}
    wanted = math.floor(share * len(asked) + 1e-9)
    maker = _Maker(task, fictions, rng_for("near-misses", task.id, fictions.name, seed))
    found: dict[str, Sequence] = {}
    for question in maker.questions(list(asked.values())):
        if len(found) >= wanted:
            break
        row = qa_row(question, UNKNOWN, task.title)
        if row.prompt not in asked:
            found.setdefault(row.prompt, row)
    return tuple(found.values())


def _bare(row: Sequence, task: Task) -> str:
    """The question of a row as `qa_row` makes it; empty for any other row."""
    head, tail = ask_prompt("?", task.title).rsplit("?", 1)
    whole = row.prompt.startswith(head) and row.prompt.endswith(tail)
    return row.prompt[len(head) : -len(tail)] if whole else ""


# -- what may be changed --------------------------------------------------------------------------------

_GENERIC = listed(
    """
    University College School Institute Academy Laboratory Church Cathedral Party Union Empire Kingdom
    Republic State States National International United County City District Province Region River Lake
    Mount Mountain Island Islands Sea Ocean Bay Street Road Avenue Park Bridge Castle Palace Museum
    Library Hospital Station Airport Company Corporation Bank Society Association League Club Board
    Trustees Council Committee Court Parliament Senate Congress House Government Ministry Department
    Army Navy Force War Wars World Battle Treaty Act Law Amendment Revolution Movement Policy Program
    Project Award Prize Cup Bowl Games Festival Day Century King Queen Prince Princess Emperor Pope
    Saint Sir Lord Lady President Vice Presidents Chairman Chancellor Governor Mayor General Captain
    Colonel Professor Provost Director Minister Secretary Officer Dean North South East West Northern
    Southern Eastern Western Central New Old Great God Internet English Earth Fill St.
    January February March April May June July August September October November December
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday
    """
)
"""Capitalised words that stay when a name is changed."""
_WORD = r"\p{Lu}[\p{L}\p{N}&-]+"
_NAME = regex.compile(rf"(?<![\p{{L}}\p{{N}}'’-])(?:St\.|{_WORD})(?: (?:(?:von|van|de|la|of|al) )?{_WORD})*")
_PARTS = regex.compile(rf"{_WORD}(?: (?:(?:von|van|de|la|al) )?{_WORD})*")
_ORIGIN = regex.compile(r"\p{L}{3,}(?:ian|can|ean|man|ish|ese|ic)$")
_YEAR = regex.compile(
    r"(?<=\b(?:in|of|since|by|until|before|after|from|during) )(?:1\d{3}|20[0-2]\d)\b(?![-–/]\d)"
)
_THING = regex.compile(r"(?<=\bthe )\p{Ll}[\p{Ll}-]+(?: \p{Ll}[\p{Ll}-]+)?(?=\?|['’]s\b| (\p{Ll}+)\b)")
_NOUN = regex.compile(r"(?<=\b(?:the|a|an|of|in|for|by|their|its) )\p{Ll}[\p{Ll}-]{3,}(?=[ ?'’])")
_NO_THING = listed(
    """
    name names type types kind amount number year years time term word day most same first last other rest way
    result main only part very year century people place month percent percentage many much opposite
    """
)
_NO_NOUN = regex.compile(r"(?:ed|ing|ly|est)$")


@final
@dataclass(frozen=True)
class _Maker:
    """Changes questions about one passage."""

    task: Task
    fictions: Fictions
    rng: Random

    def questions(self, asked: list[str]) -> Iterator[str]:
        """Questions changed, plain ones before sentences with a gap; the kinds of change take turns.

        A question about the subject has its turn as the others have; once all have been changed, it also
        stands in where nothing else can be made.
        """
        usual = (self._name, self._topic, self._thing, self._year)
        turn = self.rng.randrange(4)
        for again in (False, True):
            self.rng.shuffle(asked)
            for number, question in enumerate(sorted(asked, key=lambda text: BLANK in text), turn):
                if BLANK in question and len(question.split()) > LONGEST_BLANK:
                    continue
                first = number % 4
                lead = (self._subject,) if first == 3 else ()
                changes = (*lead, *usual[first:], *usual[:first], *((self._subject,) if again else ()))
                changed = next((text for change in changes if (text := change(question))), None)
                if changed:
                    yield changed

    def _name(self, question: str) -> str | None:
        """Another name in place of one, wherever the question has it; generic words of it stay.

        The first word, and the first of a sentence with a gap, has its capital anyway and is no sure name.
        """
        inside = question.find('"') + 2 if BLANK in question else 1
        names = [part for found in _NAME.finditer(question, inside) for part in _specific(found.group())]
        if not names:
            return None
        old = self.rng.choice(names)
        follows = question.partition(old)[2][:2]
        new = self._new_name(old, adjective=bool(regex.match(r" \p{L}", follows)))
        return new and regex.sub(rf"\b{regex.escape(old)}\b", new, question)

    def _new_name(self, old: str, *, adjective: bool) -> str | None:
        if " " in old:
            first, last = self._unheard(self.fictions.first), self._unheard(self.fictions.last)
            return f"{first} {last}" if first and last else None
        descent = adjective and _ORIGIN.search(old)
        return self._unheard(self.fictions.origins if descent else self.fictions.last)

    def _year(self, question: str) -> str | None:
        """Another year that the passage does not name."""
        found = _YEAR.search(question)
        if found is None:
            return None
        moves = [sign * times * self.fictions.shift for times in (1, 2, 3) for sign in (-1, 1)]
        years = [str(year) for move in moves if 1000 < (year := int(found.group()) + move) < 2025]
        year = self._unheard(years)
        return year and question[: found.start()] + year + question[found.end() :]

    def _topic(self, question: str) -> str | None:
        """An invented word in place of the last word of the title, where the question names it in passing."""
        words = [word for word in squash(self.task.title).split(",")[0].split() if len(word) > 3]
        if not words:
            return None
        found = regex.search(rf"(?<=\w.*)\b{regex.escape(words[-1].lower())}(?=s?\b)", question)
        return self._with_word(question, found.start(), found.end()) if found else None

    def _thing(self, question: str) -> str | None:
        """Another thing in place of "the ..." at the end of a phrase, or an invented word elsewhere."""
        if BLANK in question:
            return None
        fit = [found for found in _THING.finditer(question) if _is_thing(question, found)]
        new = self._unheard(self.fictions.things)
        if fit and new:
            found = self.rng.choice(fit)
            return question[: found.start()] + new + question[found.end() :]
        words = [found for found in _NOUN.finditer(question) if _may_be_noun(found.group())]
        if not words:
            return None
        found = self.rng.choice(words)
        return self._with_word(question, found.start(), found.end())

    def _with_word(self, question: str, start: int, end: int) -> str | None:
        """With an invented word from `start` to `end`; the article before it stays right."""
        lead = question[:start].split()[-1:]
        vowel = lead and lead[0].lower() == "an"
        fit = [word.lower() for word in self.fictions.last if (word[0] in "AEIOU") is bool(vowel)]
        word = self._unheard(fit)
        return word and question[:start] + word + question[end:]

    def _subject(self, question: str) -> str | None:
        """What nobody would know of a name in the question, or of the passage's subject."""
        names = [found for found in _NAME.finditer(question, 1) if _is_subject(found.group())]
        about = squash(self.task.title).split(",")[0]
        if names and BLANK not in question:
            found = self.rng.choice(names)
            article = "the " if question[: found.start()].endswith("the ") else ""
            about = article + found.group()
        asking = self._unheard(self.fictions.asking)
        return asking.format(about) if asking and about else None

    def _unheard(self, options: Iterable[str]) -> str | None:
        """One of those of which the passage has no word."""
        told = content(f"{self.task.title} {self.task.passage}")
        held = {word for word in told if word not in FUNCTION_WORDS}
        fit = [option for option in options if not held.intersection(content(option))]
        return self.rng.choice(fit) if fit else None


def _specific(name: str) -> list[str]:
    """The parts of a name that are no generic words: of "University of Chicago", Chicago."""
    bare = " ".join(word if word not in _GENERIC else "\0" for word in name.split())
    return [found.group() for found in _PARTS.finditer(bare)]


def _is_subject(name: str) -> bool:
    return len(name) > 3 and bool(_specific(name)) and not _ORIGIN.search(name)


def _may_be_noun(word: str) -> bool:
    return not (word in _NO_THING or word in FUNCTION_WORDS or _NO_NOUN.search(word))


def _is_thing(question: str, found: regex.Match[str]) -> bool:
    """Whether it reads as a noun on whose right the phrase ends, so that another may take its place."""
    words, after = found.group().split(), found.group(1)
    if _NO_THING.intersection(words) or not all(map(_may_be_noun, words)):
        return False
    before = question[: found.start()].split()[-2:-1]
    inverted = bool(before) and before[0].lower() in AUXILIARIES
    return (after is None or (after in PREPOSITIONS and after != "of")) and not (inverted and after)
