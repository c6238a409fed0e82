"""What a generator of text tasks is, and how an instance is drawn of one. Knows nothing of any rule.

A generator draws a rule (its parameters) and then inputs; demonstrations and tests follow the same rule.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from random import Random
from typing import final

from selfedit.errors import UsageError
from selfedit.types import Example, FewShot, rng_for

DEMONSTRATIONS = 5
TESTS = 2
SIBLINGS = 32
"""Other rules of a generator that the demonstrations are held against."""
_MOST_DRAWS = 200


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """A generator with its parameters drawn. `solve` has an output for every input of the generator."""

    fresh: Callable[[Random], str]
    solve: Callable[[str], str]
    words: str
    """What the rule does."""


@final
@dataclass(frozen=True, slots=True)
class Generator:
    """A kind of task: `draw` picks one of its rules."""

    name: str
    draw: Callable[[Random], Rule]


def only(fresh: Callable[[Random], str], solve: Callable[[str], str], words: str) -> Callable[[Random], Rule]:
    """For a generator that has one rule."""
    rule = Rule(fresh, solve, words)
    return lambda rng: rule


def rule_of(generator: Generator, seed: int) -> Rule:
    """The rule that the instance of `seed` follows."""
    return generator.draw(rng_for("rule", generator.name, seed))


def instance(
    generator: Generator, seed: int, *, demonstrations: int = DEMONSTRATIONS, tests: int = TESTS
) -> FewShot[str]:
    """The task that the seed gives, the same on every machine.

    No input comes twice. The demonstrations change something and have more than one output, and whatever rule
    among `SIBLINGS` others of the generator fits them all gives the tests' outputs too. `UsageError` for
    numbers of examples for which that cannot be had.
    """
    rule = rule_of(generator, seed)
    rng = rng_for("inputs", generator.name, seed)
    siblings = [generator.draw(rng_for("sibling", generator.name, at)) for at in range(SIBLINGS)]
    for _ in range(_MOST_DRAWS):
        found = _examples(rule, rng, demonstrations + tests)
        shown, asked = found[:demonstrations], found[demonstrations:]
        if len(found) == demonstrations + tests and _telling(shown) and _settled(shown, asked, siblings):
            return FewShot(f"{generator.name}:{seed}", shown, asked, "generated")
    raise UsageError(
        f"{generator.name}: no {demonstrations} demonstrations and {tests} tests can be drawn that settle "
        "the rule; ask for 4 to 6 demonstrations and a few tests"
    )


def _examples(rule: Rule, rng: Random, count: int) -> tuple[Example[str], ...]:
    """As many of different inputs as `count`, fewer where the generator hardly has so many."""
    found: dict[str, Example[str]] = {}
    for _ in range(20 * count):
        text = rule.fresh(rng)
        output = rule.solve(text)
        if output and text not in found:
            found[text] = Example(text, output)
        if len(found) == count:
            break
    return tuple(found.values())


def _telling(shown: Items[Example[str]]) -> bool:
    changed = sum(example.input != example.output for example in shown)
    return 2 * changed > len(shown) and len({example.output for example in shown}) > 1


def _settled(shown: Items[Example[str]], asked: Items[Example[str]], siblings: Items[Rule]) -> bool:
    fitting = (rule for rule in siblings if all(rule.solve(e.input) == e.output for e in shown))
    return all(rule.solve(example.input) == example.output for rule in fitting for example in asked)
