"""The rows of the learning table: ways of turning a passage into training sequences.

Each takes all passages at once. Nothing here sees a question that people wrote, but `gold`, the ceiling.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import final

from selfedit.edits.questions import BLANK
from selfedit.edits.spans import best_spans
from selfedit.edits.tools import cloze, headed, reorder, split
from selfedit.evaluating.notes import gold_rows, or_passage, whole_passage
from selfedit.evaluating.study import Sequences
from selfedit.questioning import Author
from selfedit.types import Failure, SelfEdit, Sequence, Task
from selfedit.writing import Brief, by_line, write_edits

Edits = dict[str, list[SelfEdit | Failure]]
"""Task id → its samples."""


@final
@dataclass(frozen=True)
class Study:
    """What the methods may use: an author (with the shipped policy) and how many spans to ask for."""

    author: Author
    spans: int = 14
    _written: dict[tuple[Brief, tuple[str, ...]], Edits] = field(default_factory=dict, repr=False)

    def edits(
        self, tasks: Items[Task], form: str, samples: int = 1, temperature: float = 0.0, recite: bool = False
    ) -> Edits:
        """Self-edits in a format, written once for all methods that use them."""
        brief = Brief(form, samples, self.spans, temperature, 0, recite=recite)
        key = (brief, tuple(task.id for task in tasks))
        if key not in self._written:
            self._written[key] = write_edits(self.author, tasks, (), brief)
        return self._written[key]


Method = Callable[[Study, Items[Task]], list[Sequences]]


def nothing(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The base as it is."""
    return [() for _ in tasks]


def passage(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The passage whole, under its title."""
    return [whole_passage(task) for task in tasks]


def by_sentence(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """Its sentences, each under the title."""
    return [split(task) for task in tasks]


def reordered(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """Sentences, and the passage in three other orders."""
    return [(*split(task), *reorder(task)) for task in tasks]


def by_cloze(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """Sentences, and question-answer rows made by rule."""
    return [
        (*split(task), *cloze(task, best_spans(task.passage, study.spans, title=task.title)))
        for task in tasks
    ]


def with_model(tool: str) -> Method:
    """Sentences, and what the base writes to each: restated, or a pair of question and answer at one go."""

    def method(study: Study, tasks: Items[Task]) -> list[Sequences]:
        lines = by_line(study.author, tasks, tool)
        return [(*split(task), *(_headed(task, line) for line in lines[task.id])) for task in tasks]

    return method


def _headed(task: Task, line: str | Sequence) -> str | Sequence:
    return headed(task.title, line) if isinstance(line, str) else line


def written(name: str) -> Method:
    """The base's own notes in a format; what cannot be parsed leaves the passage alone."""

    def method(study: Study, tasks: Items[Task]) -> list[Sequences]:
        edits = study.edits(tasks, name)
        return [or_passage(task, edits[task.id][0]) for task in tasks]

    return method


def without(dropped: Callable[[str | Sequence], bool], of: Method) -> Method:
    """What another method trains on, less some rows: to see what these are worth."""

    def method(study: Study, tasks: Items[Task]) -> list[Sequences]:
        return [tuple(row for row in rows if not dropped(row)) for rows in of(study, tasks)]

    return method


def is_sentence(row: str | Sequence) -> bool:
    return isinstance(row, str)


def has_gap(row: str | Sequence) -> bool:
    return isinstance(row, Sequence) and BLANK in row.prompt


def questions_twice(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The default's rows of two samples together: two wordings of a question where the policy has two."""
    edits = study.edits(tasks, "question-answer", samples=2, temperature=0.8)
    return [tuple(dict.fromkeys(x for e in edits[t.id] for x in or_passage(t, e))) for t in tasks]


def recited(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The model's own questions, each with its sentence instead of its answer."""
    edits = study.edits(tasks, "question-answer", recite=True)
    return [or_passage(task, edits[task.id][0]) for task in tasks]


def gold(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The ceiling: sentences, and people's own questions with their answers."""
    return [gold_rows(task) for task in tasks]


AT_ONCE = written("question-answer")
OWN_QUESTIONS = without(has_gap, AT_ONCE)
METHODS: dict[str, Method] = {
    "base": nothing,
    "passage": passage,
    "split": by_sentence,
    "reorder": reordered,
    "restate": with_model("restate"),
    "ask-and-answer": with_model("ask-and-answer"),
    "cloze": by_cloze,
    "implications": written("implications"),
    "rewrite": written("rewrite"),
    "own-questions": OWN_QUESTIONS,
    "own-pairs": without(is_sentence, OWN_QUESTIONS),
    "own-pairs-twice": without(is_sentence, without(has_gap, questions_twice)),
    "question-answer": AT_ONCE,
    "pairs": without(is_sentence, AT_ONCE),
    "questions-twice": questions_twice,
    "base-recited": nothing,
    "recited": recited,
    "gold": gold,
}
RECITED = frozenset({"base-recited", "recited"})
"""Methods whose adapters are asked for the sentence first, which is then read."""
