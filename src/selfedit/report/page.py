"""What was found → one HTML page that needs nothing else. All text of the store is escaped.

Equal findings and an equal time give equal bytes. Knows nothing of stores or files.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import Any, final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from selfedit import __version__
from selfedit.evaluating.figures import TableRow
from selfedit.evaluating.standings import SolvedRow
from selfedit.report import configurations, history_plots, plots, stream_plots, wording
from selfedit.report.cost import cost
from selfedit.report.drawing import Drawn
from selfedit.report.found import Answered, CommitFound, Found, RunFound, Way
from selfedit.report.grids import picture
from selfedit.report.shown import StreamFound
from selfedit.streaming.tabulating import StreamRow

GENERATOR = "selfedit report"
"""Stands in the head of every page: by it a page of ours is known."""


@final
@dataclass(frozen=True)
class Section:
    """A part of the page; `id` names its template too."""

    id: str
    title: str


TITLES = {
    "rounds": "Rounds of reinforcement",
    "tables": "What each way of teaching leaves",
    "streams": "What is kept of documents learned one after another",
    "configurations": "Configurations that were picked",
    "history": "What this model has learned",
    "held": "What was held back",
    "passages": "Answers, passage by passage",
    "demonstrations": "Attempts, task by task",
    "trials": "Self-edits of the rounds",
    "cost": "Cost",
    "settings": "Settings",
}
"""In the order of the page."""


REASONS = 5
"""So many reasons of failure are told for each round, and so many for each candidate that was held back."""
FILTERS = (
    *("share", "figure", "signed", "signed_reward", "interval", "span", "when", "count"),
    *("beginning", "clipped"),
)
"""Words of `wording` that templates use."""


def sections(found: Found) -> tuple[Section, ...]:
    """The parts that there is something to show in; an empty store has none."""
    there = {
        "rounds": bool(found.runs),
        "tables": bool(found.tables or found.solved),
        "streams": bool(found.streams),
        "configurations": bool(found.picked),
        "history": found.history is not None,
        "passages": bool(found.asked),
        "demonstrations": bool(found.tasks),
        "trials": bool(found.tried),
    }
    there |= dict.fromkeys(("cost", "settings"), any(there.values()))
    there["held"] = found.held is not None
    return tuple(Section(id, title) for id, title in TITLES.items() if there[id])


def render(found: Found, written: datetime) -> str:
    """The page; `written` is the time that it says."""
    environment = _environment()
    script = _source(environment, "script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        found=found,
        name=PurePath(found.about.path).name or found.about.path,
        holds=holds(found),
        lacks=lacks(found),
        sections=sections(found),
        plots=_plots(found),
        distributions=[configurations.distribution(each) for each in found.picked],
        cost=cost(found),
        settings=_settings(found),
        limit=REASONS,
        written=written,
        version=__version__,
        generator=GENERATOR,
        css=Markup(_source(environment, "style.css")),
        script=Markup(script),
        script_hash=digest,
    )


def holds(found: Found) -> str:
    """What there is, in a line."""
    told: list[str] = []
    if found.runs:
        rounds = sum(len(run.rounds) for run in found.runs)
        told.append(f"{wording.count(len(found.runs), 'run')} with {wording.count(rounds, 'round')}")
    if tables := len(found.tables) + len(found.solved):
        told.append(wording.count(tables, "table"))
    if found.streams:
        told.append(wording.count(len(found.streams), "stream"))
    if history := found.history:
        made = wording.count(len(history.commits) + history.earlier, "commit")
        told.append(f"{made}, {history.live:,} live")
    if held := found.held:
        every = wording.count(len(held.candidates) + held.earlier, "held-back candidate")
        told.append(f"{every} ({held.waiting:,} waiting)")
    if not told:
        return "Nothing has been learned or measured in this store yet."
    return f"This store holds {wording.listed(told)}."


def lacks(found: Found) -> str:
    """What there is nothing of, in a line; empty where the page is whole or the store is empty."""
    missing = {
        "rounds (selfedit train)": not found.runs,
        "table (selfedit eval)": not (found.tables or found.solved),
        "commits (selfedit learn)": found.history is None,
    }
    named = [name for name, absent in missing.items() if absent]
    return f"It has no {wording.listed(named)}." if named and len(named) < len(missing) else ""


# -- figures -----------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Shown:
    """A figure with its number."""

    number: int
    svg: Markup


@final
@dataclass(frozen=True)
class RunPlots:
    """The figures of a run, and whether it has formats to tell apart."""

    rewards: Shown
    distribution: Shown | None
    formats: bool
    more: str
    """What the caption says of the further panels."""


@final
@dataclass(frozen=True)
class StreamPlots:
    """The figures of a stream; none where no method learned one document after another."""

    heat: Shown | None
    curves: Shown | None
    what: str
    """That they show."""


@final
@dataclass(frozen=True)
class HistoryPlots:
    """The figures of the history; None where nothing was asked, or nothing asked again."""

    recall: Shown | None = None
    kept: Shown | None = None


@final
@dataclass(frozen=True)
class Plots:
    """All figures of the page."""

    runs: tuple[RunPlots, ...]
    tables: tuple[Shown, ...]
    solved: tuple[Shown | None, ...]
    streams: tuple[StreamPlots, ...]
    history: HistoryPlots


def _plots(found: Found) -> Plots:
    """Drawn in the order of the page, which gives them their numbers."""
    gallery = Gallery()
    return Plots(
        tuple(_run_plots(run, gallery) for run in found.runs),
        tuple(gallery.hang(partial(plots.table, table.rows)) for table in found.tables),
        tuple(gallery.hang_if_any(partial(plots.solved, table.rows)) for table in found.solved),
        tuple(_stream_plots(each, gallery) for each in found.streams),
        _history_plots(found.history.commits, gallery) if found.history else HistoryPlots(),
    )


def _history_plots(commits: Items[CommitFound], gallery: Gallery) -> HistoryPlots:
    return HistoryPlots(
        gallery.hang_if_any(partial(history_plots.recall, commits)),
        gallery.hang_if_any(partial(history_plots.kept, commits)),
    )


def _run_plots(run: RunFound, gallery: Gallery) -> RunPlots:
    more = ""
    if any(each.told.get("reliability") is not None for each in run.rounds):
        more += " Reliability: the share of one trial's variance that another seed would confirm."
    if any(each.told.get("choice") for each in run.rounds):
        more += " Gain of the choice: the kept ones over their passage's mean, on either kind of seeds."
    return RunPlots(
        gallery.hang(partial(plots.rewards, run.rounds)),
        gallery.hang_if_any(partial(plots.distribution, run.rounds)),
        len({form.format for each in run.rounds for form in each.formats}) > 1,
        more,
    )


def _stream_plots(stream: StreamFound, gallery: Gallery) -> StreamPlots:
    rows = stream.methods
    what = {
        "concise": "Concise accuracy",
        "logprob": "Log-probability of the expected answers (nats a token)",
    }
    return StreamPlots(
        gallery.hang_if_any(partial(stream_plots.heat, rows)),
        gallery.hang_if_any(partial(stream_plots.curves, rows)),
        what[stream_plots.measure_of(rows)],
    )


@final
class Gallery:
    """Gives each figure its number, in the order in which they are drawn."""

    def __init__(self) -> None:
        self._hung = 0

    def hang(self, draw: Callable[[str], Drawn]) -> Shown:
        self._hung += 1
        return Shown(self._hung, Markup(draw(f"f{self._hung}").svg))

    def hang_if_any(self, draw: Callable[[str], Drawn | None]) -> Shown | None:
        drawn = draw(f"f{self._hung + 1}")
        return self.hang(lambda _: drawn) if drawn else None


# -- the frame ---------------------------------------------------------------------------------------------


def _settings(found: Found) -> list[tuple[str, str]]:
    """What the settings are of, and the settings as YAML."""
    return [
        *((f"Recipe of run {run.id[:8]}", run.recipe) for run in found.runs),
        *((f"Recipe of table {table.id[:8]}", table.recipe) for table in (*found.tables, *found.solved)),
        *((f"Recipe of stream {each.id[:8]}", each.recipe) for each in found.streams),
        *((f"Settings of {name}", text) for name, text in found.settings.items()),
        *((f"Machine and versions of {name}", text) for name, text in found.machines.items()),
    ]


def _environment() -> Environment:
    made: Any = Environment(
        loader=PackageLoader("selfedit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    made.filters |= {name: getattr(wording, name) for name in FILTERS}
    made.filters |= {"trouble": _trouble, "reasons": _reasons, "said": _said}
    made.filters |= {"stream_trouble": _stream_trouble}
    made.filters |= {"picture": picture, "worded": configurations.worded}
    return made


def _visible(value: object) -> object:
    """Text without what HTML has no place for: NUL, and other control characters than white space."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.translate(_CONTROLS)
    return value


_CONTROLS = {code: "\ufffd" for code in (*range(32), 127) if chr(code) not in "\t\n\f\r"}


def _source(environment: Environment, name: str) -> str:
    assert environment.loader, "templates come with the package"
    return environment.loader.get_source(environment, name)[0]


def _trouble(row: TableRow | SolvedRow) -> str:
    """What went wrong on the way to a row."""
    told = [
        wording.count(row.failures, "failure") if row.failures else "",
        wording.count(row.unusable, "self-edit that could not be used", "self-edits that could not be used")
        if row.unusable
        else "",
        wording.count(row.collapsed, "collapsed adapter")
        if isinstance(row, TableRow) and row.collapsed
        else "",
    ]
    return wording.listed([each for each in told if each])


def _stream_trouble(row: StreamRow) -> str:
    """The same of a stream, and how much adapters were scaled down where that was looked for."""
    told = [
        wording.count(row.failures, "failed training") if row.failures else "",
        wording.count(row.dropped, "adapter", "adapters") + " dropped" if row.dropped else "",
        wording.count(row.unusable, "self-edit that could not be used", "self-edits that could not be used")
        if row.unusable
        else "",
        wording.count(row.collapsed, "document") + " with collapsed answers" if row.collapsed else "",
        f"scales {', '.join(map(wording.share, row.scales))}" if row.scales else "",
    ]
    return wording.listed([each for each in told if each])


def _reasons(counted: Mapping[str, int]) -> str:
    """Why self-edits and trials failed, the most common reasons first."""
    every = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    told = [f"{times} × {wording.clipped(what, 160)}" for what, times in every[:REASONS]]
    rest = sum(times for _, times in every[REASONS:])
    return "; ".join([*told, *([f"{rest} × something else"] if rest else [])])


def _said(way: Way, question: int) -> list[tuple[str, Answered]]:
    """The answers to a question, each once with the seeds that it was given with."""
    answers = way.answers[question]
    seeds: dict[Answered, list[str]] = {}
    for seed, said in zip(way.seeds, answers, strict=False):
        seeds.setdefault(said, []).append(str(seed))
    if len(answers) == 1:
        return [("", answers[0])]
    return [(f"seed{'s' if len(mine) > 1 else ''} {', '.join(mine)}", said) for said, mine in seeds.items()]
