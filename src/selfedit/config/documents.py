"""How a document is learned: the settings of `learn`, and those of earlier versions read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import Field, ValidationError

from selfedit.config.gating import Gate
from selfedit.config.retention import Retention
from selfedit.config.screening import Policy
from selfedit.config.settings import Settings, Training, Weighted
from selfedit.errors import UsageError


class Learning(Settings):
    """How a document is learned."""

    format: str = "question-answer"
    samples: int = Field(default=1, ge=1, le=64)
    """Self-edits written for each passage; of several, each is trained and judged, the best learned."""
    passage_tokens: int = Field(default=200, ge=16, le=4096)
    """A document is split into passages of at most so many tokens."""
    spans: int = Field(default=14, ge=1, le=200)
    """Answers asked for in each passage."""
    blanks: bool = True
    """An answer that nobody finds a question to is asked for by its sentence with a gap; not if recited."""
    sentences: bool = True
    """The sentences of a passage are trained on too, beside its question-answer pairs; not if recited."""
    recite: bool = True
    """A question is trained with its sentence instead of its answer; asked, that is said first, then read.

    See `recites`.
    """
    hints: int = Field(default=3, ge=0, le=100)
    """Where sentences are recited: rows for each, with a few of its words for a question."""
    probes: int = Field(default=8, ge=2, le=100)
    """Questions that test a passage: half choose, half report."""
    temperature: float = Field(default=0.8, ge=0, le=2)
    seed: int = 0
    candidate: Training = Training(rank=8, alpha=16, learning_rate=4e-3, epochs=1, least_steps=0)
    """One adapter for each self-edit, only to judge it."""
    final: Training = Training()
    """The adapter that is kept."""
    rewards: tuple[Weighted, ...] = (Weighted(name="likelihood"),)
    """What chooses among self-edits: the weighted sum of measures (`rewards.MEASURES`)."""
    answer_tokens: int = Field(default=24, ge=1, le=512)
    retention: Retention = Retention(strategies=("router",))
    """How what was learned before is kept."""
    retention_probes: int = Field(default=60, ge=0)
    """At most so many earlier probes are asked again after learning."""
    screening: Policy = Policy()
    """What is done about harmful things in a document."""
    gate: Gate = Gate()
    """What a candidate must not do."""
    abstention: float = Field(default=0.0, ge=0, le=4)
    """For each question that is trained, so many that look like it, answered with "I don't know"."""

    @property
    def recites(self) -> bool:
        """Whether sentences are recited: other formats have no questions, what abstains answers at once."""
        return self.recite and self.format == "question-answer" and not self.abstention

    def asked_as(self, other: Learning) -> Learning:
        """These settings, but reciting or not as the other does: one adapter is asked in one way."""
        if not other.recites:
            return self.model_copy(update={"recite": False})
        return self.model_copy(update={"recite": True, "format": "question-answer", "abstention": 0.0})

    @property
    def weights(self) -> dict[str, float]:
        """The rewards by name; what is named twice counts twice."""
        found: dict[str, float] = {}
        for each in self.rewards:
            found[each.name] = found.get(each.name, 0.0) + each.weight
        return found


DEFAULT = Learning()

DEMO = Learning(probes=4, spans=10, final=Training(epochs=3), gate=Gate(canaries=100))
"""Small enough for two cores and some minutes: ten passages of one short section each."""


def learning(base: Learning = DEFAULT, **given: Any) -> Learning:
    """`base` with what was given in its place; None stands for not given. Raises UsageError out of bounds."""
    try:
        return Learning.model_validate(_merged(base.model_dump(), given))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where} is {first.get('input')!r}: {first['msg'].lower()}; change it") from error


def recorded(held: Mapping[str, Any]) -> Learning:
    """Settings as any version wrote them: without unknown names; what is out of bounds takes the default.

    A training that was recorded without `least_steps` was done before there was such a thing: it is 0. So is
    a commit without `retention`: its adapter was merged into the head. Without `recite` it answers at once.
    """
    default = DEFAULT.model_dump()
    held = {"retention": {"strategies": ("naive",)}, "recite": False, **held}
    values = _known(default, {name: _with_steps(default.get(name), value) for name, value in held.items()})
    while True:
        try:
            return Learning.model_validate(values)
        except ValidationError as error:
            values |= {name: default[name] for name in (str(each["loc"][0]) for each in error.errors())}


def _with_steps(default: object, value: Any) -> Any:
    if not (isinstance(default, Mapping) and "least_steps" in default and isinstance(value, Mapping)):
        return value
    return {"least_steps": 0, **cast(Mapping[str, Any], value)}


def _known(default: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """What `held` gives for the names of `default`, level by level."""
    known = dict(default)
    for name in default.keys() & held.keys():
        inner = default[name]
        if not isinstance(inner, Mapping):
            known[name] = held[name]
        elif isinstance(held[name], Mapping):
            known[name] = _known(cast(Mapping[str, Any], inner), held[name])
    return known


def _merged(held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`held` with the given values, level by level."""
    merged = dict(held)
    for name, value in given.items():
        inner = held.get(name)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            merged[name] = _merged(cast(Mapping[str, Any], inner), cast(Mapping[str, Any], value))
        elif value is not None:
            merged[name] = value
    return merged
