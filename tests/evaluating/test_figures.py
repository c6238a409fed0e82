"""Graded lines → figures, against values worked out by hand."""

from __future__ import annotations

import pytest

from selfedit.evaluating.figures import TableRow, table
from selfedit.evaluating.study import Line
from selfedit.evaluating.verdicts import Graded
from selfedit.rewards import paired_interval
from selfedit.types import Failure, Probe, Task, Verdict

PROBES = (Probe("Who?", "Ann"), Probe("When?", "1990"), Probe("Where?", "Leith"), Probe("What?", "a bell"))
TASKS = [Task("T", f"Passage {n}.", PROBES[: n + 2]) for n in range(3)]


def line(
    task: Task, right: str, method: str = "base", seed: int | None = 0, failure: str | None = None
) -> Graded:
    """`right` has a letter a question: y right, n wrong, l right but long, ? no verdict."""
    texts = {"y": "short", "n": "short", "l": "long " * 20, "?": "short"}
    answers = () if failure else tuple(texts[each] for each in right)
    held = Line(
        method,
        task.id,
        seed,
        "key",
        answers,
        tuple(-1.0 - at for at in range(len(answers))),
        10,
        2.0,
        5.0,
        failure,
    )
    verdicts = tuple(
        Failure("grade", "gone") if each == "?" else Verdict(each in "yl", 0.5)
        for each in right[: len(answers)]
    )
    wrong = tuple(Verdict(False, 0.1) for _ in answers)
    return Graded(held, task, verdicts, wrong)


def only(*lines: Graded) -> TableRow:
    (row,) = table(lines, ["base"])
    return row


def test_passages_weigh_alike_however_many_questions_they_have() -> None:
    row = only(line(TASKS[0], "yy"), line(TASKS[1], "nnn"), line(TASKS[2], "ynnn"))
    assert row.accuracy == pytest.approx((1 + 0 + 0.25) / 3)
    assert (row.n, row.passages, row.seeds) == (9, 3, 1)
    assert row.mismatch == 0.0
    assert row.logprob == pytest.approx((-1.5 - 2.0 - 2.5) / 3)
    assert row.tokens == 30


def test_a_long_answer_is_right_and_not_concise() -> None:
    row = only(line(TASKS[0], "yl"))
    assert (row.accuracy, row.concise) == (1.0, 0.5)


def test_seeds_are_averaged_question_by_question_and_writing_counts_once() -> None:
    row = only(line(TASKS[0], "yn", seed=0), line(TASKS[0], "yy", seed=1))
    assert row.accuracy == 0.75
    assert row.n == 2
    assert row.seeds == 2
    assert row.seconds == 5.0 + 2 * 2.0


def test_a_failed_seed_leaves_the_other_as_it_is() -> None:
    row = only(line(TASKS[0], "yn", seed=0), line(TASKS[0], "", seed=1, failure="NaN"))
    assert row.accuracy == 0.5
    assert row.failures == 1


def test_an_answer_without_a_verdict_is_left_out_and_counted() -> None:
    row = only(line(TASKS[0], "y?"))
    assert (row.accuracy, row.n, row.failures) == (1.0, 1, 1)


def test_differences_are_paired_on_the_passages_that_both_have() -> None:
    base = [line(TASKS[0], "nn"), line(TASKS[1], "ynn"), line(TASKS[2], "yyyy")]
    other = [line(TASKS[0], "yn", "own"), line(TASKS[1], "yyy", "own")]
    first, second, third = table([*base, *other, line(TASKS[2], "nnnn", "last")], ["base", "own", "last"])
    assert first.against_base is None
    assert first.against_before is None
    assert second.against_base == pytest.approx((0.5 + 2 / 3) / 2)
    ours = {TASKS[0].id: [0.5], TASKS[1].id: [1.0]}
    theirs = {TASKS[0].id: [0.0], TASKS[1].id: [1 / 3]}
    assert second.against_base_ci95 == pytest.approx(paired_interval(ours, theirs, seed=0))
    assert third.against_base == -1.0
    assert third.against_before is None, "they have no passage in common"
    assert third.against_before_ci95 is None
