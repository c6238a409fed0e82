"""Configurations: found anywhere, clamped, constrained by a grammar, told apart, and turned into rows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.edits import EditFormat, format_of
from selfedit.edits.few_shot import (
    BOUNDS,
    GRIDS,
    TEXTS,
    FewShotFormat,
    configuration,
    text_format,
    to_resample,
)
from selfedit.types import Failure, FewShot, Grid, SelfEdit, Sequence, TrainingPlan

from .demonstrated import BACKWARDS, MIRROR, MOODS

VALID = (
    '{"basic": true, "size": false, "chain": false, "repeat": true, '
    '"loss": "output", "learning_rate": 0.0003, "epochs": 4}'
)
PICKED = {
    "basic": True,
    "size": False,
    "chain": False,
    "repeat": True,
    "loss": "output",
    "learning_rate": 0.0003,
    "epochs": 4,
}
OFFICIAL = json.dumps(
    {
        "data_generation": {
            "use_basic_augmentations": True,
            "use_size_augmentations": False,
            "use_chain_augmentations": False,
            "use_repeat_augmentations": True,
        },
        "training": {
            "strategy": "train_using_output_tokens",
            "learning_rate": 3e-4,
            "num_train_epochs": 4,
        },
    }
)


def edit_of(text: str) -> SelfEdit:
    found = GRIDS.parse(MIRROR, text)
    assert isinstance(found, SelfEdit), found
    return found


@pytest.mark.parametrize(
    "text", [VALID, f"Sure!\n```json\n{VALID}\n```\nDone.", f"{{x}} {{}} [{VALID}] {{", OFFICIAL]
)
def test_found_in_prose_fences_and_the_official_layout(text: str) -> None:
    edit = edit_of(text)
    assert edit.settings == PICKED
    assert (edit.task, edit.format, edit.text, edit.lines) == (MIRROR.id, "few-shot", text, ())


@pytest.mark.parametrize(
    "text", ["", "no plan", "{", '{"name": 1}', "[" * 99_999, '{"tools": ["basic"]}', "\ud800"]
)
def test_nothing_usable_is_a_failure(text: str) -> None:
    assert isinstance(GRIDS.parse(MIRROR, text), Failure)


def test_an_echo_of_the_prompt_is_no_answer() -> None:
    for chat in (True, False):
        prompt = GRIDS.prompt(MIRROR, chat=chat)
        text = prompt if isinstance(prompt, str) else prompt[0]["content"]
        assert isinstance(GRIDS.parse(MIRROR, text), Failure)
        assert edit_of(text + VALID).settings == PICKED


@pytest.mark.parametrize(
    ("value", "epochs"),
    [("1000", 20), ("-3", 1), ("4.6", 5), ('"7"', 7), ("NaN", 2), ("true", 2), ("null", 2), ("1e400", 2)],
)
def test_numbers_are_clamped_or_left_at_their_default(value: str, epochs: int) -> None:
    assert edit_of(f'{{"basic": true, "epochs": {value}}}').settings["epochs"] == epochs


@pytest.mark.parametrize(
    ("value", "loss"),
    [('"all"', "all"), ('"all tokens"', "all"), ('"train_using_output_tokens"', "output"), ("7", "output")],
)
def test_the_loss_is_one_of_two(value: str, loss: str) -> None:
    assert edit_of(f'{{"loss": {value}}}').settings["loss"] == loss


@pytest.mark.parametrize(
    ("value", "on"),
    [("true", True), ('"yes"', True), ("false", False), ('"no"', False), ("1", False), ("null", False)],
)
def test_a_switch_is_on_only_where_it_says_so(value: str, on: bool) -> None:
    assert edit_of(f'{{"chain": {value}}}').settings["chain"] is on


@pytest.mark.parametrize("form", [GRIDS, TEXTS, text_format(str.upper, paraphrases=True)])
def test_what_the_grammar_allows_is_valid_as_it_stands(form: FewShotFormat[Any]) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.from_regex(form.grammar, fullmatch=True))
    def check(text: str) -> None:
        edit = form.parse(BACKWARDS, text)
        assert isinstance(edit, SelfEdit)
        assert edit.settings == json.loads(text)
        for name, (low, high) in BOUNDS.items():
            assert low <= edit.settings[name] <= high

    check()


def test_the_grammar_can_be_followed_character_by_character() -> None:
    pattern = regex.compile(GRIDS.grammar)
    assert pattern.fullmatch(VALID)
    assert all(pattern.fullmatch(VALID[:end], partial=True) for end in range(len(VALID)))
    assert not pattern.fullmatch(VALID.replace('": 4', '": 21'), partial=True)
    assert all(pattern.fullmatch(VALID.replace('": 4', f'": {epochs}')) for epochs in range(1, 21))


@settings(max_examples=60, deadline=None)
@given(st.text() | st.dictionaries(st.sampled_from([*PICKED, "strategy"]), st.floats() | st.text()).map(str))
def test_parsing_is_total_and_complete(text: str) -> None:
    found = GRIDS.parse(MIRROR, text)
    assert isinstance(found, Failure) or found.settings.keys() == PICKED.keys()


def test_the_prompt_shows_demonstrations_and_switches_but_no_test() -> None:
    chat, plain = GRIDS.prompt(MIRROR, chat=True), GRIDS.prompt(MIRROR, chat=False)
    assert isinstance(plain, str)
    for text in (chat[0]["content"] if not isinstance(chat, str) else "", plain):
        assert "Input:\n4 4 0\nOutput:\n0 4 4" in text
        assert "7 8 0" not in text
        assert all(f"{tool}" in text for tool in ("basic", "size", "chain", "repeat", "learning_rate"))
    assert plain.endswith("\n")
    assert "labels" in TEXTS.prompt(MOODS, chat=True)[0]["content"]  # type: ignore[index]


def test_it_is_an_edit_format_as_those_of_passages_are() -> None:
    grids: EditFormat[FewShot[Grid]] = format_of("arc")
    texts: EditFormat[FewShot[str]] = format_of("text")
    assert grids.name == texts.name == "few-shot"
    assert grids.grammar != texts.grammar


def test_rows_are_a_training_plans_sequences() -> None:
    edit = edit_of(VALID)
    rows = GRIDS.sequences(MIRROR, edit)
    assert len(rows) == 3 * (2 + 11 + 3)
    assert all(isinstance(row, Sequence) for row in rows)
    plan = TrainingPlan(rows, learning_rate=edit.settings["learning_rate"], epochs=edit.settings["epochs"])
    assert plan.epochs == 4
    whole = GRIDS.sequences(MIRROR, edit_of(VALID.replace('"output"', '"all"')))
    assert whole == tuple(row.prompt + row.completion for row in rows if isinstance(row, Sequence))
    assert not any("7 8 0" in row for row in whole if isinstance(row, str))


def test_rows_do_not_depend_on_the_tests() -> None:
    other = replace(MIRROR, tests=())
    assert other.id != MIRROR.id
    edit = edit_of(VALID)
    assert GRIDS.sequences(other, edit, most_steps=20) == GRIDS.sequences(MIRROR, edit, most_steps=20)


def test_more_variants_with_every_switch() -> None:
    counts = [
        len(TEXTS.sequences(MOODS, _edit(TEXTS, MOODS, **{tool: True}))) for tool in ("reorder", "labels")
    ]
    assert min(counts) > len(TEXTS.sequences(MOODS, _edit(TEXTS, MOODS))) == 5


def _edit(form: FewShotFormat[str], task: FewShot[str], **picked: Any) -> SelfEdit:
    edit = form.parse(task, json.dumps({"epochs": 1, **picked}))
    assert isinstance(edit, SelfEdit)
    return edit


@pytest.mark.parametrize(
    ("epochs", "batch", "most"), [(1, 2, 375), (20, 2, 375), (20, 1, 48), (7, 4, 10), (5, 2, 3)]
)
def test_steps_stay_within_the_bound(epochs: int, batch: int, most: int) -> None:
    text = json.dumps({**PICKED, "size": True, "chain": True, "epochs": epochs})
    edit = edit_of(text)
    rows = GRIDS.sequences(MIRROR, edit, batch_size=batch, most_steps=most, seed=1)
    plan = TrainingPlan(rows, epochs=epochs, batch_size=batch)
    assert plan.steps <= max(most, epochs)
    assert rows == GRIDS.sequences(MIRROR, edit, batch_size=batch, most_steps=most, seed=1)
    every = GRIDS.sequences(MIRROR, edit, batch_size=batch, most_steps=10**6, seed=1)
    assert list(rows) == [row for row in every if row in rows]
    assert plan.steps > most - epochs or rows == every


def test_equal_configurations_are_recognised() -> None:
    other = edit_of(VALID.replace("0.0003", "3e-4") + "\nbecause")
    assert configuration(edit_of(VALID)) == configuration(other)
    assert edit_of(VALID).id != other.id
    assert configuration(edit_of(VALID)) != configuration(edit_of(VALID.replace("4}", "5}")))


def test_later_duplicates_are_sampled_again_up_to_a_limit() -> None:
    a, b = edit_of(VALID), edit_of(VALID.replace("4}", "5}"))
    edits = [a, Failure("parse", "x"), b, a, Failure("parse", "x"), a, b]
    assert to_resample(edits) == (3, 5, 6)
    assert to_resample([a, b]) == ()
    assert to_resample(edits, attempt=2, most=3) == (3, 5, 6)
    assert to_resample(edits, attempt=3, most=3) == ()
