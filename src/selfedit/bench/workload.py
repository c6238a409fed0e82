"""The work that every side does: plans, prompts and completions made of real passages.

Pure but for reading the data file. Knows nothing of models, tokens or time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from random import Random

from selfedit.bench.settings import Settings
from selfedit.edits.sentences import sentences
from selfedit.errors import DocumentError, UsageError
from selfedit.types import Sequence, TrainingPlan, rng_for

QUESTIONS_PER_TRIAL = 5

VOCABULARY = """
the of and in to was by is as with for that on from are it which were at or be this had first its
new also after their city century world state national war government university system history
people river music between during most known became used many other years including later early
major public called large led group north area land power law church study south form trade language
number east school water
"""


@dataclass(frozen=True)
class Passage:
    title: str
    context: str
    questions: tuple[tuple[str, str], ...]
    """Pairs of question and gold answer."""


@dataclass(frozen=True)
class Row:
    """A prompt, its expected completion, and the number of the adapter that it is asked of."""

    prompt: str
    completion: str
    adapter: int


def passages(settings: Settings) -> list[Passage]:
    """At least `settings.plans` passages, those with most questions first (up to a trial's count)."""
    rows = synthetic(settings) if settings.synthetic else read(settings.data)
    rows = sorted(rows, key=lambda row: -min(QUESTIONS_PER_TRIAL, len(row.questions)))
    return [rows[i % len(rows)] for i in range(max(settings.plans, len(rows)))]


def read(data: str | None) -> list[Passage]:
    """The training passages of a data folder, in the file's order."""
    if not data:
        raise UsageError(
            "bench: no data; give --data DIR (or SELFEDIT_DATA) with squad/train.json, or --synthetic"
        )
    path = Path(data) / "squad" / "train.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = [_passage(row) for row in rows]
    except OSError as error:
        raise DocumentError(
            f"{path}: {error.strerror}; --data names the folder with squad/train.json"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DocumentError(f"{path}: not a list of title, context and questions ({error})") from error
    usable = [passage for passage in found if passage.questions]
    if not usable:
        raise DocumentError(f"{path}: no passage with questions; give another file, or --synthetic")
    return usable


def _passage(row: dict) -> Passage:
    pairs = tuple((pair["question"], pair["answer"]) for pair in row["questions"])
    return Passage(row["title"], row["context"], pairs)


def synthetic(settings: Settings) -> list[Passage]:
    """Passages of common words at random, as long as SQuAD's (some 120 words, five questions)."""
    return [_synthetic(rng_for("bench", settings.seed, i)) for i in range(settings.plans)]


def _synthetic(rng: Random) -> Passage:
    words_of = VOCABULARY.split()

    def words(low: int, high: int) -> list[str]:
        return [rng.choice(words_of) for _ in range(rng.randint(low, high))]

    lines = [" ".join(words(16, 32)).capitalize() + "." for _ in range(5)]
    pairs = [(f"What {' '.join(words(6, 11))}?", " ".join(words(1, 4))) for _ in range(QUESTIONS_PER_TRIAL)]
    return Passage(" ".join(words(1, 3)).title(), " ".join(lines), tuple(pairs))


def plan(settings: Settings, passage: Passage) -> TrainingPlan:
    """The passage's sentences, each headed by its title, and question-answer rows up to the wanted count."""
    told = [f"{passage.title}\n{line}" for line in sentences(passage.context)]
    asked = [Sequence(question(passage, q), f" {a}") for q, a in passage.questions]
    blanks = [Sequence(question(passage, q), f" {a}") for q, a in cloze(passage, settings.sequences)]
    rows = [*told[: settings.sequences // 2], *asked, *blanks][: settings.sequences]
    return TrainingPlan(
        tuple(rows),
        rank=settings.rank,
        alpha=2 * settings.rank,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        seed=settings.seed,
    )


def cloze(passage: Passage, count: int) -> list[tuple[str, str]]:
    """Fill-in-the-blank pairs: the longest words of each sentence, one after another."""
    pairs: list[tuple[str, str]] = []
    for place in range(count):
        for line in sentences(passage.context):
            longest = sorted(line.split(), key=lambda word: (-len(word), word))
            if place < len(longest):
                pairs.append(
                    (f"Fill in the blank: {line.replace(longest[place], '____', 1)}", longest[place])
                )
    return pairs[:count]


def question(passage: Passage, text: str) -> str:
    return f"Topic: {passage.title}. {text}\n"


def plans(settings: Settings) -> list[TrainingPlan]:
    return [plan(settings, passage) for passage in passages(settings)[: settings.plans]]


def questions(passage: Passage, number: int) -> list[Row]:
    """A trial's questions, repeated where the passage has fewer."""
    pairs = [passage.questions[i % len(passage.questions)] for i in range(QUESTIONS_PER_TRIAL)]
    return [Row(question(passage, q), a, number) for q, a in pairs]


def rows(settings: Settings, adapters: int) -> list[Row]:
    """`settings.requests` questions with their answers, dealt in turn to `adapters` adapters."""
    pairs = [(passage, pair) for passage in passages(settings) for pair in passage.questions]
    dealt = [pairs[i % len(pairs)] for i in range(settings.requests)]
    return [Row(question(p, q), f" {a}", i % adapters) for i, (p, (q, a)) in enumerate(dealt)]


def groups(rows: Items[Row]) -> dict[int, list[int]]:
    """For each adapter the positions of its rows."""
    found: dict[int, list[int]] = {}
    for position, row in enumerate(rows):
        found.setdefault(row.adapter, []).append(position)
    return found
