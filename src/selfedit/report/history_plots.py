"""Figures of the history: what each commit did to recall, and what was left of what was known before it."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from matplotlib.ticker import MaxNLocator

from selfedit.report.drawing import BLUE, GREEN, PAPER, RED, Axes, Drawn, drawn, panels, style
from selfedit.report.found import CommitFound

COMMITS = 200
"""At most so many commits are drawn, the newest."""
Values = Items[float | None]


@final
@dataclass(frozen=True)
class Look:
    """How a figure of commits is marked, and what it is called."""

    label: str
    colour: str
    marker: str
    line: str = "none"
    hollow: bool = False


RECALL = {
    "recall_before": Look("recall before", BLUE, "o", hollow=True),
    "recall_after": Look("after", BLUE, "o"),
    "mismatch_after": Look("mismatch after", RED, "x"),
}
"""A figure of a commit → how it is marked."""
KEPT = {
    "recall_after": Look("its own questions, just learned", BLUE, "o", "-"),
    "retention": Look("earlier right answers still right", GREEN, "D", "--"),
}
ASIDE = {
    "recall_after": Look("its own, held back", BLUE, "o", hollow=True),
    "retention": Look("earlier, held back", GREEN, "D", hollow=True),
}
"""The same of candidates that were held back."""


def recall(commits: Items[CommitFound], name: str) -> Drawn | None:
    """Recall before and after each commit that became live, and what reciting would earn."""
    lived = [each for each in commits if each.entered and each.row.figures.recall_after is not None]
    shown = lived[-COMMITS:]
    if not shown:
        return None
    with style():
        figure, (ax,) = panels(3.0)
        for at, each in enumerate(shown, 1):
            low, high = each.row.figures.recall_before, each.row.figures.recall_after
            if low is not None and high is not None:
                ax.plot([at, at], [low, high], color=BLUE, linewidth=1.3, alpha=0.6, zorder=1)
        for name_of, look in RECALL.items():
            _marks(ax, [_value(each, name_of) for each in shown], look)
        _framed(ax, shown)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, handletextpad=0.1)
        return drawn(figure, name, _recall_told(shown))


def _recall_told(shown: Items[CommitFound]) -> str:
    values = [value for each in shown if (value := each.row.figures.recall_after) is not None]
    mean = sum(values) / len(values)
    return f"Recall before and after each of {len(shown)} commits; on average {mean:.2f} after."


def kept(commits: Items[CommitFound], name: str) -> Drawn | None:
    """Commit by commit, its own recall and what was left of earlier right answers.

    What was held back is marked apart from the curves: it never was the model. None where nothing was ever
    asked again.
    """
    shown = [each for each in commits if _known(each)][-COMMITS:]
    if all(each.row.figures.retention is None for each in shown):
        return None
    with style():
        figure, (ax,) = panels(2.3)
        for entered, looks in ((True, KEPT), (False, ASIDE)):
            for name_of, look in looks.items():
                values = [_value(each, name_of) if each.entered is entered else None for each in shown]
                _marks(ax, values, look)
        _framed(ax, shown)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=4, handletextpad=0.4)
        return drawn(figure, name, _kept_told(shown))


def _known(each: CommitFound) -> bool:
    return any(_value(each, name) is not None for name in KEPT)


def _kept_told(shown: Items[CommitFound]) -> str:
    values = [x for each in shown if each.entered and (x := each.row.figures.retention) is not None]
    if not values:
        return "No commit that became live was followed by asking again what was known before it."
    least = f"the least {min(values):.2f}, after the newest {values[-1]:.2f}"
    return f"Share of earlier right answers that were still right, commit by commit: {least}."


# -- inside ----------------------------------------------------------------------------------------------


def _value(each: CommitFound, name: str) -> float | None:
    return getattr(each.row.figures, name)


def _marks(ax: Axes, values: Values, look: Look) -> None:
    held = [(at, value) for at, value in enumerate(values, 1) if value is not None]
    if held:
        ax.plot(
            [at for at, _ in held], [value for _, value in held], linestyle=look.line, marker=look.marker,
            markersize=5 if len(values) <= 60 else 2.5, color=look.colour, label=look.label, zorder=2,
            markerfacecolor=PAPER if look.hollow else look.colour,
        )  # fmt: skip


def _framed(ax: Axes, shown: Items[CommitFound]) -> None:
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlim(0.4, len(shown) + 0.6)
    ax.grid(axis="y")
    if len(shown) <= 8:
        names = [f"{each.row.id[:8]}\n{each.row.time[:10]}" for each in shown]
        ax.set_xticks(range(1, len(shown) + 1), names)
    else:
        aside = "" if all(each.entered for each in shown) else " and candidates"
        ax.set_xlabel(f"commits{aside} in the order in which they were learned")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
