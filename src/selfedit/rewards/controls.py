"""What a grader gives to those who know nothing, or everything: the rows beside which a grader must be seen.

Each control answers the probes of a passage by a rule that needs no model. The gold answers show what a
grader misses, the others what it gives away: to reciting, to verbosity, to naming the topic, to what answers
another question. Knows nothing of how a passage is cut up; that comes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.rewards.grader import Grader
from selfedit.rewards.grading import normalise
from selfedit.rewards.statistics import Interval, bootstrap_interval, mean_over_passages
from selfedit.types import Failure, GradeRequest, Probe, Task, rng_for

LISTED_WORDS = 64


@final
@dataclass(frozen=True, slots=True)
class ControlPassage:
    """A passage with its probes, its sentences (at least one), and its answer-worthy things in order."""

    task: Task
    sentences: tuple[str, ...]
    things: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.sentences:
            raise ValueError(f"passage {self.task.title!r}: no sentence to recite")


@final
@dataclass(frozen=True, slots=True)
class ControlRow:
    """What a grader gave to a control, as the mean over passages of the mean over a passage's verdicts."""

    control: str
    grader: str
    accuracy: float | None
    """None where nothing was judged."""
    ci95: Interval | None
    """By bootstrap over passages."""
    n: int
    """Verdicts."""
    passages: int
    """Those with a verdict."""
    failures: int
    """Answers that the grader could not judge; they are in no other figure."""

    def as_json(self) -> dict[str, Any]:
        return {
            "control": self.control,
            "grader": self.grader,
            "accuracy": self.accuracy,
            "ci95": list(self.ci95) if self.ci95 else None,
            "n": self.n,
            "passages": self.passages,
            "failures": self.failures,
        }


# -- who answers how ------------------------------------------------------------------------------


def gold(passage: ControlPassage, seed: int) -> list[GradeRequest]:
    """The expected answers themselves."""
    return [_request(probe, probe.answer) for probe in passage.task.probes]


def empty(passage: ControlPassage, seed: int) -> list[GradeRequest]:
    """Nothing."""
    return [_request(probe, "") for probe in passage.task.probes]


def title(passage: ControlPassage, seed: int) -> list[GradeRequest]:
    """The passage's title, whatever is asked."""
    return [_request(probe, passage.task.title) for probe in passage.task.probes]


def reciter(passage: ControlPassage, seed: int) -> list[GradeRequest]:
    """For each question a sentence of the passage, drawn anew."""
    return [
        _request(probe, rng_for("reciter", seed, passage.task.id, probe.id).choice(passage.sentences))
        for probe in passage.task.probes
    ]


def lister(passage: ControlPassage, seed: int) -> list[GradeRequest]:
    """All answer-worthy things of the passage in a row, each once, as far as 64 words go."""
    row = " ".join(", ".join(dict.fromkeys(passage.things)).split()[:LISTED_WORDS])
    return [_request(probe, row) for probe in passage.task.probes]


def mismatch(passage: ControlPassage, seed: int) -> list[GradeRequest]:
    """The expected answer to another question of the passage."""
    return mismatched(passage.task.probes, [probe.answer for probe in passage.task.probes], seed)


def mismatched(probes: Items[Probe], answers: Items[str], seed: int) -> list[GradeRequest]:
    """The mismatch control of any answers to one passage's probes: each probe gets the answer to another one.

    Drawn among the probes with another gold answer; a probe without one is left out. `grading.mismatch` takes
    the mean over all of them instead, where grading costs nothing.
    """
    if len(answers) != len(probes):
        raise ValueError(f"{len(answers)} answers to {len(probes)} probes")
    keys = [tuple(normalise(probe.answer)) or (probe.answer.strip(),) for probe in probes]
    requests: list[GradeRequest] = []
    for probe, own in zip(probes, keys, strict=True):
        others = [answer for answer, key in zip(answers, keys, strict=True) if key != own]
        if others:
            requests.append(_request(probe, rng_for("mismatch", seed, probe.id).choice(others)))
    return requests


Control = Callable[[ControlPassage, int], list[GradeRequest]]

CONTROLS: Mapping[str, Control] = {
    "gold": gold,
    "empty": empty,
    "title": title,
    "mismatch": mismatch,
    "reciter": reciter,
    "lister": lister,
}
"""In the order of the rows: what must be right, then what must not."""


# -- what they earn -------------------------------------------------------------------------------


def control_rows(grader: Grader, passages: Items[ControlPassage], *, seed: int = 0) -> tuple[ControlRow, ...]:
    """What `grader` gives to each control over all passages. The grader is asked once a control."""
    return tuple(_row(name, grader, passages, seed) for name in CONTROLS)


def _row(name: str, grader: Grader, passages: Items[ControlPassage], seed: int) -> ControlRow:
    asked = [
        (f"{number:08}", request)
        for number, passage in enumerate(passages)
        for request in CONTROLS[name](passage, seed)
    ]
    values: dict[str, list[float]] = {}
    failures = 0
    for (where, _), verdict in zip(asked, grader.grade([each for _, each in asked]), strict=True):
        if isinstance(verdict, Failure):
            failures += 1
        else:
            values.setdefault(where, []).append(float(verdict.correct))
    return ControlRow(
        control=name,
        grader=grader.name,
        accuracy=mean_over_passages(values),
        ci95=bootstrap_interval(values, seed=seed),
        n=sum(map(len, values.values())),
        passages=len(values),
        failures=failures,
    )


def _request(probe: Probe, prediction: str) -> GradeRequest:
    return GradeRequest(probe.question, probe.answer, prediction)
