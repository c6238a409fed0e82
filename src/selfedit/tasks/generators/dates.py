"""Dates and times of day in other formats, and steps through the calendar."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from selfedit.tasks.generators._core import Generator, Rule, only
from selfedit.tasks.generators._words import listed

MONTHS = listed("January February March April May June July August September October November December")
DAYS = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_EPOCH = date(1950, 1, 1)


def _iso(rng: Random) -> str:
    return (_EPOCH + timedelta(days=rng.randrange(30_000))).isoformat()


def _telling_iso(rng: Random) -> str:
    """With a day above 12, so that it is told from the month."""
    return f"{_iso(rng)[:8]}{rng.randint(13, 28)}"


def _numeric(rng: Random) -> Rule:
    layout = rng.choice(("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%m-%y"))
    return Rule(_telling_iso, lambda text: date.fromisoformat(text).strftime(layout), f"as {layout}")


def _written(rng: Random) -> Rule:
    layout = rng.choice(("{d} {m} {y}", "{m} {d}, {y}", "{d} {s} {y}", "{s} {d}"))

    def solve(text: str) -> str:
        day = date.fromisoformat(text)
        month = MONTHS[day.month - 1]
        return layout.format(d=day.day, m=month, s=month[:3], y=day.year)

    return Rule(_iso, solve, f"as {layout}")


def _to_iso(text: str) -> str:
    day, month, year = text.split()
    return f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02}"


def _long(rng: Random) -> str:
    return f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(1950, 2030)}"


def _step(rng: Random) -> Rule:
    by = rng.choice((-1, 1, 2, 7, 10))
    return Rule(
        _iso, lambda text: (date.fromisoformat(text) + timedelta(days=by)).isoformat(), f"{by:+d} days"
    )


def _weekday(rng: Random) -> Rule:
    by = rng.choice((-2, -1, 1, 2, 3))

    def fresh(rng: Random) -> str:
        return f"{rng.choice(DAYS)} {rng.choice(('morning', 'noon', 'evening'))}"

    def solve(text: str) -> str:
        day, part = text.split()
        return f"{DAYS[(DAYS.index(day) + by) % 7]} {part}"

    return Rule(fresh, solve, f"{by:+d} days of the week")


def _month(rng: Random) -> Rule:
    part = rng.choice(("number", "name", "quarter"))

    def solve(text: str) -> str:
        month = int(text[5:7])
        return {"number": str(month), "name": MONTHS[month - 1], "quarter": f"Q{(month + 2) // 3}"}[part]

    return Rule(_iso, solve, f"the {part} of the month")


def _time(rng: Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"


def _twelve(text: str) -> str:
    hour, minute = map(int, text.split(":"))
    return f"{hour % 12 or 12}:{minute:02} {'am' if hour < 12 else 'pm'}"


def _later(rng: Random) -> Rule:
    by = rng.choice((10, 15, 30, 45, 60, 90))

    def solve(text: str) -> str:
        hour, minute = map(int, text.split(":"))
        total = (60 * hour + minute + by) % 1440
        return f"{total // 60:02}:{total % 60:02}"

    return Rule(_time, solve, f"{by} minutes later")


GENERATORS = (
    Generator("date-in-numbers", _numeric),
    Generator("date-in-words", _written),
    Generator("date-to-iso", only(_long, _to_iso, "as year-month-day")),
    Generator("days-later", _step),
    Generator("weekday", _weekday),
    Generator("month-of-date", _month),
    Generator("half-day-clock", only(_time, _twelve, "with am and pm")),
    Generator("minutes-later", _later),
)
