"""Ways of coming by what an adapter is trained on: by rule, by a policy, by another model, by choice."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from selfedit import rounds
from selfedit.config import Recipe, Write
from selfedit.edits import get_format
from selfedit.edits.directive import apply_tools
from selfedit.edits.recitation import recited_row
from selfedit.edits.sentences import sentences
from selfedit.edits.tools import headed
from selfedit.evaluating.study import Sequences, Study, Written
from selfedit.questioning import Author
from selfedit.reciting import asked_by_heart
from selfedit.rounds import Ground
from selfedit.samples import as_json, format_id, from_json
from selfedit.types import Failure, Head, Probe, Reward, SelfEdit, Task
from selfedit.writing import Brief, gold_edit, probed_sentences, sequences_of, write_edits, write_probes

if TYPE_CHECKING:
    from selfedit.engine import Adapter

TEACHER_FORMAT = "implications"
"""The format that the teacher was asked for: a fact a line."""
BOLD = "**"
"""Markdown that the teacher writes around words."""


def whole_passage(task: Task) -> Sequences:
    """The passage under its title."""
    return (headed(task.title, task.passage),)


def gold_rows(task: Task) -> Sequences:
    """The ceiling: sentences, and people's own questions with their answers."""
    return sequences_of(task, gold_edit(task))


def gold_recited(task: Task) -> Sequences:
    """The same where sentences are recited: people's own questions, each with the sentence of its answer."""
    found = [(probe, _sentence_with(task, probe.answer)) for probe in task.probes]
    return tuple(recited_row(probe.question, text, probe.topic) for probe, text in found if text)


def _sentence_with(task: Task, answer: str) -> str | None:
    return next((text for text in sentences(task.passage) if answer.casefold() in text.casefold()), None)


def tool_rows(task: Task, tools: tuple[str, ...]) -> Sequences:
    """What fixed tools make of a passage by rule, and the passage."""
    return sequences_of(task, SelfEdit(task.id, "directive", "", apply_tools(task, tools)))


def or_passage(task: Task, edit: SelfEdit | Failure) -> Sequences:
    """An edit's rows; what could not be parsed leaves the passage alone."""
    return whole_passage(task) if isinstance(edit, Failure) else sequences_of(task, edit)


@final
@dataclass(frozen=True)
class ByRule:
    """Rows that need no model."""

    name: str
    make: Callable[[Task], Sequences]

    def depends(self, task: Task) -> list[Any]:
        return [self.name, task.id]

    def write(self, tasks: Items[Task]) -> list[Written]:
        return [Written(self.make(task)) for task in tasks]


@final
@dataclass(frozen=True)
class ByTeacher:
    """Another model's notes, which came with the data."""

    texts: Mapping[str, str]

    def depends(self, task: Task) -> list[Any]:
        return ["teacher", task.id, self.texts[task.id]]

    def write(self, tasks: Items[Task]) -> list[Written]:
        form = get_format(TEACHER_FORMAT)
        edits = [form.parse(task, self.texts[task.id].replace(BOLD, "")) for task in tasks]
        return [
            Written(or_passage(task, edit), unusable=_reason(edit))
            for task, edit in zip(tasks, edits, strict=True)
        ]


@final
@dataclass(frozen=True)
class ByWriter:
    """The policy's likeliest self-edit in a format."""

    study: Study
    format: str
    policy: Head | None
    """Who writes; None is the base."""

    def depends(self, task: Task) -> list[Any]:
        recipe = self.study.recipe
        return [
            "written",
            task.id,
            format_id(self.format),
            head_id(self.policy),
            recipe.write.spans,
            recipe.seed,
            *by_heart(recipe.write),
        ]

    def write(self, tasks: Items[Task]) -> list[Written]:
        def make(missing: Items[Task]) -> list[dict[str, Any]]:
            brief = brief_of(self.study.recipe, self.format, 1, 0.0)
            edits = write_edits(author(self.study, self.policy), missing, (), brief)
            return [{"edits": [as_json(edits[task.id][0])], "chosen": 0} for task in missing]

        return kept(self.study, tasks, self, make)


@final
@dataclass(frozen=True)
class BestOfN:
    """Of several self-edits the one that does best on questions that the policy made up itself."""

    study: Study
    policy: Head | None
    """Who writes; None is the base."""

    def depends(self, task: Task) -> list[Any]:
        recipe = self.study.recipe
        formats = [format_id(name) for name in recipe.write.formats]
        tried = [recipe.apply.model_dump(), sorted(recipe.judge.weights.items()), recipe.judge.seeds[0]]
        asked = [recipe.judge.own_probes, recipe.judge.answer_tokens]
        wrote = [formats, recipe.write.samples, recipe.write.spans, recipe.write.temperature[0], recipe.seed]
        grader = self.study.grader.name
        wrote += by_heart(recipe.write, self.study.reader)
        return ["best of n", task.id, head_id(self.policy), *wrote, *tried, *asked, grader]

    def write(self, tasks: Items[Task]) -> list[Written]:
        return kept(self.study, tasks, self, self._make)

    def _make(self, tasks: Items[Task]) -> list[dict[str, Any]]:
        recipe = self.study.recipe
        by = author(self.study, self.policy)
        probes = self._probes(by, tasks)
        edits = self._edits(by, tasks, [probe for mine in probes.values() for probe in mine])
        ground = replace(self._ground, sentences=probed_sentences(tasks, probes))
        trials = rounds.apply_and_judge(rounds.candidates(tasks, edits, ground), probes, ground)
        chosen = rounds.choose(trials)
        values = {trial.edit.id: _value(trial.outcome) for trial in trials}
        return [
            {
                "edits": [as_json(edit) for edit in edits[task.id]],
                "chosen": edits[task.id].index(chosen[task.id]) if task.id in chosen else 0,
                "rewards": [values.get(e.id) if isinstance(e, SelfEdit) else None for e in edits[task.id]],
                "probes": [[probe.question, probe.answer] for probe in probes[task.id]],
                "trials": recipe.write.samples,
            }
            for task in tasks
        ]

    @property
    def _ground(self) -> Ground:
        recipe = self.study.recipe
        return Ground(
            self.study.worker,
            None,
            recipe.apply,
            recipe.judge.seeds[0],
            recipe.judge.answer_tokens,
            rewards=recipe.judge.weights,
            grader=self.study.grader,
            recite=recipe.write.recite,
            reader=self.study.reader,
        )

    def _probes(self, by: Author, tasks: Items[Task]) -> dict[str, list[Probe]]:
        """The policy's own questions, less those that the base answers already, unless that leaves none."""
        recipe = self.study.recipe
        written = write_probes(by, tasks, recipe.judge.own_probes, recipe.seed)
        every = [probe for mine in written.values() for probe in mine]
        answers = rounds.answers(every, None, self._ground)
        known = {p.id for p, a in zip(every, answers, strict=True) if rounds.right(p, a).parts["correct"]}
        fresh = {task: [probe for probe in mine if probe.id not in known] for task, mine in written.items()}
        return {task: fresh[task] or mine for task, mine in written.items()}

    def _edits(
        self, by: Author, tasks: Items[Task], probes: Items[Probe]
    ) -> dict[str, list[SelfEdit | Failure]]:
        """So many samples for each passage, shared among the formats."""
        write = self.study.recipe.write
        found: dict[str, list[SelfEdit | Failure]] = {task.id: [] for task in tasks}
        for at, name in enumerate(write.formats):
            count = len(range(at, write.samples, len(write.formats)))
            brief = brief_of(self.study.recipe, name, count, write.temperature[0])
            for task, mine in write_edits(by, tasks, probes, brief).items() if count else ():
                found[task] += mine
        return found


def brief_of(recipe: Recipe, form: str, samples: int, temperature: float) -> Brief:
    """What is written in a format for a table."""
    write = recipe.write
    return Brief(form, samples, write.spans, temperature, recipe.seed, recite=write.recite, hints=write.hints)


def by_heart(write: Write, *reader: Adapter | None) -> list[Any]:
    """What a key has of notes that are recited, and of who reads it where they are tried."""
    return [["recited", write.hints, *map(asked_by_heart, reader)]] if write.recite else []


def author(study: Study, policy: Head | None) -> Author:
    """The policy at work."""
    return Author(study.worker, head=policy)


def head_id(head: Head | None) -> str | None:
    """What a key has of a head."""
    return head.id if head else None


# -- what is written is kept ---------------------------------------------------------------------------

Make = Callable[[Items[Task]], list[dict[str, Any]]]
"""Passages → for each its self-edits as JSON, and which of them is chosen."""


def kept(study: Study, tasks: Items[Task], notes: ByWriter | BestOfN, make: Make) -> list[Written]:
    """What was kept for these passages, and what `make` makes for the others, kept as well."""
    keys = [study.key("sample", notes.depends(task)) for task in tasks]
    found: dict[str, Any] = {key: study.store.result("sample", key) for key in keys}
    missing = [(key, task) for key, task in zip(keys, tasks, strict=True) if found[key] is None]
    if missing:
        began = time.monotonic()
        made = make([task for _, task in missing])
        seconds = (time.monotonic() - began) / len(missing)
        fresh = {key: {**value, "seconds": seconds} for (key, _), value in zip(missing, made, strict=True)}
        study.store.put_results("sample", fresh)
        found |= fresh
    return [_written(task, key, found[key]) for key, task in zip(keys, tasks, strict=True)]


def _written(task: Task, key: str, sample: Mapping[str, Any]) -> Written:
    edit = from_json(task, sample["edits"][sample["chosen"]])
    return Written(or_passage(task, edit), key, _reason(edit), sample["seconds"])


def _reason(edit: SelfEdit | Failure) -> str | None:
    return edit.what if isinstance(edit, Failure) else None


def _value(outcome: Reward | Failure) -> float | None:
    return outcome.value if isinstance(outcome, Reward) else None
