"""Records: fields picked out, put together and laid out anew."""

from __future__ import annotations

from random import Random

from selfedit.tasks.generators._core import Generator, Rule
from selfedit.tasks.generators._words import FIRST, full_name, listed, word, words

_CITIES = listed("Ankara Bergen Cardiff Dresden Erfurt Florence Ghent Halifax Izmir Leipzig")


def _person(rng: Random) -> str:
    return f"name={rng.choice(FIRST)}; age={rng.randint(18, 90)}; city={rng.choice(_CITIES)}"


def _fields(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split("; "))


def _field(rng: Random) -> Rule:
    name = rng.choice(("name", "age", "city"))
    return Rule(_person, lambda text: _fields(text)[name], f"the {name}")


def _sentence(rng: Random) -> Rule:
    layout = rng.choice(
        (
            "{name} ({age}) lives in {city}.",
            "{city}: {name}, {age}",
            "{name} from {city} is {age}.",
            "{age}, {city}, {name}",
        )
    )
    return Rule(_person, lambda text: layout.format(**_fields(text)), f"as {layout!r}")


def _name(rng: Random) -> Rule:
    layout = rng.choice(("{l}, {f}", "{i}. {l}", "{f} {j}.", "{l} {f}"))

    def solve(text: str) -> str:
        first, last = text.split()
        return layout.format(f=first, l=last, i=first[0], j=last[0])

    return Rule(full_name, solve, f"the name as {layout}")


def _mail(rng: Random) -> Rule:
    layout = rng.choice(("{f}.{l}@{d}", "{i}{l}@{d}", "{l}_{f}@{d}", "{f}{j}@{d}"))
    host = rng.choice(("post.example", "mail.example", "firm.example"))

    def solve(text: str) -> str:
        first, last = text.lower().split()
        return layout.format(f=first, l=last, i=first[0], j=last[0], d=host)

    return Rule(full_name, solve, f"an address as {layout} at {host}")


def _digits(rng: Random) -> str:
    return "".join(rng.choice("0123456789") for _ in range(9))


def _groups(rng: Random) -> Rule:
    sizes, between = rng.choice(((3, 3, 3), (4, 5), (2, 3, 4), (3, 2, 2, 2))), rng.choice(" -.")

    def solve(text: str) -> str:
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        return between.join(text[start : start + size] for start, size in zip(starts, sizes, strict=True))

    return Rule(_digits, solve, f"groups of {sizes} with {between!r} between")


def _column(rng: Random) -> Rule:
    at = rng.randrange(4)
    return Rule(lambda rng: ",".join(words(rng, 4, 4)), lambda text: text.split(",")[at], f"column {at + 1}")


def _swap(rng: Random) -> Rule:
    first, second = rng.choice(((0, 1), (1, 2), (0, 2)))

    def solve(text: str) -> str:
        cells = text.split(" | ")
        cells[first], cells[second] = cells[second], cells[first]
        return " | ".join(cells)

    return Rule(
        lambda rng: " | ".join(words(rng, 3, 3)), solve, f"cells {first + 1} and {second + 1} exchanged"
    )


def _wrap(rng: Random) -> Rule:
    before, after = rng.choice((("<", ">"), ("[", "]"), ('"', '"'), ("**", "**"), ("(", ")!"), ("the ", "s")))
    return Rule(word, lambda text: f"{before}{text}{after}", f"between {before!r} and {after!r}")


GENERATORS = (
    Generator("field", _field),
    Generator("sentence-of-record", _sentence),
    Generator("layout-of-name", _name),
    Generator("address", _mail),
    Generator("groups-of-digits", _groups),
    Generator("column", _column),
    Generator("swap-cells", _swap),
    Generator("wrap", _wrap),
)
