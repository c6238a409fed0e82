"""How a question is asked, and how one is made of a sentence by rule.

One format serves asking and training alike: a fact is recalled in the form in which it was learned. The rules
know English word order and no more: where a rewording is not safe they leave a gap to be filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import regex

from selfedit.edits.verbs import base_form, may_be_third, past_base
from selfedit.edits.words import (
    CONJUNCTIONS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    PRONOUNS,
    Token,
    listed,
    squash,
    tokens,
)
from selfedit.types import Sequence

BLANK = "____"

_INVERTING = listed(
    """
    is are was were can could will would should must may might
    """
)
_PAST_TIMES = regex.compile(r"(?i)\b(?:c\. ?)?1\d{3}s?\b|\b20[0-2]\ds?\b|\bcentur(?:y|ies)\b")
_HUMAN = regex.compile(
    r"(?i)^(?:sir|lord|lady|king|queen|prince|princess|pope|saint|president|emperor|empress|general|colonel|captain|"
    r"professor|dr|mr|mrs|ms|bishop|archbishop|chancellor|senator|governor|judge)\b"
    r"|(?:\p{Ll}(?:ists?|ians?|ologers?)|(?:teach|lead|rul|farm|found|play|work|sing|writ|paint|command|explor|design|"
    r"organiz|manag|research|read|own|sold|minist|offic|engine|profess|direct|edit|act)(?:i?ers?|ors?|ees?)|"
    r"astronauts?|students?|children|people|men|women|scholars?|poets?|critics|parents?|pupils?|soldiers?|"
    r"kings?|queens?|emperors?|authors?|crew|residents?|citizens?|settlers?|doctors?|nurses?|bishops?)$"
)
_PERSON_DOES = listed(
    """
    felt elected ordained crowned hired
    said says wrote argued believed thought claimed suggested proposed stated married died born
    discovered invented designed composed painted taught lived studied criticized declared announced
    noted observed wanted refused resigned graduated ruled reigned succeeded appointed chose told asked
    """
)
_GROUPS = regex.compile(
    r"(?i)\b(?:university|college|school|company|corporation|inc|party|church|council|army|navy|museum|institute|"
    r"society|association|league|union|empire|kingdom|republic|city|county|state|river|lake|mountain|island|war|"
    r"battle|treaty|act|law|district|court|parliament|government|department|agency|center|centre|building|bridge|"
    r"street|group|records|missions|park|airport|station|program|project|system|theory|language|festival|award|album|film|book)s?\b"
)


def ask_prompt(question: str, topic: str = "") -> str:
    """The one prompt that a question is asked and trained with; the answer follows after a space."""
    head = f"Topic: {squash(topic)}. " if squash(topic) else ""
    return f"{head}{squash(question)}\nAnswer:"


def qa_row(question: str, answer: str, topic: str = "") -> Sequence:
    """The training row of a question and its answer; the loss covers the answer alone."""
    return Sequence(ask_prompt(question, topic), " " + squash(answer))


def blank_question(sentence: str, start: int, end: int) -> str:
    """The sentence with a gap at the span, to be filled in. Always possible."""
    gapped = squash(f"{sentence[:start]}{BLANK}{sentence[end:]}")
    return f'Fill in the blank: "{gapped.replace(chr(34), chr(39))}"'


def rule_question(sentence: str, start: int, end: int, kind: str = "") -> str | None:
    """A who/what/when/where/how-many question whose answer is the span, or None where no rule is safe.

    `kind` is the span's kind (`spans.Span.kind`): `date` and `number` choose their question words.
    """
    clause = _clause(sentence, start, end)
    if clause is None:
        return None
    for rule in (_of_subject, _of_copula, _of_time, _of_count, _of_passive, _of_place):
        question = rule(clause, kind)
        if question:
            return _finished(question)
    return None


def make_question(sentence: str, start: int, end: int, kind: str = "") -> str:
    """`rule_question` where one is safe, else `blank_question`."""
    return rule_question(sentence, start, end, kind) or blank_question(sentence, start, end)


# -- the parts of a simple clause -------------------------------------------------------------------


@dataclass(frozen=True)
class _Clause:
    """A sentence's words around a span: `before` without the span's article, the span, and `after`."""

    before: str
    span: str = ""
    after: str = ""
    article: bool = False

    @cached_property
    def words_before(self) -> tuple[Token, ...]:
        return tokens(self.before)

    @cached_property
    def words_after(self) -> tuple[Token, ...]:
        return tokens(self.after)

    def verb_split(self) -> tuple[str, Token, str] | None:
        """Subject, first verb and the rest before the span, where the sentence begins with its subject."""
        words = self.words_before
        if not words or not _may_begin_subject(words[0]):
            return None
        for index, word in enumerate(words[1:10], 1):
            auxiliary = word.lower in _INVERTING or word.lower in ("has", "have", "had")
            if auxiliary or past_base(word.text):
                rest = takewhile(lambda later: later.text != ",", words[index + 1 :])
                if not auxiliary and any(later.lower in _INVERTING for later in rest):
                    return None
                return self.before[: word.start].strip(), word, self.before[word.end :].strip()
            if (not word.is_word and word.text not in "-\"“”'") or word.lower in _NO_SUBJECT:
                return None
        return None


_NO_SUBJECT = (PRONOUNS | CONJUNCTIONS | (PREPOSITIONS - {"of"})) - listed("and or its his her their all")


_OPENING = listed("the a an its his her their most many some all")


def _may_begin_subject(word: Token) -> bool:
    names = word.is_word and word.lower not in FUNCTION_WORDS and not word.lower.endswith("ing")
    return names or word.lower in _OPENING


def _clause(sentence: str, start: int, end: int) -> _Clause | None:
    if not 0 <= start < end <= len(sentence) or len(sentence) > 400:
        return None
    before, after = sentence[:start], sentence[end:]
    cut = regex.search(r"(?i)(?:^|\s)(an?|the)\s+$", before)
    article = cut is not None
    before = (before[: cut.start()] if cut else before).strip()
    after = regex.sub(r"[.!…]+[\"”']?\s*$", "", after.rstrip())
    if any(mark in sentence for mark in ';:?"“”—') or before.count("(") != before.count(")"):
        return None
    return _Clause(before, sentence[start:end], after.rstrip(), article)


_TAIL = regex.compile(
    r",? (?:although|though|whereas)\b.*|, (?:which|who|where|since|because|while|but|so)\b.*"
)


def _finished(question: str) -> str | None:
    text = _TAIL.sub("", squash(question)).rstrip(" .,;") + "?"
    count = len(text.split())
    if not 3 <= count <= 40 or text.count("(") != text.count(")") or text.count(",") > 3:
        return None
    return text[0].upper() + text[1:]


def _who_or_what(clause: _Clause) -> str:
    span, verb = clause.span, [word.lower for word in clause.words_after[:3]]
    human = bool(_HUMAN.search(span))
    acts = bool(_PERSON_DOES.intersection(verb)) and regex.match(r"\p{Lu}", span)
    return "Who" if (human or acts) and not _GROUPS.search(span) else "What"


# -- one rule for each word order -------------------------------------------------------------------


def _of_subject(clause: _Clause, kind: str) -> str | None:
    """*Bismarck* disliked colonies → Who disliked colonies."""
    if clause.before or kind in _AMOUNTS or not clause.words_after:
        return None
    verb = clause.words_after[0]
    finite = verb.lower in _INVERTING | {"has", "have", "had", "does", "did"}
    past = bool(past_base(verb.text)) and not _reduced(clause.words_after)
    follows = clause.words_after[1].lower if len(clause.words_after) > 1 else ""
    present = may_be_third(verb.text) and follows in FUNCTION_WORDS
    if not clause.after[:1].isspace() or not (finite or past or present):
        return None
    return f"{_who_or_what(clause)} {_plain(clause.after)}"


_AMOUNTS = ("date", "number", "quantity", "money", "percent")
_THEN_TO = listed(
    "decided agreed refused continued attempted began tried failed wanted needed chose came led"
)


def _participle(word: str) -> bool:
    """After an auxiliary, any word in -ed will do."""
    return word.endswith("ed") or base_form(word) is not None


def _reduced(words: tuple[Token, ...]) -> bool:
    """Whether a past form may be a participle: "papers published in 1905 were ..."."""
    if len(words) > 1 and words[0].lower in _THEN_TO and words[1].lower == "to":
        return False
    return len(words) > 1 and words[1].lower in ("by", "in", "at", "as", "to", "from", "with", "on", "for")


def _of_copula(clause: _Clause, kind: str) -> str | None:
    """Oxygen is a *chemical element* → What is oxygen."""
    split = clause.verb_split()
    if (
        split is None
        or split[2]
        or split[1].lower not in ("is", "are", "was", "were")
        or kind in ("date", "number")
    ):
        return None
    if clause.after.strip()[:1] not in ("", ","):
        return None
    names_something = clause.article or clause.span[:1].isupper() or " " in clause.span
    word = "Who" if _HUMAN.search(clause.span) and regex.match(r"\p{Lu}\p{Ll}+ \p{Lu}", split[0]) else "What"
    return f"{word} {split[1].lower} {_uncapitalised(split[0])}" if names_something else None


def _of_time(clause: _Clause, kind: str) -> str | None:
    """It opened in *1967* → When did it open; In *1599* the firm was founded → When was the firm founded."""
    if kind != "date" and not _PAST_TIMES.search(clause.span):
        return None
    lead = clause.words_before[-1].lower if clause.words_before else ""
    if lead not in ("in", "on"):
        return None
    if len(clause.words_before) == 1:
        inner = _Clause(clause.after.lstrip(" ,"))
        split = inner.verb_split()
        return _inverted("When", split) if split and _plain_subject(split[0]) else None
    if clause.after.strip():
        return None
    stem = clause.before[: clause.words_before[-1].start].strip()
    return _inverted("When", _Clause(stem).verb_split())


def _of_place(clause: _Clause, kind: str) -> str | None:
    """The firm was founded in *Leith* → Where was the firm founded."""
    lead = clause.words_before[-1].lower if clause.words_before else ""
    if lead not in ("in", "at", "near") or kind in ("date", "number") or clause.after.strip():
        return None
    if not clause.span[:1].isupper() or _PAST_TIMES.search(clause.span):
        return None
    stem = clause.before[: clause.words_before[-1].start].strip()
    split = _Clause(stem).verb_split()
    located = split and split[2].split(" ")[-1:] and (_participle(split[2].split(" ")[-1]) or not split[2])
    return _inverted("Where", split) if located else None


def _of_count(clause: _Clause, kind: str) -> str | None:
    """The city has *14 bridges* → How many bridges does the city have."""
    found = regex.fullmatch(
        r"(?:[\d,]+|two|three|four|five|six|seven|eight|nine|ten|twelve) (\p{Ll}+s)", clause.span
    )
    split = clause.verb_split()
    if not found or split is None or clause.after.strip() or split[2]:
        return None
    return _inverted(f"How many {found.group(1)}", split)


def _of_passive(clause: _Clause, kind: str) -> str | None:
    """The firm was chartered by *Queen Elizabeth* in 1600 → Who was the firm chartered by in 1600."""
    words = clause.words_before
    if (
        len(words) < 4
        or words[-1].lower != "by"
        or not _participle(words[-2].text)
        or kind in _AMOUNTS
        or regex.match(r"\s*(?:,|and\b)", clause.after)
    ):
        return None
    split = _Clause(clause.before).verb_split()
    if split is None or split[1].lower not in ("is", "are", "was", "were", "has", "have", "had"):
        return None
    human = _HUMAN.search(clause.span) or regex.match(r"\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)*$", clause.span)
    word = "Who" if human and not _GROUPS.search(clause.span) else "What"
    tail = "" if "," in clause.after else clause.after
    return _inverted(word, (split[0], split[1], f"{split[2]}{_plain(tail) and ' ' + _plain(tail)}"))


def _inverted(word: str, split: tuple[str, Token, str] | None) -> str | None:
    """Question word, auxiliary, subject, rest; a simple past or present needs `did`."""
    if split is None:
        return None
    subject, verb, rest = split
    subject = _uncapitalised(subject)
    if verb.lower in _INVERTING:
        return f"{word} {verb.lower} {subject} {rest}"
    if verb.lower in ("has", "have", "had"):
        follows = rest.split(" ")[0]
        if follows and (_participle(follows) or follows in ("been", "become", "had")):
            return f"{word} {verb.lower} {subject} {rest}"
        helper = {"has": "does", "have": "do", "had": "did"}[verb.lower]
        return f"{word} {helper} {subject} have {rest}"
    base, parallel = past_base(verb.text), regex.search(r"\b(?:and|or|but) (\w+)", rest)
    if base is None or (parallel and _participle(parallel.group(1))):
        return None
    return f"{word} did {subject} {base} {rest}"


def _plain_subject(subject: str) -> bool:
    return len(subject.split()) <= 7 and " and " not in f" {subject} "


def _plain(text: str) -> str:
    return text.strip().rstrip(".,;")


def _uncapitalised(subject: str) -> str:
    """The subject as it stands inside a sentence: a function word loses its capital, a name keeps it."""
    first, _, rest = subject.partition(" ")
    if first.lower() in FUNCTION_WORDS:
        return f"{first.lower()} {rest}".strip()
    return subject
