"""Matrices and figures on numbers that were worked out by hand."""

from __future__ import annotations

import pytest

from selfedit.streaming import figures
from selfedit.streaming.figures import Grid

R = [
    [[0.9, 0.1, 0.0], [0.5, 0.8, 0.2], [0.3, 0.4, 1.0]],
    [[0.7, 0.3, 0.2], [0.5, 0.6, 0.2], [0.3, 0.2, 0.8]],
]
"""R[sequence][step][document]."""


def grid(values: list[list[list[float | None]]] = R, measure: figures.Measure = "concise") -> Grid:
    """The grid of one question a document."""
    cells = {
        (step, place): {
            number: [value] for number, r in enumerate(values) if (value := r[step][place]) is not None
        }
        for step in range(3)
        for place in range(3)
    }
    return Grid(3, {measure: cells})


def test_the_matrix_is_the_mean_over_sequences() -> None:
    wanted = [[0.8, 0.2, 0.1], [0.5, 0.7, 0.2], [0.3, 0.3, 0.9]]
    assert [list(row) for row in grid().matrix("concise")] == [pytest.approx(row) for row in wanted]
    assert grid().matrix("accuracy") == ((None,) * 3,) * 3


def test_a_document_counts_once_however_many_questions_it_has() -> None:
    cells = {(0, 0): {0: [1.0, 1.0, 1.0, 0.0], 1: [0.0]}}
    assert Grid(1, {"concise": cells}).matrix("concise") == ((0.375,),)


def test_just_learned_is_the_diagonal_and_after_last_the_last_row() -> None:
    assert figures.averages(grid().just_learned)["concise"].value == pytest.approx((0.8 + 0.7 + 0.9) / 3)
    assert figures.averages(grid().after_last)["concise"].value == pytest.approx((0.3 + 0.3 + 0.9) / 3)
    assert figures.averages(grid().just_learned)["accuracy"] == figures.Figure(None)


def test_kept_is_the_ratio_of_the_means_not_the_mean_of_ratios() -> None:
    found = figures.kept(grid(), Grid(3))["concise"]
    assert found.value == pytest.approx(1.5 / 2.4)
    assert found.ci95 is not None
    low, high = found.ci95
    assert 0.3 < low < 1.5 / 2.4 < high <= 1.0


def test_nothing_is_kept_of_nothing() -> None:
    nothing = grid([[[0.0] * 3] * 3])
    assert figures.kept(nothing, Grid(3))["concise"] == figures.Figure(None)


def test_of_log_probabilities_what_was_gained_over_the_base_is_kept() -> None:
    base = grid([[[None] * 3, [None] * 3, [0.1, 0.1, 0.1]]] * 2, "logprob")
    found = figures.kept(grid(measure="logprob"), base)["logprob"]
    assert found.value == pytest.approx((1.5 - 0.3) / (2.4 - 0.3))
    assert figures.kept(grid(), base)["logprob"] == figures.Figure(None)


def test_backward_transfer_leaves_the_last_document_out() -> None:
    found = figures.backward(grid())["concise"]
    assert found.value == pytest.approx(((0.3 - 0.8) + (0.3 - 0.7)) / 2)
    assert found.ci95 is not None
    assert found.ci95[1] <= -0.4 + 1e-9, "every document lost at least as much"


def test_forward_transfer_is_of_documents_just_before_they_are_learned() -> None:
    base = grid([[[None] * 3, [None] * 3, [0.05, 0.1, 0.1]]] * 2, "logprob")
    own = grid(measure="logprob")
    assert figures.forward(own, base)["logprob"].value == pytest.approx((0.2 + 0.2) / 2 - 0.1)


def test_differences_are_on_what_both_have() -> None:
    fewer = grid([[[None] * 3, [None] * 3, [0.1, None, 0.6]]])
    found = figures.differences(grid().after_last, fewer.after_last)["concise"]
    assert found.value == pytest.approx(((0.3 - 0.1) + (1.0 - 0.6)) / 2)
    assert figures.difference({"0.0": [1.0]}, {"0.1": [1.0]}) == figures.Figure(None)


def test_the_average_so_far_is_told_where_all_so_far_were_asked() -> None:
    assert figures.average_so_far(((0.8, None), (0.5, 0.7))) == pytest.approx((0.8, 0.6))
    assert figures.average_so_far(((0.8, None, None), (None, 0.7, None), (0.3, 0.6, 0.9))) == (
        0.8,
        None,
        pytest.approx(0.6),
    )
