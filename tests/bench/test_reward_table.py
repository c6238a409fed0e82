"""The table of rewards, on trials made up so that one reward foretells and another does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.bench import reward_table, rewards
from selfedit.bench.learning import part_of
from selfedit.bench.rewards import BASE, CANDIDATE, FINAL, Reply, Tried
from selfedit.errors import UsageError


def replies(right: int, logprob: float) -> tuple[Reply, ...]:
    """Eight of people's probes, the first `right` pairs answered, and two of the model's own."""
    gold = [
        Reply(f"Question {n}?", f"thing {n}", "gold", f"thing {n}" if n // 2 < right else "nothing", logprob)
        for n in range(8)
    ]
    own = [Reply(f"Own {n}?", f"item {n}", "model", f"item {n}", -1.0) for n in range(2)]
    return (*gold, *own)


def trial(passage: str, edit: str, stage: str, seed: int, right: int, logprob: float) -> Tried:
    return Tried(
        f"key {passage}", passage, "Harbour", edit, stage, seed, 10, (4.0, 1.0, 2.0), replies(right, logprob)
    )


def trials() -> list[Tried]:
    """Edits whose likelihood at the trial seeds says how many answers the final adapter has right."""
    found: list[Tried] = []
    for at in range(6):
        found.append(trial(f"p{at}", "", BASE, 0, 0, -5.0))
        for right in range(4):
            edit = f"edit {right}"
            found += [trial(f"p{at}", edit, CANDIDATE, seed, 2, -4.0 + right + 0.01 * at) for seed in (0, 1)]
            found.append(trial(f"p{at}", edit, FINAL, 2, right, 0.0))
    return found


def rows() -> dict[tuple[str, str], dict[str, object]]:
    return {(row["chosen_by"], row["reward"]): row for row in reward_table.table(trials())}


def test_a_reward_that_foretells_is_seen_and_one_that_says_nothing_too() -> None:
    row = rows()["half of people's", "likelihood"]
    assert row["foretells"] == pytest.approx(1.0)
    assert row["repeats"] == pytest.approx(1.0)
    assert row["gain"] == pytest.approx(0.75 - 0.375)
    assert row["n_passages"] == 6
    assert row["n_edits"] == 24
    silent = rows()["half of people's", "concise"]
    assert silent["foretells"] is None
    assert silent["gain"] == pytest.approx(0.0)


def test_what_the_models_own_probes_say_is_told_apart() -> None:
    assert rows()["the model's own", "likelihood"]["foretells"] is None
    assert rows()["both", "likelihood"]["foretells"] == pytest.approx(1.0)


def test_a_reward_costs_what_it_asks_for() -> None:
    found = rows()
    assert found["both", "likelihood"]["seconds"] == pytest.approx(5.0)
    assert found["both", "concise"]["seconds"] == pytest.approx(6.0)
    assert found["both", "likelihood + concise"]["seconds"] == pytest.approx(7.0)


def test_an_edit_that_failed_is_left_out() -> None:
    held = trials()
    held = [
        replace(t, replies=(), failure="NaN") if t.edit == "edit 3" and t.stage == FINAL else t for t in held
    ]
    found = {(row["chosen_by"], row["reward"]): row for row in reward_table.table(held)}
    assert found["both", "likelihood"]["n_edits"] == 18


def test_the_table_is_told_in_markdown() -> None:
    text = reward_table.markdown(reward_table.table(trials()))
    assert "| both | likelihood | 5.0 | +1.00 [+1.00, +1.00] | +1.00" in text
    assert "| – |" in text


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    held = trials()
    rewards._write(tmp_path, held)  # pyright: ignore[reportPrivateUsage]
    assert sorted(map(repr, rewards.read(tmp_path))) == sorted(map(repr, held))


@pytest.mark.parametrize("part", ["2/2", "x", "0", "-1/2"])
def test_a_part_that_is_none_is_one_line(part: str) -> None:
    with pytest.raises(UsageError, match="say K/N"):
        part_of(part)
