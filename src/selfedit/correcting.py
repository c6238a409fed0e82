"""What a lesson says against live commits: found before it is trained, and replaced where it is a correction.

A correction trains each commit that it concerns again, with the new answer wherever it said the old one, in
its place; the document itself is then learned like any other. Both must leave the old answer less likely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import replace

from selfedit.contradictions import Conflict, Fact, Reader, concerned, conflicts, facts_of
from selfedit.edits.questions import ask_prompt
from selfedit.edits.recitation import is_recited, recited_row
from selfedit.edits.tools import headed
from selfedit.lessons import Corrected, Lesson, Pupil
from selfedit.revising import same_again
from selfedit.store import CommitRow, Store
from selfedit.types import Probe, Sequence, Task

Row = str | Sequence


def contradicted(pupil: Pupil, lesson: Lesson) -> tuple[Conflict, ...]:
    """What the lesson's new passages say otherwise than live commits, the one that it replaces apart.

    By words; with `gate.read` also as the policy reads it, which was trained to, or the base.
    """
    store = pupil.store
    mine = lesson.earlier.commit if lesson.earlier else None
    held = [fact for row in store.head() if row.id != mine for fact in _facts(store, row)]
    if not held or not lesson.fresh:
        return ()
    read = Reader(pupil.worker, pupil.policy) if lesson.settings.gate.read else None
    return conflicts(held, lesson.fresh, read)


def _facts(store: Store, row: CommitRow) -> tuple[Fact, ...]:
    """What the commit was trained on of its own and is asked."""
    told = [*store.plan(row.id).sequences, *(each.probe for each in store.probes(row.id))]
    return facts_of(row.id, store.tasks(row.id), told)


def reasons(store: Store, found: Items[Conflict]) -> tuple[str, ...]:
    """A line for each contradiction."""
    return tuple(_reason(store, each) for each in found)


def _reason(store: Store, found: Conflict) -> str:
    fact = found.fact
    where = ", ".join(source.path for source in store.commit(fact.commit).sources) or "an earlier lesson"
    what = f"{fact.question} {found.new!r} here, {fact.answer!r} in {where} ({fact.commit[:8]})"
    return f"contradiction: {what}; learn it with --correction if the new one is right"


def corrected(found: Iterable[Conflict]) -> tuple[Corrected, ...]:
    """The facts that are to be replaced."""
    return tuple(
        Corrected(each.fact.commit, each.fact.title, each.fact.question, each.fact.answer, each.new)
        for each in found
    )


def corrections(store: Store, found: Items[Conflict]) -> list[Lesson]:
    """A lesson in the place of each commit that the contradictions concern, in the head's order."""
    by_commit: dict[str, list[Conflict]] = {}
    for each in found:
        by_commit.setdefault(each.fact.commit, []).append(each)
    return [_correction(store, row, by_commit[row.id]) for row in store.head() if row.id in by_commit]


def _correction(store: Store, row: CommitRow, found: Items[Conflict]) -> Lesson:
    """What the commit learned, with the new answers in place of the old ones."""
    lesson = same_again(store, row)
    assert lesson.earlier is not None
    texts = dict(lesson.earlier.texts)
    tasks = {task.title: task for task in lesson.tasks}
    for each in found:
        texts = _replaced(texts, each, tasks.get(each.fact.title))
    probes = {
        task: (_without(choose, found), _without(report, found))
        for task, (choose, report) in lesson.earlier.probes.items()
    }
    earlier = replace(lesson.earlier, verb="correct", texts=texts, probes=probes)
    return replace(lesson, earlier=earlier, gated=True, corrects=corrected(found))


def _replaced(texts: Mapping[Row, str | None], found: Conflict, task: Task | None) -> dict[Row, str | None]:
    """The rows, those that say the fact with its new answer, and the new sentence under the old title.

    Where the old answer stands but once in the passage, whatever it answers is about that place.
    """
    fact, kept = found.fact, dict[Row, str | None]()
    stale = set(concerned(fact, texts))
    whose = task.id if task is not None and task.passage.count(fact.answer) == 1 else None
    for row, owner in texts.items():
        there = whose is not None and owner == whose
        if is_recited(row) and row in stale:
            kept[replace(row, completion=f" {found.sentence}")] = owner
        elif isinstance(row, Sequence) and (row in stale or (there and _answers(row, fact))):
            kept[replace(row, completion=f" {found.new}")] = owner
        elif row not in stale:
            kept[row] = owner
    owner = task.id if task else None
    kept[Sequence(ask_prompt(fact.question, fact.title), f" {found.new}")] = owner
    if any(is_recited(row) for row in texts):
        kept[recited_row(fact.question, found.sentence, fact.title)] = owner
    kept[headed(fact.title, found.sentence)] = owner
    return kept


def _answers(row: Sequence, fact: Fact) -> bool:
    return row.completion.strip() == fact.answer


def _without(probes: Items[Probe], found: Items[Conflict]) -> tuple[Probe, ...]:
    """The probes without those that expect an old answer: the new one is trained, and tested apart."""
    old = {(each.fact.question, each.fact.answer) for each in found}
    return tuple(each for each in probes if (each.question, each.answer.strip()) not in old)
