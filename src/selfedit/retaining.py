"""What a lesson is trained on beside its own rows, so that earlier ones are kept: the settings' strategies.

Reads the store, asks what is still known, and plans; trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import TYPE_CHECKING

from selfedit.canaries import general
from selfedit.config import Retention
from selfedit.errors import UsageError
from selfedit.lessons import Lesson, Pupil
from selfedit.measuring import retention
from selfedit.retain import Course, Learned, Past, Row, planned
from selfedit.serving import Member
from selfedit.store import sequence_text, text_hash

if TYPE_CHECKING:
    from selfedit.engine import Moments


def check(settings: Retention) -> None:
    """Raise UsageError for what is no way of learning something new, or is only measured."""
    if "consolidation" in settings.strategies:
        raise UsageError("retention: consolidation is a verb of its own; learn, then `selfedit consolidate`")
    if settings.superposed:
        raise UsageError("retention: superposition is only measured, by `selfedit stream`; choose router")


def course(pupil: Pupil, lesson: Lesson, rows: Items[Row]) -> Course:
    """The rows with what the strategies add. What takes an earlier commit's place is trained as that was."""
    settings = lesson.settings.retention
    if lesson.earlier is not None or not pupil.live or settings.strategies in (("naive",), ("router",)):
        return Course(tuple(rows), lesson.settings.seed)
    known = _known(pupil, lesson)
    learned = tuple(_learned(pupil, each, known.get(each.commit)) for each in pupil.live)
    texts = tuple(each.text for each in general())
    past = Past(learned, texts, _moments(pupil, lesson, learned))
    return planned(past, rows, settings, lesson.settings.seed)


def _known(pupil: Pupil, lesson: Lesson) -> dict[str, float]:
    """By commit: of its reporting probes that were right just after it, the share that still is.

    Asked only for a replay that draws by it; commits of which none was asked are left out.
    """
    settings = lesson.settings
    if "replay" not in settings.retention.strategies or not settings.retention.replay.fading:
        return {}
    ground = pupil.ground(settings, "asking what was learned before")
    kept = retention(pupil, pupil.served, ground, (), settings.retention_probes)
    asked, lost = ({probe.id for probe in part} for part in (kept.probes, [probe for probe, _ in kept.lost]))
    held = pupil.store.all_probes(each.commit for each in pupil.live)
    mine = {commit: {each.probe.id for each in results} & asked for commit, results in held.items()}
    return {commit: 1 - len(ids & lost) / len(ids) for commit, ids in mine.items() if ids}


def _learned(pupil: Pupil, member: Member, known: float | None) -> Learned:
    """A live commit, and what share is `known` of what was right when it was learned."""
    store = pupil.store
    own = {text for text, task in store.text_tasks(member.commit).items() if task}
    rows = [row for row in store.plan(member.commit).sequences if text_hash(sequence_text(row)) in own]
    texts = tuple(f"{task.title}\n{task.passage}" for task in member.passages)
    then = None if known is None else 1.0
    return Learned(member.commit, tuple(rows), texts, member.adapter, then, known)


def _moments(pupil: Pupil, lesson: Lesson, learned: Items[Learned]) -> Moments | None:
    settings = lesson.settings.retention
    if not settings.uses_moments:
        return None
    pupil.begin("reading what was learned before")
    rows = [row for each in learned for row in each.rows]
    return pupil.worker.moments(rows, pupil.foundation(lesson.settings), settings.moments_rank)
