"""Stored reporting probes, asked again of some head of the store. Changes nothing, decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from selfedit import rounds
from selfedit.config import recorded
from selfedit.errors import StoreError
from selfedit.lessons import Hire
from selfedit.measuring import judged
from selfedit.store import CommitRow, ProbeAnswer, Store
from selfedit.types import Probe

if TYPE_CHECKING:
    from selfedit.engine import Adapter

Answers = Mapping[str, ProbeAnswer]
"""By id of the probe."""

BASE, NEWEST = "base", "head"


@final
@dataclass(frozen=True)
class Held:
    """A reporting probe, the commit that holds it, and how it was answered before that was learned."""

    probe: Probe
    task: str
    """Id of the passage that it asks about."""
    commit: CommitRow
    before: ProbeAnswer | None


def head_named(store: Store, name: str) -> tuple[CommitRow, ...]:
    """The head as of a commit; `base` is the one without any, `head` the newest. Raises StoreError."""
    if name == BASE:
        return ()
    return store.head() if name == NEWEST else store.head_at(name)


def check_kept(store: Store, rows: Iterable[CommitRow]) -> None:
    """Raise StoreError where weights of these commits were erased, so that no head can be made of them."""
    for row in rows:
        if store.adapter(row.adapter).erased:
            raise StoreError(
                f"commit {row.id[:12]}: its weights were erased; choose a head without it (`selfedit log`)"
            )


def reporting(store: Store, rows: Iterable[CommitRow]) -> dict[str, Held]:
    """Probe id → the reporting probe, once, as the first of these commits holds it."""
    found: dict[str, Held] = {}
    commits = {row.id: row for row in rows}
    for commit, results in store.all_probes(commits).items():
        for each in results:
            if each.role == "report":
                found.setdefault(each.probe.id, Held(each.probe, each.task, commits[commit], each.before))
    return found


def asked_again(
    hire: Hire,
    rows: Items[CommitRow],
    held: Mapping[str, Held],
    stage: str,
    adapter: Adapter | None = None,
) -> Answers:
    """How these commits, or `adapter` alone, answer: each probe at its first answer's length."""
    by_length: dict[int, list[Held]] = defaultdict(list)
    commits = {each.commit.id: each.commit for each in held.values()}
    settings = {commit: recorded(row.settings) for commit, row in commits.items()}
    for each in held.values():
        by_length[settings[each.commit.id].answer_tokens].append(each)
    found: dict[str, ProbeAnswer] = {}
    for mine in by_length.values():
        pupil, probes = hire(rows), [each.probe for each in mine]
        ground = pupil.ground(settings[mine[0].commit.id], stage)
        texts = rounds.answers(probes, adapter, ground) if adapter else pupil.served.answers(probes, ground)
        found |= {each.probe.id: judged(each.probe, text) for each, text in zip(mine, texts, strict=True)}
    return found


def correctness(held: Mapping[str, Held], answers: Answers) -> dict[str, list[float]]:
    """Passage → 1 for each probe that is answered rightly, 0 for each that is not."""
    values: dict[str, list[float]] = defaultdict(list)
    for probe, each in held.items():
        values[each.task].append(float(bool(answers[probe].correct)))
    return dict(values)
