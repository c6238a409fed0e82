"""What is done with a candidate that only disturbs too much: how much it disturbs is written down here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from selfedit.config import Learning
from selfedit.examining import Examined, Examiner
from selfedit.gate import Check, Verdict
from selfedit.measuring import Asked, Kept
from selfedit.store import ProbeAnswer
from selfedit.types import Probe

PROBES = 8


@dataclass(frozen=True)
class Part:
    """Stands for an adapter."""

    scale: float = 1.0

    def scaled(self, scale: float) -> Part:
        return replace(self, scale=self.scale * scale)


class Desk:
    """Answers for an examiner: up to `harmless` it invents nothing; the larger a part, the more is right."""

    def __init__(self, harmless: float, failed: str = "invention", power: int = 1) -> None:
        self.harmless, self.failed, self.power = harmless, failed, power
        self.whole: list[float] = []
        self.partly: list[tuple[float, frozenset[str]]] = []

    def examined(self, part: Part, scale: float) -> Examined:
        assert part.scale == scale
        self.whole.append(scale)
        right = round(PROBES * scale**self.power)
        asked = tuple(
            Asked("t", Probe("?", "!"), ProbeAnswer("", False, False), ProbeAnswer("", at < right, False))
            for at in range(PROBES)
        )
        checks = (Check("own", True, "fine"), Check(self.failed, scale <= self.harmless, "told"))
        return Examined(part, asked, Kept((), ()), Verdict(checks, scale))

    def harms(self, part: Part, harmed: frozenset[str]) -> bool:
        self.partly.append((part.scale, harmed))
        return part.scale > self.harmless

    def examine(self, monkeypatch: pytest.MonkeyPatch, gated: bool = True) -> Examined:
        lesson = SimpleNamespace(gated=gated, settings=Learning())
        nothing: Any = None
        examiner = Examiner(nothing, lesson, nothing, Part())
        monkeypatch.setattr(Examiner, "_examined", lambda _, part, scale: self.examined(part, scale))
        monkeypatch.setattr(Examiner, "_harms", lambda _, part, harmed: self.harms(part, harmed))
        return examiner.examine()


def test_what_harms_nothing_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(1.0)
    assert desk.examine(monkeypatch).verdict.accepted
    assert (desk.whole, desk.partly) == ([1.0], [])


@pytest.mark.parametrize(("harmless", "scale"), [(0.6, 0.5625), (0.95, 0.9375), (0.75, 0.75), (0.5, 0.5)])
def test_the_largest_part_that_harms_nothing_is_taken(
    monkeypatch: pytest.MonkeyPatch, harmless: float, scale: float
) -> None:
    desk = Desk(harmless)
    found = desk.examine(monkeypatch)
    assert (found.verdict.accepted, found.verdict.scale, found.adapter.scale) == (True, scale, scale)
    assert desk.whole == [1.0, scale]  # all of it is asked of two alone
    assert {harmed for _, harmed in desk.partly} == {frozenset({"invention"})}


def test_a_part_that_knows_less_than_half_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(0.6, power=3)
    found = desk.examine(monkeypatch)
    assert (found.verdict.accepted, found.verdict.scale) == (False, 1.0)
    assert desk.whole == [1.0, 0.5625]


def test_where_every_part_harms_it_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(0.0)
    assert desk.examine(monkeypatch).verdict.scale == 1.0
    assert [scale for scale, _ in desk.partly] == [0.5, 0.25, 0.125, 0.0625]
    assert desk.whole == [1.0]


@pytest.mark.parametrize(("failed", "gated"), [("own", True), ("invention", False)])
def test_where_a_part_cannot_be_better_none_is_tried(
    monkeypatch: pytest.MonkeyPatch, failed: str, gated: bool
) -> None:
    desk = Desk(0.6, failed)
    assert desk.examine(monkeypatch, gated).verdict.scale == 1.0
    assert (desk.whole, desk.partly) == ([1.0], [])
