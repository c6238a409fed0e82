"""Rows on sequences → the table: answers are graded, values sorted into grids, figures read off them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.config.streaming import BASE, JOINT
from selfedit.evaluating.study import Line
from selfedit.evaluating.verdicts import Graded, graded
from selfedit.rewards import Grader, collapsed
from selfedit.streaming import figures
from selfedit.streaming.documents import measured
from selfedit.streaming.figures import BySeries, Cell, Figure, Figures, Grid, Matrix, Measure
from selfedit.streaming.routing import ROUTERS, rightly
from selfedit.streaming.study import Document, Lived, Step, Study, Sung
from selfedit.types import Verdict


@final
@dataclass(frozen=True)
class CanaryFigures:
    """What became of the canaries that the base answers right, after the last document."""

    n: int
    """Of them, on all sequences together."""
    right: Figure
    """The share that still is."""
    logprob: Figure
    """Of the expected answers, less the base's, in nats a token."""


@final
@dataclass(frozen=True)
class StreamRow:
    """A method in figures, of all sequences. Empty figures: there are none to be had."""

    method: str
    matrix: Mapping[Measure, Matrix]
    """R[i][j]: document j after step i; rows without anything asked are null."""
    average: Mapping[Measure, tuple[float | None, ...]]
    """After each step, of all documents so far."""
    just_learned: Figures
    after_last: Figures
    kept: Figures
    """The second over the first; of log-probabilities, of what was gained over the base."""
    backward: Figures
    forward: Figures
    never_edited: Figures
    """The base, on the same documents."""
    against_base: Figures
    """After the last document, less the base's; differences are paired. Of `base` and `joint`, which have
    only that, what is told of steps is empty."""
    against_first: Figures
    """The same less the first method's."""
    canaries: CanaryFigures | None
    routed: str | None
    """The rule that finds the document, where one is served by routing."""
    routing: Mapping[str, Figure]
    """Rule → how often it finds a question's document among all, where one is served by routing."""
    sequences: int
    documents: int
    """Of a sequence."""
    questions: int
    """Of all of them."""
    tokens: float
    """Trained on, a document."""
    seconds: float
    """Of learning, a document, without writing and asking."""
    writing: float
    """Seconds that its self-edit took, a document."""
    bytes: float
    """Of adapters and moments after the last document, a document."""
    failures: int
    """Steps whose training failed: the model stayed as it was."""
    dropped: int
    """Adapters that no scale was small enough for."""
    unusable: int
    """Self-edits that could not be used: the passage alone was trained on."""
    collapsed: int
    """Documents about which answers repeat themselves, or are all one, after the last step."""
    scales: tuple[float, ...]
    """That adapters count at, where scales were looked for."""


@final
@dataclass(frozen=True)
class Material:
    """What a row is made of."""

    lived: tuple[Lived, ...]
    grid: Grid
    collapsed: int


def table(
    study: Study,
    lived: Mapping[str, Items[Lived]],
    documents: Mapping[int, Items[Document]],
    canaries: Sung,
    grader: Grader,
) -> list[StreamRow]:
    """A row for each of these, in order; the first that is not the base is what others are told against."""
    rows = {name: Material(tuple(each), *_grid(study, each, grader)) for name, each in lived.items()}
    first = next((name for name in rows if name != BASE), BASE)
    return [
        _row(name, material, (rows[BASE].grid, rows[first].grid), documents, canaries)
        for name, material in rows.items()
    ]


def _row(
    name: str,
    own: Material,
    others: tuple[Grid, Grid],
    documents: Mapping[int, Items[Document]],
    canaries: Sung,
) -> StreamRow:
    grid, (base, first) = own.grid, others
    steps = [step for each in own.lived for step in each.steps]
    every = [each for mine in documents.values() for each in mine]
    matrix: dict[Measure, Matrix] = {m: grid.matrix(m) for m in figures.MEASURES}
    itself, alone, stepwise = name == BASE, grid is first, name not in (BASE, JOINT)
    return StreamRow(
        method=name,
        matrix=matrix,
        average={m: figures.average_so_far(each) for m, each in matrix.items()},
        just_learned=figures.averages(grid.just_learned) if stepwise else {},
        after_last=figures.averages(grid.after_last),
        kept=figures.kept(grid, base) if stepwise else {},
        backward=figures.backward(grid) if stepwise else {},
        forward=figures.forward(grid, base) if stepwise else {},
        never_edited=figures.averages(base.after_last),
        against_base=figures.differences(grid.after_last, base.after_last) if not itself else {},
        against_first=figures.differences(grid.after_last, first.after_last) if not alone else {},
        canaries=_canaries(own.lived, canaries),
        routed=_rule(own.lived),
        routing=_routing(own.lived),
        sequences=len(own.lived),
        documents=grid.documents,
        questions=sum(len(task.probes) for each in own.lived for task in each.series.tasks),
        tokens=sum(step.tokens for step in steps) / len(every),
        seconds=math.fsum(step.seconds for step in steps) / len(every),
        writing=0.0 if itself else math.fsum(each.seconds for each in every) / len(every),
        bytes=sum(each.last.bytes for each in own.lived) / len(every),
        failures=sum(step.failure is not None for step in steps),
        dropped=sum(step.scale == 0 for step in steps),
        unusable=0 if itself else sum(each.unusable is not None for each in every),
        collapsed=0 if itself else own.collapsed,
        scales=tuple(step.scale for step in steps if step.scale is not None),
    )


# -- values ---------------------------------------------------------------------------------------------


def _grid(study: Study, lived: Items[Lived], grader: Grader) -> tuple[Grid, int]:
    """All values of a row, and how many documents are answered by a collapsed model after the last step."""
    values: dict[Measure, dict[Cell, BySeries]] = {m: defaultdict(dict) for m in figures.MEASURES}
    for each in lived:
        for step in each.steps:
            for place, logprobs in enumerate(step.logprobs):
                had = [value for value in logprobs if value is not None]
                values["logprob"][step.number, place][each.series.number] = had
    broken = 0
    for (each, step, place), found in _answered(study, lived, grader):
        cell, series = (step.number, place), each.series.number
        values["accuracy"][cell][series] = _correct(found.verdicts)
        values["mismatch"][cell][series] = _correct(found.mismatches)
        values["concise"][cell][series] = [float(x) for x in found.concise if x is not None]
        golds = [probe.answer for probe in found.task.probes]
        last = step.number == each.last.number
        broken += last and collapsed(found.line.answers, golds) is not None
    return Grid(study.recipe.documents, values), broken


def _answered(
    study: Study, lived: Items[Lived], grader: Grader
) -> list[tuple[tuple[Lived, Step, int], Graded]]:
    """Every step and document that was asked about, with the grader's word on the answers."""
    asked = [(each, step, place) for each in lived for step in each.steps for place in step.answers]
    lines = [
        Line(each.row, each.series.tasks[place].id, None, "", step.answers[place], (), 0, 0.0, 0.0)
        for each, step, place in asked
    ]
    return list(zip(asked, graded(measured(study, grader), lines), strict=True))


def _correct(verdicts: Items[object]) -> list[float]:
    return [float(each.correct) for each in verdicts if isinstance(each, Verdict)]


# -- canaries and routing -------------------------------------------------------------------------------


def _canaries(lived: Items[Lived], base: Sung) -> CanaryFigures | None:
    """Against the base; a canary that several sequences were asked counts once, with the mean of them."""
    before = dict(zip(base.asked, base.logprobs, strict=True))
    right: figures.ByDocument = defaultdict(list)
    now: figures.ByDocument = defaultdict(list)
    for sung in (each.canaries for each in lived if each.canaries is not None):
        for at, logprob in zip(sung.asked, sung.logprobs, strict=True):
            if logprob is not None and before[at] is not None:
                now[str(at)].append(logprob)
        for at, each in zip(sung.asked, sung.right or (), strict=False):
            right[str(at)].append(float(each))
    if not now:
        return None
    then = {str(at): [value] for at, value in before.items() if value is not None}
    n = sum(len(each.canaries.asked) for each in lived if each.canaries is not None)
    return CanaryFigures(n, figures.average(right), figures.difference(now, then))


def _rule(lived: Items[Lived]) -> str | None:
    method = lived[0].method if lived else None
    return method.router if method and method.routed else None


def _routing(lived: Items[Lived]) -> dict[str, Figure]:
    """Of every rule, whichever serves."""
    if _rule(lived) is None:
        return {}
    found: dict[str, Figure] = {}
    for rule in ROUTERS:
        values = {
            f"{each.series.number}.{task}": right
            for each in lived
            if each.method is not None
            for task, right in rightly(each.series.tasks, rule, each.method.retention).items()
        }
        found[rule] = figures.average(values)
    return found
