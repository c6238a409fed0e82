"""What contradicts and what does not, with a handbook of our own; a desk stands for the worker that reads."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence as Items
from typing import Any

import pytest

from selfedit.contradictions import Conflict, Fact, Reader, conflicts, facts_of
from selfedit.types import Completion, GenerationRequest, Probe, Score, ScoreRequest, Task

BOOK = Task(
    "Handbook of Orle",
    "Travel above 500 euros is signed off by the head of department. The library closes at 19:00. "
    "Dogs are allowed in the garden. The cook is Piet Vander. Orle Bridge was opened on 14 March 1926. "
    "Licences are issued by the village clerk.",
    (
        Probe("Above which amount must travel be signed off?", "500 euros"),
        Probe("When does the library close?", "19:00"),
        Probe("Are dogs allowed in the garden?", "yes"),
        Probe("Who is the cook?", "Piet Vander"),
        Probe("When was Orle Bridge opened?", "14 March 1926"),
        Probe("Who issues licences?", "the village clerk"),
    ),
)
FACTS = facts_of("c1", [BOOK], BOOK.probes)
CONTRADICTING = [
    ("The travel limit is now 700 euros.", "500 euros", "700 euros"),
    ("Travel above 700 euros is signed off by the head of department.", "500 euros", "700 euros"),
    ("The library closes at 5:30 p.m.", "19:00", "5:30 p.m."),
    ("Dogs are not allowed in the garden.", "yes", "Dogs are not allowed in the garden."),
    ("Dogs are forbidden in the garden.", "yes", "Dogs are forbidden in the garden."),
    ("The cook is Tove Lind.", "Piet Vander", "Tove Lind"),
    ("Orle Bridge was opened on 2 May 1927.", "14 March 1926", "2 May 1927"),
    ("Licences are issued by the county office.", "the village clerk", "county office"),
    (
        "Licences are no longer issued by the village clerk.",
        "the village clerk",
        "Licences are no longer issued by the village clerk.",
    ),
]
HARMLESS = [
    "Travel above 500 euros also needs a note that says whom you met.",
    "If travel costs more than 500 euros, the head of department signs it off.",
    "Gifts above 35 euros are signed off by the head of department.",
    "Travel above EUR 500.00 is signed off by the head of department.",
    "The library closes at 7 p.m.",
    "The canteen closes at 15:00.",
    "Dogs are not allowed in the kitchen.",
    "Cats are not allowed in the garden.",
    "The gardener is Tove Lind.",
    "Piet Vander, the cook, has two sons.",
    "Orle Bridge was opened on 14.03.1926.",
    "Tarrant Bridge was opened on 2 May 1927.",
    "Hunting licences are issued by the county office.",
    "",
]


def told(sentence: str, title: str = "News of Orle") -> tuple[Conflict, ...]:
    return conflicts(FACTS, [Task(title, sentence)])


@pytest.mark.parametrize(("sentence", "old", "new"), CONTRADICTING)
def test_what_contradicts(sentence: str, old: str, new: str) -> None:
    conflict = next(each for each in told(sentence) if each.fact.answer == old)
    assert (conflict.new, conflict.sentence, conflict.how) == (new, sentence, "by words")
    assert (conflict.title, conflict.fact.commit) == ("News of Orle", "c1")
    assert conflict.task == Task("News of Orle", sentence).id
    assert 0.6 <= conflict.sure < 1


@pytest.mark.parametrize("sentence", HARMLESS)
def test_what_does_not(sentence: str) -> None:
    assert told(sentence) == ()


def test_a_passage_never_contradicts_itself() -> None:
    assert conflicts(FACTS, [BOOK]) == ()


def test_a_passage_that_says_the_fact_again_does_not_contradict_it() -> None:
    assert told("The library closes at 19:00. The library closes at 12:00 for lunch.") == ()


def test_of_several_sentences_the_surest_is_told_once() -> None:
    passage = "Whoever asks, the library closes early, at 17:00. The library closes at 16:00."
    found = [each for each in told(passage) if each.fact.answer == "19:00"]
    assert [each.new for each in found] == ["16:00"]


def test_turkish_casing() -> None:
    task = Task("Kurallar", "MÜDÜR IŞIL KIRAÇ'TIR.", (Probe("Müdür kimdir?", "IŞIL KIRAÇ"),))
    facts = facts_of("c1", [task], task.probes)
    assert conflicts(facts, [Task("Kurallar", "Müdür Işıl Kıraç'tır.")]) == ()
    assert [each.new for each in conflicts(facts, [Task("Kurallar", "Müdür İrfan Çınar'dır.")])] == [
        "İrfan Çınar'dır"
    ]


# -- the model ------------------------------------------------------------------------------------------

EGGS = Fact(
    "c", "Moths", "How many eggs does the Ermel moth lay?", "300 eggs", "The Ermel moth lays 300 eggs."
)
DOUBTFUL = Task("Guide", "A female Ermel lays some 120 eggs in May.")


class Desk:
    """A worker as a reader has it: what is read and found likely is written down by the text."""

    def __init__(self, said: dict[str, str], fits: dict[str, float], words: dict[str, float]) -> None:
        self.said, self.fits, self.words = said, fits, words
        self.looked = 0

    context = 1000

    def count(self, text: str) -> int:
        return len(text.split())

    def generate(self, requests: Items[GenerationRequest]) -> list[Completion]:
        assert all(r.prompt.endswith("\nAnswer:") and r.temperature == 0 for r in requests)
        return [Completion(f" {self._of(self.said, r.prompt)}", (1, 2), "stop", -0.4) for r in requests]

    def score(self, requests: Items[ScoreRequest]) -> list[Score]:
        self.looked += len(requests)
        return [self._scored(str(each.prompt)) for each in requests]

    def _scored(self, prompt: str) -> Score:
        lost = self._of(self.words, prompt) if "Answer:" in prompt else -self._of(self.fits, prompt)
        return Score(-8.0 - lost, (-4.0, -4.0 - lost))

    def _of(self, told: dict, prompt: str) -> object:
        return next((told[text] for text in told if text in prompt), 0.0)


NEW = "120 eggs in May"


def read(
    answer: str = "120 eggs", old: str = "300 eggs.", fit: float = 6.0, lost: float = 0.5
) -> tuple[Conflict, ...]:
    desk = Desk({NEW: answer, EGGS.sentence: old}, {NEW: fit, EGGS.sentence: 7.0}, {NEW: lost})
    return conflicts([EGGS], [DOUBTFUL], Reader(desk))


def test_what_words_do_not_tell_the_model_may_read() -> None:
    assert conflicts([EGGS], [DOUBTFUL]) == ()
    (conflict,) = read()
    assert (conflict.how, conflict.new) == ("as the model reads it", "120 eggs")
    assert (conflict.fact, conflict.sentence) == (EGGS, DOUBTFUL.passage)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"old": "many"},  # it does not read the old sentence rightly
        {"answer": "300 eggs"},
        {"answer": "May"},  # no number, where a number is wanted
        {"answer": "120 nests"},  # not said there
        {"fit": 1.5},  # the question hardly fits the sentence
        {"fit": 4.5},  # much less than it fits the old one
        {"lost": 2.2},  # it would ask another question for this answer
    ],
)
def test_it_is_not_told_where_the_model_does_not_read_it_so(otherwise: dict[str, Any]) -> None:
    assert read(**otherwise) == ()


def test_a_further_one_is_no_other_one() -> None:
    also = Task("Guide", "A female Ermel also lays some 120 eggs in May.")
    desk = Desk({NEW: "120 eggs", EGGS.sentence: "300 eggs"}, {NEW: 6.0, EGGS.sentence: 7.0}, {})
    assert conflicts([EGGS], [also], Reader(desk)) == ()
    assert desk.looked == 0


def test_what_words_tell_is_not_read() -> None:
    sure, hopeless = Task("News of Orle", CONTRADICTING[1][0]), Task("News of Orle", HARMLESS[2])
    alone = conflicts(FACTS, [sure, hopeless])
    desk = Desk({}, {}, {})
    assert conflicts(FACTS, [sure, hopeless], Reader(desk)) == alone
    assert len(alone) == 1


# -- size and hostility ---------------------------------------------------------------------------------


def test_hostile_text_neither_raises_nor_lasts() -> None:
    rng = random.Random(0)
    bits = [
        "____",
        "½",
        "٣",
        "99.99.9999",
        "p.m.",
        "$",
        "'s",
        "\u0307",
        "İ",
        "no",
        "half past",
        "\x00",
        "🙂",
        "1,,2",
    ]
    bits += [
        "9" * 400,
        "a" * 900,
        "-",
        "(",
        "²",
        "三",
        "month",
        "now",
        "the",
        "limit",
        "Orle",
        "\n\n",
        "not but",
    ]
    began = time.process_time()
    for _ in range(60):
        old, new, asks, says = (" ".join(rng.choice(bits) for _ in range(size)) for size in (25, 25, 6, 2))
        facts = facts_of(
            "c", [Task(says, old)], [Probe(asks, says), Probe(f'Fill in the blank: "{asks}"', "1")]
        )
        conflicts(facts, [Task(asks, new), Task("", "")])
    for text in ("1 " * 50_000, "(" * 50_000, "ne " * 50_000, "a'" * 50_000, "artık " * 20_000):
        conflicts(facts_of("c", [Task("x", text)], [Probe("What is a?", "1")]), [Task("y", text)])
    assert time.process_time() - began < 20


def test_thousands_of_facts_are_gone_through_quickly() -> None:
    rng = random.Random(1)
    words = ["".join(rng.choice("bdfklmnprst") + rng.choice("aeiou") for _ in range(3)) for _ in range(2000)]
    facts = [
        Fact(
            "c",
            words[n % 2000],
            f"How high is {words[n % 2000]} {n}?",
            f"{n + 2} feet",
            f"{line} {n + 2} feet.",
        )
        for n in range(2000)
        for line in [" ".join(rng.choice(words) for _ in range(8))]
    ]
    new = [
        Task("New", " ".join(f"{' '.join(rng.choice(words) for _ in range(9))} 7 feet." for _ in range(10)))
    ]
    began = time.process_time()
    conflicts(facts, new * 10)
    assert time.process_time() - began < 10
