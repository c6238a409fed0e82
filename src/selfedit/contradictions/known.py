"""A fact as it is compared, and the place of a sentence that is new: each of their views made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import regex

from selfedit.contradictions.facts import Fact, gapped, plain
from selfedit.contradictions.said import Said, filler, opposite, runs
from selfedit.contradictions.tokens import Token, tokens
from selfedit.contradictions.values import Value, same
from selfedit.contradictions.vocabulary import DETERMINERS, FILLERS, HONORIFICS
from selfedit.edits.verbs import may_be_present, may_be_third, past_base

_HOW_MANY = regex.compile(r"(?i)(?:how many|wie viele?|combien d[e'’]|cuánt[oa]s|kaç|сколько)\s*(.{3,60})")
_ROMAN = regex.compile(r"[IVXLCDM]+")
_POSITIVE = frozenset(("yes", "ja", "oui", "sí", "evet", "да", "true"))
_NEGATIVE = frozenset(("no", "nein", "non", "hayir", "нет", "false", "none"))
_CLAUSE_OF_GAP = regex.compile(r"[,;:]|\band\b")


@final
@dataclass(frozen=True)
class Known:
    """A fact; `context` are the keys of all that was learned under its title."""

    fact: Fact
    context: frozenset[str] = frozenset()
    dates: tuple[Value, ...] = ()
    """All that were learned under its title."""

    @cached_property
    def question(self) -> Said:
        return Said(plain(self.fact.question))

    @cached_property
    def answer(self) -> Said:
        return Said(self.fact.answer)

    @cached_property
    def old(self) -> Said:
        return Said(self.fact.sentence)

    @cached_property
    def title(self) -> Said:
        return Said(self.fact.title)

    @cached_property
    def value(self) -> Value | None:
        """The answer's value; a bare number counts what the question or the old sentence counts by it."""
        if not self.answer.values:
            return None
        value = self.answer.values[0]
        if value.kind != "amount" or value.units:
            return value
        found = _HOW_MANY.search(self.fact.question)
        asked = tuple(word.key for word in tokens(str(found[1]))[:3] if not word.empty) if found else ()
        told = next((other.units for other in self.old.values if same(value, other)), ())
        return replace(value, units=asked + told)

    @cached_property
    def polar(self) -> bool | None:
        """Whether the answer is yes or no; None for all others."""
        word = self.answer.words[0].fold if len(self.answer.words) == 1 else ""
        return True if word in _POSITIVE else False if word in _NEGATIVE else None

    @cached_property
    def named(self) -> bool:
        """Whether the answer is a name."""
        return any(self.answer.words[at].named for at in self.answer.content) and not self.answer.values

    @cached_property
    def span(self) -> tuple[int, int]:
        """Where the answer stands in the old sentence, in tokens; empty where it does not."""
        folds, wanted = [w.fold for w in self.old.words], [w.fold for w in self.answer.words]
        starts = range(len(folds) - len(wanted) + 1) if wanted else range(0)
        first = next((at for at in starts if folds[at : at + len(wanted)] == wanted), -1)
        return (first, first + len(wanted)) if first >= 0 else (0, 0)

    @cached_property
    def clause(self) -> tuple[int, int]:
        """The clause of the old sentence that the answer stands in; all of it where it does not."""
        return self.old.clause(self.span[0]) if self.span[1] else (0, len(self.old.words))

    @cached_property
    def role(self) -> int:
        """The place of the ordinary word right before the answer, a name: the *cook* Piet; -1 for none."""
        words, before = self.old.words, self.span[0] - 1
        if before > 0 and words[before].text == ",":
            before -= 1
        fits = self.named and before > 0 and before in self.old.content and not words[before].named
        return before if fits and words[before - 1].fold in DETERMINERS else -1

    @cached_property
    def needs(self) -> tuple[frozenset[str], ...]:
        """What a sentence must name to speak of the same: the question's words, or the old clause's."""
        gap = gapped(self.fact.question)
        part = next((part for part in _CLAUSE_OF_GAP.split(gap) if "__" in part), gap).replace("_", " ")
        asked = frozenset(self._wanted(Said(part))) or frozenset(self._wanted(self.question))
        needs = tuple(dict.fromkeys(need | self.counted for need in (asked, self.inside) if need))
        return needs or (self.counted or self.office,)

    @cached_property
    def inside(self) -> frozenset[str]:
        """What the old clause names beside the answer; where that has no name, the question's names, too.

        A clause that names nothing takes the sentence's first word for its subject.
        """
        found = frozenset(self._wanted(self.old, *self.clause, without=self.role))
        if self.fact.sentence and not found - self.counted:
            found |= frozenset(key for key in list(self._wanted(self.old))[:1])
        return found if not found or found & self.names else found | (self.question.keys & self.names)

    @cached_property
    def office(self) -> frozenset[str]:
        """The word for what somebody is, where the old sentence has one before the name."""
        return frozenset((self.old.words[self.role].key,)) if self.role >= 0 else frozenset()

    @cached_property
    def counted(self) -> frozenset[str]:
        """What the answer counts, where that is no measure."""
        value = self.value
        return (
            frozenset(value.units[-1:])
            if value and value.kind == "amount" and not value.measure
            else frozenset()
        )

    def _wanted(self, said: Said, first: int = 0, last: int = 10_000, without: int = -1) -> Iterator[str]:
        own = {self.answer.words[at].key for at in self.answer.content}
        for at in said.content:
            word = said.words[at]
            if first <= at < last and at != without and not filler(word) and word.key not in own:
                yield word.key

    @cached_property
    def whole(self) -> frozenset[str]:
        """The words of the old clause, the answer's among them."""
        first, last = self.clause
        return frozenset(self.old.words[at].key for at in self.old.content if first <= at < last)

    @cached_property
    def subject(self) -> frozenset[str]:
        """The words that the old clause begins with, up to an empty one or a verb."""
        first, last = self.clause
        places = [at for at in self.old.content if first <= at < (self.span[0] or last)]
        if first and (not places or may_be_verb(self.old.words[places[0]])):
            places = [at for at in self.old.content if at < first]
        begin = [at for number, at in enumerate(places) if at - places[0] == number]
        verb = next((n for n, at in enumerate(begin) if n and may_be_verb(self.old.words[at])), len(begin))
        return frozenset(self.old.words[at].key for at in begin[:verb] if not filler(self.old.words[at]))

    @cached_property
    def fixed(self) -> tuple[Value, ...]:
        """Values of the question: whoever has others speaks of another case."""
        return tuple(v for v in self.question.values if not any_same(v, self.answer.values))

    @cached_property
    def beside(self) -> tuple[Value, ...]:
        """Values of question and old sentence beside the answer."""
        every = (*self.fixed, *self.old.values, *self.dates)
        return tuple(value for value in every if not any_same(value, self.answer.values))

    @cached_property
    def keys(self) -> frozenset[str]:
        """All that was named when the fact was learned."""
        return self.question.keys.union(self.old.keys, self.title.keys, self.answer.keys)

    @cached_property
    def names(self) -> frozenset[str]:
        """What question, sentence or title write with a capital, and never without."""
        said = (self.question, self.old, self.title)
        small = {each.words[at].key for each in said for at in each.content if not each.words[at].named}
        return frozenset(key for each in said for key in each.names if key not in small)

    @cached_property
    def verbs(self) -> frozenset[str]:
        """Keys of words of question and sentence that are verbs: others may say the same."""
        words = (*self.question.words, *self.old.words)
        return frozenset(word.key for word in words if word.kind == "word" and may_be_verb(word))

    @cached_property
    def denied(self) -> bool:
        """Whether the old sentence denies what it says."""
        return self.old.denies(self.about(self.old)) if self.fact.sentence else self.polar is False

    def about(self, said: Said) -> tuple[int, int]:
        """The clause of a sentence that has most of what must be named and of the answer."""
        wanted = frozenset[str]().union(*self.needs) | self.answer.keys

        def shared(span: tuple[int, int]) -> int:
            return sum(w.key in wanted or opposite(w.fold) in wanted for w in said.words[span[0] : span[1]])

        return max(said.clauses, key=shared, default=(0, len(said.words)))


@final
@dataclass(frozen=True)
class Place:
    """A sentence of a new passage, its title, and the sentence before, for what `it` and `she` stand for."""

    said: Said
    title: Said
    before: Said

    @cached_property
    def around(self) -> frozenset[str]:
        return self.title.keys | self.before.keys

    def strangers(self, known: Known) -> list[tuple[int, int]]:
        """Spans of names that were not known."""
        fresh = [at for at in self.said.content if self._strange(known, self.said.words[at])]
        return list(runs(fresh, self.said.words))

    def _strange(self, known: Known, word: Token) -> bool:
        plain = word.empty or word.fold in HONORIFICS | FILLERS or _ROMAN.fullmatch(word.text)
        return not plain and word.key in self.said.names and word.key not in known.keys


def may_be_verb(word: Token) -> bool:
    """Whether it has the shape of an English verb; another verb may say the same."""
    present = may_be_third(word.text) or may_be_present(word.text)
    return not word.named and (present or past_base(word.text) is not None)


def any_same(value: Value, others: tuple[Value, ...]) -> bool:
    """Whether one of the others is the same value."""
    return any(same(value, other) for other in others)
