"""Agreement with given verdicts, against cases worked by hand and the definitions written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.rewards.agreement import Agreement, Judged, agreement
from selfedit.types import Failure, Verdict

DOWN = Failure("grade", "the judge is down")


def judged(both: int, ours: int, theirs: int, neither: int, group: str = "") -> list[Judged]:
    """So many rows that are correct by both, by the grader alone, by the given verdicts alone, by neither."""
    cells = ((True, True, both), (True, False, ours), (False, True, theirs), (False, False, neither))
    return [
        Judged(Verdict(said, float(said)), correct, group) for said, correct, n in cells for _ in range(n)
    ]


def test_a_case_worked_by_hand() -> None:
    # 100 rows: agreed 0.7; by chance (50 · 60 + 50 · 40) / 100² = 0.5; kappa = 0.2 / 0.5.
    found = agreement(judged(40, 10, 20, 30))
    assert found.rows == 100
    assert found.agreement == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.precision == pytest.approx(40 / 50)
    assert found.recall == pytest.approx(40 / 60)
    assert found.brier == pytest.approx(0.3)


def test_without_rows_there_are_no_figures() -> None:
    nothing = Agreement(0, 0, 0, None, None, None, None, None, None, None, None)
    assert agreement([]) == nothing
    assert agreement([Judged(DOWN, True, "a")]) == replace(nothing, failures=1)


def test_failures_are_left_out_and_counted() -> None:
    rows = judged(4, 1, 2, 3)
    assert agreement([*rows, *(Judged(DOWN, True) for _ in range(5))]) == replace(agreement(rows), failures=5)


@pytest.mark.parametrize(
    ("counts", "kappa", "precision", "recall"),
    [
        ((5, 0, 0, 0), None, 1.0, 1.0),
        ((0, 0, 0, 5), None, None, None),
        ((0, 5, 0, 0), 0.0, 0.0, None),
        ((3, 0, 0, 3), 1.0, 1.0, 1.0),
        ((0, 3, 3, 0), -1.0, 0.0, 0.0),
    ],
)
def test_at_the_edges(
    counts: tuple[int, int, int, int], kappa: float | None, precision: float | None, recall: float | None
) -> None:
    found = agreement(judged(*counts))
    assert (found.kappa, found.precision, found.recall) == (kappa, precision, recall)


def scored(*rows: tuple[float, bool]) -> list[Judged]:
    return [Judged(Verdict(score >= 0.5, score), correct) for score, correct in rows]


def test_calibration_by_hand() -> None:
    # Bin 0: mean score 0.05, none correct; bin 9: mean 0.95, one of two correct: (2 · 0.05 + 2 · 0.45) / 4.
    found = agreement(scored((0.0, False), (0.1 - 1e-9, False), (0.9, True), (1.0, False)))
    assert found.calibration_error == pytest.approx(0.25)
    assert found.brier == pytest.approx((0 + 0.01 + 0.01 + 1) / 4)


def test_scores_that_keep_their_promise_are_calibrated() -> None:
    rows = [(share / 10 + 0.05, at < share * 10 + 5) for share in range(10) for at in range(100)]
    assert agreement(scored(*rows)).calibration_error == pytest.approx(0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_figures_are_shares_whatever_the_order(rows: list[tuple[float, bool]]) -> None:
    found = agreement(scored(*rows))
    assert found.agreement == pytest.approx(sum((s >= 0.5) == c for s, c in rows) / len(rows))
    assert found.brier == pytest.approx(sum((s - c) ** 2 for s, c in rows) / len(rows))
    assert 0 <= (found.calibration_error or 0) <= 1
    assert found.kappa is None or -1 <= found.kappa <= 1
    again = agreement(scored(*reversed(rows)))
    assert again.calibration_error == pytest.approx(found.calibration_error)
    assert replace(again, calibration_error=None, brier=None) == replace(
        found, calibration_error=None, brier=None
    )


def test_intervals_are_over_groups() -> None:
    rows = [row for at in range(30) for row in judged(10, at % 4, (at + 1) % 3, 10, f"title {at}")]
    found = agreement(rows)
    assert found.groups == 30
    assert found.agreement_ci95 is not None
    assert found.kappa_ci95 is not None
    for value, (low, high) in ((found.agreement, found.agreement_ci95), (found.kappa, found.kappa_ci95)):
        assert value is not None
        assert low < value < high
    assert agreement(reversed(rows)) == found
    assert agreement(rows, seed=1).kappa_ci95 != found.kappa_ci95


def test_rows_of_one_group_move_together() -> None:
    """The same rows in few groups say less than in many."""
    right, wrong = judged(50, 0, 0, 50), judged(0, 50, 50, 0)
    rows = [*right, *wrong[:20]]
    wide = agreement([replace(row, group=str(at // 12)) for at, row in enumerate(rows)]).agreement_ci95
    near = agreement([replace(row, group=str(at)) for at, row in enumerate(rows)]).agreement_ci95
    assert wide is not None
    assert near is not None
    assert wide[1] - wide[0] > 1.5 * (near[1] - near[0])


def test_without_groups_there_is_no_interval() -> None:
    assert agreement(judged(3, 1, 1, 3)).agreement_ci95 is None
    assert agreement(judged(3, 1, 1, 3, "one")).agreement_ci95 is None
    assert agreement([*judged(3, 1, 1, 3, "one"), *judged(1, 0, 0, 1)]).agreement_ci95 is None


def test_as_json_holds_every_figure() -> None:
    found = agreement(judged(3, 1, 1, 3, "a") + judged(3, 0, 1, 3, "b")).as_json()
    assert found["rows"] == 15
    assert all(math.isfinite(found[name]) for name in ("agreement", "kappa", "calibration_error", "brier"))
    assert len(found["kappa_ci95"]) == 2
