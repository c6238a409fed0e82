"""Proof that a document is out of the model again: its probes are back where they were, all others unmoved.

Asks and reports; changes nothing but the reports that the store keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, final

from selfedit.asking import Answers, Held, asked_again, correctness, reporting
from selfedit.lessons import Hire
from selfedit.measuring import Interval
from selfedit.rewards import mean_over_passages, paired_interval
from selfedit.store import CommitRow, Store

KIND = "proof"


@final
@dataclass(frozen=True)
class Proof:
    """How a reverted document's reporting probes are answered, and those of everything else that is live.

    Figures are means over passages; None where nothing could be asked.
    """

    commit: str
    """The reverted one."""
    asked: int = 0
    right_before: float | None = None
    """Before it was learned, as recorded then."""
    right_now: float | None = None
    difference_ci95: Interval | None = None
    """Of the correctness now less that of before, paired over passages."""
    same_answers: float | None = None
    """Share of answers that are word for word those of before."""
    back: bool | None = None
    """Whether the interval holds 0."""
    others_asked: int = 0
    others_then: float | None = None
    """At the head before the revert."""
    others_now: float | None = None
    others_ci95: Interval | None = None
    moved: tuple[str, ...] = ()
    """Questions, of the others, whose verdict changed."""


@final
@dataclass(frozen=True)
class Taken:
    """A commit that was taken out of the head, by which move, and the head before."""

    commit: CommitRow
    move: int
    before: tuple[str, ...]


def outstanding(store: Store) -> list[Taken]:
    """The reverts that no proof has been made of, oldest first. What is live again or erased needs none."""
    rows = {row.id: row for row in store.log()}
    found: dict[str, Taken] = {}
    for before, after in store.moves_of("revert"):
        for commit in sorted(set(before.live) - set(after.live)):
            found.setdefault(commit, Taken(rows[commit], after.seq, before.live))
    wanted = (each for each in reversed(found.values()) if not each.commit.live and not each.commit.erased)
    return [each for each in wanted if not _proven(store, each)]


def _proven(store: Store, taken: Taken) -> bool:
    held = store.report(KIND, taken.commit.id)
    return held is not None and int(held["move"]) >= taken.move


def prove(store: Store, hire: Hire) -> tuple[Proof, ...]:
    """Make every outstanding proof, and keep it. Of what was learned again since, none can be made."""
    waiting = outstanding(store)
    taught = {task.id for task in store.passages(row.id for row in store.head())} if waiting else set[str]()
    return tuple(_proof(store, hire, each, taught) for each in waiting if not _again(store, each, taught))


def _again(store: Store, taken: Taken, taught: Collection[str]) -> bool:
    tasks = store.tasks(taken.commit.id)
    return bool(tasks) and all(task.id in taught for task in tasks)


def _proof(store: Store, hire: Hire, taken: Taken, taught: Collection[str]) -> Proof:
    """Of passages that left with the commit; those that another live commit holds are among the others."""
    own = {
        probe: each
        for probe, each in reporting(store, [taken.commit]).items()
        if each.before and each.task not in taught
    }
    head, others = store.head(), _others(store, taken, own)
    then = asked_again(hire, _rows(store, taken.before), others, "asking the others as they were")
    now = asked_again(hire, head, others, "asking the others now")
    own_now = asked_again(hire, head, own, "asking what was taken out")
    moved = [each for probe, each in others.items() if then[probe].correct != now[probe].correct]
    proof = _of_others(_of_own(Proof(taken.commit.id), own, own_now), others, then, now)
    _keep(store, taken, proof, moved)
    return replace(proof, moved=tuple(each.probe.question for each in moved))


def _of_own(proof: Proof, own: Mapping[str, Held], now: Answers) -> Proof:
    if not own:
        return proof
    before = {probe: each.before for probe, each in own.items() if each.before}
    then, values = correctness(own, before), correctness(own, now)
    interval = paired_interval(values, then, seed=0)
    same = sum(now[probe].text == answer.text for probe, answer in before.items())
    return replace(
        proof,
        asked=len(own),
        right_before=mean_over_passages(then),
        right_now=mean_over_passages(values),
        difference_ci95=interval,
        same_answers=same / len(own),
        back=interval is not None and interval[0] <= 0 <= interval[1],
    )


def _of_others(proof: Proof, others: Mapping[str, Held], then: Answers, now: Answers) -> Proof:
    a, b = correctness(others, now), correctness(others, then)
    return replace(
        proof,
        others_asked=len(others),
        others_then=mean_over_passages(b),
        others_now=mean_over_passages(a),
        others_ci95=paired_interval(a, b, seed=0),
    )


def _others(store: Store, taken: Taken, own: Mapping[str, Held]) -> dict[str, Held]:
    """Reporting probes that the head holds now and held before; none where that head cannot be made again."""
    before = _rows(store, taken.before)
    if any(store.adapter(row.adapter).erased for row in before):
        return {}
    head = store.head()
    live = {row.id for row in head}
    gone = reporting(store, (row for row in before if row.id not in live))
    held = reporting(store, head)
    stayed = set(taken.before)
    return {
        probe: each
        for probe, each in held.items()
        if probe not in own and (each.commit.id in stayed or probe in gone)
    }


def _rows(store: Store, commits: tuple[str, ...]) -> tuple[CommitRow, ...]:
    rows = {row.id: row for row in store.log()}
    return tuple(rows[each] for each in commits)


# -- as it is kept ---------------------------------------------------------------------------------------


def _keep(store: Store, taken: Taken, proof: Proof, moved: list[Held]) -> None:
    """Keep a proof. Questions are named by their ids: it must hold no text that may be erased elsewhere."""
    names = [[each.commit.id, each.probe.id] for each in moved]
    store.keep_report(KIND, taken.commit.id, {**asdict(proof), "moved": names, "move": taken.move})


def kept(store: Store, commit: str) -> dict[str, Any] | None:
    """The newest proof about a commit under the names of `Proof`; questions that were erased are left out."""
    held = store.report(KIND, commit)
    if held is None:
        return None
    moved = [_question(store, *name) for name in held["moved"]]
    return {**held, "moved": [question for question in moved if question]}


def _question(store: Store, commit: str, probe: str) -> str | None:
    return next((r.probe.question for r in store.probes(commit) if r.probe.id == probe), None)
