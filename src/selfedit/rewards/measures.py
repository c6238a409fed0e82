"""What a trial earns: measures of how its adapter answers the choosing probes, and their weighted sum.

Log-probability of the gold answers needs no decoding, save where sentences are recited: then that of the
sentences needs none. Of the measures of answers, `margin` and `concise` earn
nothing by reciting. Knows nothing of models: whoever asked and scored hands over the evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.errors import UsageError
from selfedit.rewards import grading
from selfedit.types import Failure, Outcome, Probe, Reward, Verdict

ANSWER, LOGPROB, BEFORE, VERDICT, SENTENCE = "answer", "logprob", "before", "verdict", "sentence"


@final
@dataclass(frozen=True, slots=True)
class Evidence:
    """How one adapter did on one probe; what was not asked for is None."""

    probe: Probe
    answer: str | None = None
    logprob: float | None = None
    """Mean log-probability of the gold answer's tokens, in nats."""
    before: float | None = None
    """The same without the adapter."""
    verdict: Verdict | Failure | None = None
    """A grader's word on the answer."""
    sentence: float | None = None
    """Mean log-probability of the passage's sentence that holds the answer, asked for by the question."""


@final
@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a trial, larger is better, and the fields of `Evidence` that it reads."""

    needs: frozenset[str]
    value: Callable[[Items[Evidence]], float | None]
    """None where the evidence says nothing."""


def _mean(values: Items[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _by_rule(rule: Callable[[str, str], float]) -> Measure:
    """The mean of a rule of `grading` over answers."""

    def value(rows: Items[Evidence]) -> float | None:
        return _mean([float(rule(r.answer, r.probe.answer)) for r in rows if r.answer is not None])

    return Measure(frozenset((ANSWER,)), value)


def _margin(rows: Items[Evidence]) -> float | None:
    """Correct, less what answers to the passage's other questions earn. Alone, a probe has no margin."""
    asked = [(r.answer, r.probe.answer) for r in rows if r.answer is not None]
    crossed = grading.mismatch([a for a, _ in asked], [gold for _, gold in asked])
    own = [float(grading.correct(answer, gold)) for answer, gold in asked]
    return _mean([right - other for right, other in zip(own, crossed, strict=True) if other is not None])


def _gain(rows: Items[Evidence]) -> float | None:
    return _mean([r.logprob - r.before for r in rows if r.logprob is not None and r.before is not None])


def _graded(rows: Items[Evidence]) -> float | None:
    """The grader's probability of correct; its failures are left out."""
    return _mean([r.verdict.score for r in rows if isinstance(r.verdict, Verdict)])


def _graded_concise(rows: Items[Evidence]) -> float | None:
    """The same where the answer is no longer than a concise one may be, else nothing."""
    return _mean(
        [
            r.verdict.score * grading.short(r.answer or "", r.probe.answer)
            for r in rows
            if isinstance(r.verdict, Verdict)
        ]
    )


MEASURES: dict[str, Measure] = {
    "likelihood": Measure(frozenset((LOGPROB,)), lambda rows: _mean([r.logprob for r in rows])),
    "sentence": Measure(frozenset((SENTENCE,)), lambda rows: _mean([r.sentence for r in rows])),
    "gain": Measure(frozenset((LOGPROB, BEFORE)), _gain),
    "recall": _by_rule(grading.recall),
    "correct": _by_rule(grading.correct),
    "concise": _by_rule(grading.concise),
    "margin": Measure(frozenset((ANSWER,)), _margin),
    "graded": Measure(frozenset((ANSWER, VERDICT)), _graded),
    "graded-concise": Measure(frozenset((ANSWER, VERDICT)), _graded_concise),
}


def needs(weights: Mapping[str, float]) -> frozenset[str]:
    """The fields of `Evidence` that these rewards read. Raises UsageError for a name that is none."""
    check(weights)
    return frozenset(each for name in weights for each in MEASURES[name].needs)


def check(weights: Mapping[str, float]) -> None:
    """Raises UsageError where the weighted list cannot be used."""
    unknown = sorted(weights.keys() - MEASURES.keys())
    if unknown:
        raise UsageError(f"rewards: no reward {unknown[0]!r}; choose among {', '.join(MEASURES)}")
    if not any(weights.values()) or not all(map(math.isfinite, weights.values())):
        raise UsageError("rewards: weights are finite, and one at least is not 0; give such ones")


def reward(rows: Items[Evidence], weights: Mapping[str, float]) -> Outcome:
    """The weighted sum over measures, each measure a part of it. A Failure where one says nothing finite."""
    parts = {name: MEASURES[name].value(rows) for name in weights}
    silent = next((name for name, value in parts.items() if value is None), None)
    if silent is not None:
        return Failure("judge", "no probe to choose by" if not rows else f"the probes give no {silent}")
    known = {name: value for name, value in parts.items() if value is not None}
    total = math.fsum(weights[name] * value for name, value in known.items())
    if not math.isfinite(total):  # a broken adapter, whose weights are finite, may find an answer impossible
        return Failure("judge", "the probes give no finite figure")
    return Reward(total, {**known, "probes": float(len(rows))})
