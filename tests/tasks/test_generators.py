"""Generated tasks: the same everywhere, right by an oracle, without leaks, settled by what they show."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from selfedit.errors import UsageError
from selfedit.tasks.generators import BUILD, FAMILIES, GENERATORS, REPORT, instance
from selfedit.tasks.generators._core import SIBLINGS, rule_of
from selfedit.tasks.generators._words import KINDS, WORDS
from selfedit.types import Example, FewShot, content_hash, rng_for

from .oracles import DIVISIONS, ORACLES

SEEDS = range(12)
each_generator = pytest.mark.parametrize("name", list(GENERATORS))


def examples(task: FewShot[str]) -> tuple[Example[str], ...]:
    return (*task.demonstrations, *task.tests)


def test_there_are_enough_in_families_of_eight() -> None:
    assert len(GENERATORS) == 56 == sum(map(len, FAMILIES.values()))
    assert {len(family) for family in FAMILIES.values()} == {8}


def test_the_split_is_the_draw_that_it_says() -> None:
    drawn = [
        name
        for family, members in FAMILIES.items()
        for name in rng_for("few-shot split", family).sample([member.name for member in members], 3)
    ]
    assert list(REPORT) == drawn
    assert set(BUILD) | set(REPORT) == set(GENERATORS)
    assert not set(BUILD) & set(REPORT)
    assert (len(BUILD), len(REPORT)) == (35, 21)


def test_instances_never_change() -> None:
    """Figures are compared over versions: whoever changes a generator gives it another name."""
    made = [[instance(name, seed).id for seed in range(3)] for name in GENERATORS]
    assert content_hash(made) == PINNED


@each_generator
def test_an_instance_is_its_seeds(name: str) -> None:
    tasks = [instance(name, seed) for seed in SEEDS]
    assert tasks == [instance(name, seed) for seed in SEEDS]
    assert len({task.id for task in tasks}) == len(SEEDS)
    assert len({task.demonstrations for task in tasks}) == len(SEEDS)
    assert tasks[3].name == f"{name}:3"
    assert all((len(task.demonstrations), len(task.tests)) == (5, 2) for task in tasks)


@each_generator
def test_no_test_was_demonstrated(name: str) -> None:
    for seed in SEEDS:
        inputs = [example.input for example in examples(instance(name, seed))]
        assert len(set(inputs)) == len(inputs) == 7


@each_generator
def test_texts_are_short_lines_without_space_around(name: str) -> None:
    for seed in SEEDS:
        for example in examples(instance(name, seed)):
            for text in (example.input, example.output):
                assert text == text.strip()
                assert 1 <= len(text) <= 60
                assert text.isprintable()


@each_generator
def test_demonstrations_tell_something(name: str) -> None:
    for seed in SEEDS:
        shown = instance(name, seed).demonstrations
        assert len({example.output for example in shown}) > 1
        assert sum(example.input != example.output for example in shown) > len(shown) / 2


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_outputs_are_an_oracles(name: str) -> None:
    fitting: set[int] = set()
    for seed in SEEDS:
        found = [
            at
            for at, solve in enumerate(ORACLES[name])
            if all(solve(example.input) == example.output for example in examples(instance(name, seed)))
        ]
        assert found, examples(instance(name, seed))
        fitting |= set(found)
    assert len(fitting) > 1 or len(ORACLES[name]) == 1, "one rule all the time"


@pytest.mark.parametrize("name", sorted(DIVISIONS))
def test_labels_divide_as_an_oracle_does(name: str) -> None:
    for seed in SEEDS:
        pairs = examples(instance(name, seed))
        assert any(
            len({(divide(example.input), example.output) for example in pairs}) == 2
            for divide in DIVISIONS[name]
        ), pairs


def test_kinds_of_words_are_labelled_alike() -> None:
    kinds = {word: kind for kind, words in KINDS.items() for word in words}
    for seed in SEEDS:
        pairs = {(kinds[e.input], e.output) for e in examples(instance("kind-of-word", seed))}
        assert len(pairs) == len(dict(pairs)) == 2


def test_every_generator_has_an_oracle() -> None:
    assert {*ORACLES, *DIVISIONS, "kind-of-word"} == set(GENERATORS)


@each_generator
def test_sibling_rules_that_fit_agree_on_the_tests(name: str) -> None:
    """Also with other siblings than those that the instance was drawn against, nearly always."""
    others = [GENERATORS[name].draw(rng_for("other sibling", at)) for at in range(SIBLINGS)]
    unsettled = 0
    for seed in SEEDS:
        task = instance(name, seed)
        fitting = [rule for rule in others if _fits(rule.solve, task.demonstrations)]
        unsettled += any(not _fits(rule.solve, task.tests) for rule in fitting)
    assert unsettled <= 1


def _fits(solve: object, pairs: tuple[Example[str], ...]) -> bool:
    assert callable(solve)
    return all(solve(example.input) == example.output for example in pairs)


@each_generator
def test_rules_say_what_they_do_and_differ_by_seed_or_never(name: str) -> None:
    words = {rule_of(GENERATORS[name], seed).words for seed in range(20)}
    assert all(words)
    one_rule = {"backwards", "swap-ends", "reverse-words", "word-lengths", "running-total", "first-of-each"}
    one_rule |= {"heat", "clock", "roman", "spelled", "date-to-iso", "half-day-clock"}
    assert (len(words) == 1) == (name in one_rule)


def test_words_are_different_and_plain() -> None:
    assert len(set(WORDS)) == len(WORDS) == 5 * 24
    assert all(word.isascii() and word.islower() and 4 <= len(word) <= 9 for word in WORDS)
    assert {len(words) for words in KINDS.values()} == {24}


def test_as_many_examples_as_asked_for() -> None:
    for name in islice(GENERATORS, 0, None, 7):
        task = instance(name, 1, demonstrations=3, tests=4)
        assert (len(task.demonstrations), len(task.tests)) == (3, 4)
    assert all(a.id != b.id for a, b in pairwise(instance("roman", seed) for seed in range(5)))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of backwards, "):
        instance("juggling", 1)
    with pytest.raises(UsageError, match="ask for 4 to 6"):
        instance("weekday", 1, demonstrations=30)


PINNED = "9581f400cee07896aa214085633c76a3dd1a685189a88fee67bf02d1812fd6c9"
