"""The rows of the learning table: ways of turning a passage into training sequences.

Each takes all passages at once. Nothing here sees a question that people wrote, but `gold`, the ceiling.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.edits.questions import BLANK
from selfedit.edits.spans import best_spans
from selfedit.edits.tools import (
    ask_and_answer_prompt,
    cloze,
    headed,
    parse_ask_and_answer,
    parse_restate,
    reorder,
    restate_prompt,
    sentences,
    split,
)
from selfedit.types import Failure, GenerationRequest, SelfEdit, Sequence, Task
from selfedit.writing import Author, Brief, gold_edit, sequences_of, write_edits

Sequences = tuple[str | Sequence, ...]


@final
@dataclass(frozen=True)
class Study:
    """What the methods may use: an author (with the shipped policy) and how many spans to ask for."""

    author: Author
    spans: int = 14


Method = Callable[[Study, Items[Task]], list[Sequences]]


def nothing(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The base as it is."""
    return [() for _ in tasks]


def passage(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The passage whole, under its title."""
    return [(headed(task.title, task.passage),) for task in tasks]


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


def restated(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """Sentences, and each again in the base's own words."""
    return _by_line(study, tasks, restate_prompt, lambda t, s, text: _headed(t, parse_restate(s, text)), 60)


def asked_at_once(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """Sentences, and pairs of which the base writes question and answer at one go."""
    return _by_line(
        study, tasks, ask_and_answer_prompt, lambda t, s, text: parse_ask_and_answer(t.title, s, text), 60
    )


def _headed(task: Task, line: str | None) -> str | None:
    return None if line is None else headed(task.title, line)


def _by_line(
    study: Study,
    tasks: Items[Task],
    prompt: Callable[[str, str], str],
    parse: Callable[[Task, str, str], str | Sequence | None],
    max_tokens: int,
) -> list[Sequences]:
    items = [(task, sentence) for task in tasks for sentence in sentences(task.passage)]
    requests = [
        GenerationRequest(prompt(task.title, sentence), max_tokens=max_tokens, stop=("\n\n",))
        for task, sentence in items
    ]
    written = study.author.worker.generate(requests, study.author.progress)
    lines = [(t, parse(t, s, done.text)) for (t, s), done in zip(items, written, strict=True)]
    return [
        (*split(task), *dict.fromkeys(x for owner, x in lines if owner is task and x is not None))
        for task in tasks
    ]


def written(name: str) -> Method:
    """The base's own notes in a format; what cannot be parsed leaves the passage alone."""

    def method(study: Study, tasks: Items[Task]) -> list[Sequences]:
        edits = write_edits(study.author, tasks, (), Brief(name, 1, study.spans, 0.0, 0))
        return [_or_passage(task, edits[task.id][0]) for task in tasks]

    return method


def _or_passage(task: Task, edit: SelfEdit | Failure) -> Sequences:
    if isinstance(edit, Failure):
        return (headed(task.title, task.passage),)
    return sequences_of(task, edit)


def own_questions(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The default without its fallback: sentences, and the policy's questions that passed the check."""
    edits = write_edits(study.author, tasks, (), Brief("question-answer", 1, study.spans, 0.0, 0))
    made = [_or_passage(task, edits[task.id][0]) for task in tasks]
    return [tuple(x for x in rows if isinstance(x, str) or BLANK not in x.prompt) for rows in made]


def gold(study: Study, tasks: Items[Task]) -> list[Sequences]:
    """The ceiling: sentences, and people's own questions with their answers."""
    return [sequences_of(task, gold_edit(task)) for task in tasks]


METHODS: dict[str, Method] = {
    "base": nothing,
    "passage": passage,
    "split": by_sentence,
    "reorder": reordered,
    "restate": restated,
    "ask-and-answer": asked_at_once,
    "cloze": by_cloze,
    "implications": written("implications"),
    "rewrite": written("rewrite"),
    "own-questions": own_questions,
    "question-answer": written("question-answer"),
    "gold": gold,
}
