"""The rows that a recipe can ask for, as methods. What a row lacks is said in a line, and it is left out."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import replace
from functools import partial

from selfedit.edits.questions import ask_prompt
from selfedit.edits.writer import check_prompt, reading_turn
from selfedit.evaluating.notes import (
    BestOfN,
    ByRule,
    ByTeacher,
    ByWriter,
    gold_recited,
    gold_rows,
    tool_rows,
    whole_passage,
)
from selfedit.evaluating.retrieving import Retriever
from selfedit.evaluating.study import Method, Notes, Prompt, Study, View
from selfedit.types import Head, Probe, Task

Found = tuple[list[Method], str]
"""The methods of a row; where there is none, why."""


def methods(study: Study, rows: Items[str]) -> tuple[list[Method], list[str]]:
    """The methods of these rows in order, each once, and a line for each row that has none."""
    found: dict[str, Method] = {}
    missing: list[str] = []
    for row in rows:
        kind, _, more = row.partition(":")
        mine, why = WITH_MORE[kind](study, more) if more else ROWS[kind](study)
        found |= {method.name: method for method in mine if method.tasks}
        if not any(method.tasks for method in mine):
            missing.append(f"no row {row}: {why}")
    return list(found.values()), missing


# -- how questions are asked ---------------------------------------------------------------------------


def plainly(task: Task) -> list[Prompt]:
    """Without any text in view."""
    return [Prompt(ask_prompt(probe.question, probe.topic)) for probe in task.probes]


def in_view(task: Task) -> list[Prompt]:
    """With the passage in the prompt."""
    return [shown(task.passage, probe) for probe in task.probes]


def as_checked(task: Task) -> list[Prompt]:
    """With the passage in the prompt, as the writer was trained to check its questions."""
    return [Prompt(shown(task.passage, probe).text) for probe in task.probes]


def shown(passage: str, probe: Probe) -> Prompt:
    """The question with a passage in view."""
    asked = (passage, probe.question, probe.topic)
    return Prompt(check_prompt(*asked), reading_turn(*asked))


def retrieved(library: Items[Task]) -> View:
    """With the passage in the prompt that a search for the question finds."""
    made: list[Retriever] = []

    def view(task: Task) -> list[Prompt]:
        if not made:
            made.append(Retriever(library))
        found = [(probe, made[0].best(probe)) for probe in task.probes]
        return [shown(each.passage, probe) for probe, each in found]

    return view


# -- rows ----------------------------------------------------------------------------------------------


def _asked(name: str, study: Study) -> Found:
    """Nothing is trained. A base that recites is the control of adapters that do: what its reader knows."""
    views = {"base": plainly, "in-context": in_view, "retrieval": retrieved(study.passages.library)}
    recites = name == "base" and study.recipe.write.recite
    return [Method(name, views[name], tasks=study.tasks, recites=recites)], "no passages"


def _taught(name: str, notes: Notes, study: Study) -> Found:
    """Asked as the writer's notes are, so that rows compare."""
    return [Method(name, plainly, notes, tasks=study.tasks, recites=study.recipe.write.recite)], "no passages"


def _written(name: str, policy: Head | None, study: Study) -> list[Method]:
    """A method for each format; they are told apart by it where there are several.

    Where the recipe applies self-edits to the policy, as SEAL does, so is it done here.
    """
    formats = study.recipe.write.formats
    head = policy if study.recipe.judge.on == "policy" else None
    return [
        Method(
            f"{name}:{each}" if len(formats) > 1 else name,
            plainly,
            ByWriter(study, each, policy),
            head,
            tasks=study.tasks,
            recites=study.recipe.write.recite,
        )
        for each in formats
    ]


def _untrained(study: Study) -> Found:
    return _written("untrained", None, study), "no passages"


def _warm(study: Study) -> Found:
    if study.warm is None:
        return [], "no writer ships for this base and these formats"
    return _written("warm", study.warm, study), "no passages"


def _in_context_warm(study: Study) -> Found:
    """The writer was trained to answer with a sentence in view, to check its own questions."""
    if study.warm is None:
        return [], "no writer ships for this base and these formats"
    return [Method("in-context-warm", as_checked, head=study.warm, tasks=study.tasks)], "no passages"


def _rounds(study: Study) -> Found:
    mine = [m for n, policy in study.rounds.items() for m in _written(f"round {n}", policy, study)]
    return mine, "no round of this recipe has ended in this store; `selfedit train` makes them"


def _teacher(study: Study) -> Found:
    texts = study.passages.teacher
    having = tuple(task for task in study.tasks if task.id in texts)
    method = Method("teacher", plainly, ByTeacher(texts), tasks=having, recites=study.recipe.write.recite)
    return [method], "the data has no teacher's notes on these passages (teacher_edits.jsonl.gz)"


def _best_of_n(study: Study) -> Found:
    return _taught("best-of-n", BestOfN(study, study.warm), study)


def _joint(study: Study, number: str) -> Found:
    """One adapter over many passages: of the passages alone, of self-edits, and of the last round's."""
    together = int(number)
    last = max(study.rounds, default=None)
    alone = [
        *_passage(study)[0],
        *_untrained(study)[0],
        *_warm(study)[0],
        *(_written(f"round {last}", study.rounds[last], study) if last is not None else ()),
    ]
    return [
        replace(each, name=f"{each.name} joint:{together}", together=together) for each in alone
    ], "no passages"


def _passage(study: Study) -> Found:
    return _taught("passage", ByRule("passage", whole_passage), study)


def _tools(study: Study, names: str) -> Found:
    """What a directive with these tools comes to: the same for every passage."""
    tools = tuple(names.split("+"))
    return _taught(f"tools:{names}", ByRule(f"tools:{names}", partial(tool_rows, tools=tools)), study)


def _gold(study: Study) -> Found:
    recite = study.recipe.write.recite
    name, rows = ("gold-recited", gold_recited) if recite else ("gold", gold_rows)
    return _taught(name, ByRule(name, rows), study)


ROWS: dict[str, Callable[[Study], Found]] = {
    **{name: partial(_asked, name) for name in ("base", "in-context", "retrieval")},
    "in-context-warm": _in_context_warm,
    "passage": _passage,
    "untrained": _untrained,
    "warm": _warm,
    "rounds": _rounds,
    "teacher": _teacher,
    "best-of-n": _best_of_n,
    "gold": _gold,
}
WITH_MORE: dict[str, Callable[[Study, str], Found]] = {"joint": _joint, "tools": _tools}
"""Rows whose names say more after a colon."""
