"""Operations on lists of whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from random import Random

from selfedit.tasks.generators._core import Generator, Rule, only
from selfedit.tasks.generators._words import different_numbers, numbers


def _on(change: Callable[[list[int]], Iterable[int]]) -> Callable[[str], str]:
    return lambda text: " ".join(str(number) for number in change([int(part) for part in text.split()]))


def _few(rng: Random) -> str:
    """With repeats, and each number written once at least."""
    return numbers(rng, (5, 7), 1, 5)


def _sort(rng: Random) -> Rule:
    down = rng.random() < 0.5
    return Rule(
        different_numbers, _on(lambda found: sorted(found, reverse=down)), "downwards" if down else "upwards"
    )


def _add(rng: Random) -> Rule:
    by = rng.choice((-3, -2, -1, 1, 2, 3, 5, 10))
    return Rule(numbers, _on(lambda found: (number + by for number in found)), f"{by:+d} to each")


def _keep(rng: Random) -> Rule:
    what = rng.choice(("even", "odd", "above 15", "below 15"))

    def kept(number: int) -> bool:
        return {"even": number % 2 == 0, "odd": number % 2 == 1}.get(
            what, number > 15 if what == "above 15" else number < 15
        )

    return Rule(numbers, _on(lambda found: filter(kept, found)), f"those that are {what}")


_ONE: Mapping[str, Callable[[list[int]], int]] = {
    "greatest": max,
    "least": min,
    "sum": sum,
    "count": len,
    "spread": lambda found: max(found) - min(found),
}


def _one_of(rng: Random) -> Rule:
    name = rng.choice(tuple(_ONE))
    return Rule(different_numbers, _on(lambda found: [_ONE[name](found)]), f"the {name} of them")


def _part(rng: Random) -> Rule:
    count, end = rng.randint(1, 3), rng.random() < 0.5
    return Rule(
        different_numbers,
        _on(lambda found: found[-count:] if end else found[:count]),
        f"the {'last' if end else 'first'} {count}",
    )


def _rotate(rng: Random) -> Rule:
    by = rng.choice((1, 2, -1, -2))
    return Rule(
        different_numbers, _on(lambda found: found[by:] + found[:by]), f"moved {by} places to the left"
    )


GENERATORS = (
    Generator("sort-numbers", _sort),
    Generator("add-to-each", _add),
    Generator("keep-some", _keep),
    Generator("one-of-many", _one_of),
    Generator("part-of-list", _part),
    Generator("rotate-list", _rotate),
    Generator("running-total", only(numbers, _on(accumulate), "each number with all before it added")),
    Generator("first-of-each", only(_few, _on(dict.fromkeys), "without what came before")),
)
