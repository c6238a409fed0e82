"""What is kept: hand-made cases, and what holds for any candidates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.errors import UsageError
from selfedit.select import Candidate, beating, best, distinct, means, shrunk
from selfedit.types import SelfEdit, Sequence

TWO_TASKS = [
    Candidate("t", "a", (0.2, 0.4)),
    Candidate("u", "b", (-9.0, -7.0)),
    Candidate("t", "c", (0.9, 0.7)),
    Candidate("t", "d", (0.8, 0.8)),
    Candidate("u", "e", (-3.0, -1.0)),
]


def edit(
    *lines: str | Sequence, task: str = "t", format: str = "notes", text: str = "", **settings: float
) -> SelfEdit:
    return SelfEdit(task, format, text, lines, settings)


def test_the_best_of_each_task_and_ties_to_the_first() -> None:
    assert best(TWO_TASKS, value=means) == {"t": ["c"], "u": ["e"]}
    assert best(TWO_TASKS) == {"t": ["c"], "u": ["e"]}
    assert best(list(reversed(TWO_TASKS)), value=means) == {"u": ["e"], "t": ["d"]}


def test_best_first_and_no_more_than_there_are() -> None:
    assert best(TWO_TASKS, keep=2) == {"t": ["c", "d"], "u": ["e", "b"]}
    assert best(TWO_TASKS, keep=9) == {"t": ["c", "d", "a"], "u": ["e", "b"]}
    assert best([]) == {}


def test_values_may_be_given() -> None:
    assert best(TWO_TASKS, value={"a": 3, "b": 2, "c": 1, "d": 0, "e": 0}) == {"t": ["a"], "u": ["b"]}
    with pytest.raises(UsageError, match="edit b has no value"):
        best(TWO_TASKS, value={"a": 3})


def test_one_lucky_seed_does_not_beat_three_good_ones() -> None:
    lucky = Candidate("t", "lucky", (1.0,))
    steady = Candidate("t", "steady", (0.9, 1.1, 0.97))
    others = [Candidate("t", f"o{i}", (0.1 * i, 0.5 - 0.1 * i, 0.2)) for i in range(4)]
    assert best([lucky, steady, *others], value=means) == {"t": ["lucky"]}
    assert best([lucky, steady, *others]) == {"t": ["steady"]}


def test_keep_is_at_least_one() -> None:
    with pytest.raises(UsageError, match="keep is 0"):
        best(TWO_TASKS, keep=0)


def test_only_what_beats_its_own_floor() -> None:
    floors = {"t": 0.8, "u": -5.0}
    assert [c.edit for c in beating(TWO_TASKS, floors, value=means)] == ["e"]
    assert [c.edit for c in beating(TWO_TASKS, {"t": 0.75, "u": 0.0}, value=means)] == ["c", "d"]
    assert [c.edit for c in beating(TWO_TASKS, floors, margin=-0.2, value=means)] == ["c", "d", "e"]
    assert [c.edit for c in beating(TWO_TASKS, floors, margin=4.0, value=means)] == []


def test_luck_does_not_beat_a_floor() -> None:
    noisy = [
        Candidate("t", name, row) for name, row in {"a": (1.0, 0.0), "b": (0.0, 0.9), "c": (0.9, 0.5)}.items()
    ]
    assert [c.edit for c in beating(noisy, {"t": 0.65}, value=means)] == ["c"]
    assert beating(noisy, {"t": 0.65}) == []


def test_a_task_without_a_floor_is_refused() -> None:
    with pytest.raises(UsageError, match="task u has no floor"):
        beating(TWO_TASKS, {"t": 0.0})


@given(
    st.lists(st.lists(st.floats(-9, 9), min_size=2, max_size=2), min_size=1, max_size=6),
    st.floats(-9, 9),
    st.floats(0, 3),
)
def test_what_is_kept_is_above_and_what_is_not_is_not(
    rows: list[list[float]], floor: float, margin: float
) -> None:
    candidates = [Candidate("t", str(i), tuple(row)) for i, row in enumerate(rows)]
    values = shrunk(candidates)
    kept = beating(candidates, {"t": floor}, margin, values)
    assert kept == [c for c in candidates if c in kept]
    assert all((values[c.edit] > floor + margin) == (c in kept) for c in candidates)
    assert best(kept, value=values).get("t", []) == (best(candidates)["t"] if kept else [])


def test_order_case_space_and_repeats_make_no_difference() -> None:
    first = edit("Rome fell.", "It was  476.", text="as written")
    same = [
        edit("It was 476.", "Rome fell."),
        edit(" rome FELL.", "it was\n476. "),
        edit("Rome fell.", "It was 476.", "rome fell."),
    ]
    assert distinct([first, *same]) == [first]
    assert distinct([same[0], first]) == [same[0]]


def test_pairs_are_compared_side_by_side() -> None:
    first = edit(Sequence("Q: when?", "476"), Sequence("Q: who?", "Odoacer"))
    assert distinct([first, edit(Sequence("q:  WHO?", "odoacer "), Sequence("Q: when?", "476"))]) == [first]
    others = [
        edit(Sequence("Q: when?", "Odoacer"), Sequence("Q: who?", "476")),
        edit(Sequence("Q: when?", "476"), Sequence("Q: who?", "Odoacer", weight=0.5)),
        edit("Q: when? 476", "Q: who? Odoacer"),
    ]
    assert distinct([first, *others]) == [first, *others]


def test_other_tasks_formats_settings_and_words_stay() -> None:
    kept = [
        edit("Rome fell."),
        edit("Rome fell.", task="u"),
        edit("Rome fell.", format="rewrite"),
        edit("Rome fell.", learning_rate=0.1),
        edit("Rome fell.", learning_rate=0.2),
        edit("Rome fell", "."),
        edit(),
    ]
    assert distinct([*kept, *kept]) == kept


@given(st.lists(st.lists(st.sampled_from(["a", "A", "b ", " b", "c"]), max_size=3), max_size=8))
def test_what_is_dropped_has_an_equal_before_it(rows: list[list[str]]) -> None:
    edits = [edit(*row, text=str(i)) for i, row in enumerate(rows)]
    kept = distinct(edits)
    assert distinct(kept) == kept
    sets = [{line.strip().lower() for line in row} for row in rows]
    assert kept == [e for i, e in enumerate(edits) if sets[i] not in sets[:i]]
