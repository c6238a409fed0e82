"""Text tasks in other words: bijections, labels, numbers by the user's rule, and the paraphrase hook."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.rewording import (
    COPIES,
    MOST_LABELS,
    VERBALISERS,
    alphabet,
    jittered,
    labels,
    paraphrase_prompts,
    paraphrased,
    parse_paraphrases,
    relabelled,
    rename,
    renamed,
    renaming,
    text_variants,
    unrenaming,
)
from selfedit.errors import UsageError
from selfedit.types import Example, FewShot

from .demonstrated import BACKWARDS, MOODS

COLOURS: FewShot[str] = FewShot(
    "last word",
    (
        Example("red blue red", "red"),
        Example("blue green 7", "7"),
        Example("green red blue", "blue"),
        Example("red green 12", "12"),
    ),
    (Example("blue red green", "green"),),
)
SUMS: FewShot[str] = FewShot(
    "sums",
    (Example("2 + 3", "5"), Example("10 + 45", "55"), Example("7 + 7", "14")),
    (Example("1 + 1", "2"),),
)


def add(text: str) -> str | None:
    left, _, right = text.partition(" + ")
    return str(int(left) + int(right))


def test_symbols_are_letters_and_digits_or_words() -> None:
    letters, digits = alphabet(BACKWARDS)
    assert letters == tuple(sorted(set("abcdoglevlxstonen")))
    assert digits == ("1", "2", "9")
    assert alphabet(COLOURS) == (("blue", "green", "red"), ("12", "7"))


@given(st.text(), st.lists(st.text(), min_size=1, max_size=4), st.integers(0, 99))
def test_renaming_is_a_bijection(text: str, others: list[str], seed: int) -> None:
    task = FewShot("any", tuple(Example(other, text) for other in others), ())
    new = renaming(task, seed)
    assert sorted(new) == sorted(new.values())
    for each in (text, *others):
        assert rename(rename(each, new), unrenaming(new)) == each


@pytest.mark.parametrize("seed", range(8))
def test_renaming_keeps_a_rule_about_symbols(seed: int) -> None:
    changed = renamed(BACKWARDS, seed)
    assert changed is not None
    assert all(example.output == example.input[::-1] for example in (*changed.demonstrations, *changed.tests))
    words = renamed(COLOURS, seed)
    assert words is not None
    assert all(example.output == example.input.split()[-1] for example in words.demonstrations)


def test_capitals_stay_where_they_were() -> None:
    new = {"d": "k", "o": "d", "g": "o", "k": "g"}
    assert rename("Dog", new) == "Kdo"
    assert rename("ıİß", {"i": "a", "a": "i"}) == "ıİß"


def test_labels_are_few_and_not_in_their_inputs() -> None:
    assert labels(MOODS) == ("good", "bad")
    assert labels(BACKWARDS) == ()
    assert labels(COLOURS) == ()
    assert labels(replace(MOODS, tests=(Example("so so", "neither"),))) == ()
    inside = Example("good grief", "good")
    assert labels(replace(MOODS, demonstrations=(*MOODS.demonstrations, inside))) == ()
    part = Example("a badge for all", "bad")
    assert labels(replace(MOODS, demonstrations=(*MOODS.demonstrations, part))) == ("good", "bad")


@pytest.mark.parametrize("seed", range(8))
def test_labels_are_swapped_alike_everywhere(seed: int) -> None:
    changed = relabelled(MOODS, seed)
    assert changed is not None
    pairs = {
        (old.output, new.output)
        for old, new in zip(
            (*MOODS.demonstrations, *MOODS.tests), (*changed.demonstrations, *changed.tests), strict=True
        )
    }
    assert len(pairs) == len(dict(pairs)) == len({new for _, new in pairs}) == 2
    assert any({new for _, new in pairs} <= set(words) for words in VERBALISERS)
    assert relabelled(BACKWARDS, seed) is None


def test_verbalisers_are_enough_and_different() -> None:
    assert all(len(set(words)) == MOST_LABELS for words in VERBALISERS)


@pytest.mark.parametrize("seed", range(8))
def test_numbers_change_and_outputs_follow(seed: int) -> None:
    changed = jittered(SUMS, add, seed)
    assert changed is not None
    assert changed != SUMS
    for old, new in zip(SUMS.demonstrations, changed.demonstrations, strict=True):
        assert new.output == add(new.input)
        assert [len(part) for part in new.input.split()] == [len(part) for part in old.input.split()]
    assert jittered(MOODS, add, seed) is None
    assert jittered(SUMS, lambda text: None, seed) is None


def test_a_rule_that_contradicts_the_demonstrations_is_refused() -> None:
    with pytest.raises(UsageError, match=r"demonstration 1 in place of '5'"):
        text_variants(SUMS, ["jitter"], solve=lambda text: "6")


@pytest.mark.parametrize("tool", ["jitter", "juggle"])
def test_a_tool_without_what_it_needs_is_refused(tool: str) -> None:
    with pytest.raises(UsageError, match=tool):
        text_variants(SUMS, [tool])


def test_paraphrases_come_from_a_prompt_and_a_parser() -> None:
    prompts = paraphrase_prompts(MOODS)
    assert len(prompts) == 5
    assert all(e.input in prompt for e, prompt in zip(MOODS.demonstrations, prompts, strict=True))
    written = [" A beautiful day beside the sea.\nMore", "", "nobody came to help us", "x", "words " * 40]
    others = parse_paraphrases(MOODS, written)
    assert others == {"a lovely day at the sea": "A beautiful day beside the sea."}
    told = replace(MOODS, paraphrases=tuple(others.items()))
    assert told.id == MOODS.id
    changed = paraphrased(told)
    assert changed is not None
    assert changed.demonstrations[0] == Example("A beautiful day beside the sea.", "good")
    assert changed.demonstrations[1:] == MOODS.demonstrations[1:]
    assert paraphrased(MOODS) is None
    assert paraphrased(replace(BACKWARDS, paraphrases=told.paraphrases)) is None
    more = {each.id for each in text_variants(told, ["paraphrase"])} - {
        each.id for each in text_variants(told)
    }
    assert len(more) == 5, "in each variant it is shown or asked for"


def test_each_tool_adds_and_none_repeats() -> None:
    plain = text_variants(MOODS)
    assert len(plain) == 5
    for tool in ("reorder", "rename", "labels"):
        found = text_variants(MOODS, [tool], seed=1)
        assert found == text_variants(MOODS, [tool], seed=1)
        assert len(set(found)) == len(found)
        assert len(plain) < len(found) <= len(plain) * (1 + COPIES)
    assert text_variants(BACKWARDS, ["labels"]) == text_variants(BACKWARDS)
