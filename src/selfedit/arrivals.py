"""Documents that arrive: which are new to the head, which are versions of what it holds; and their lessons.

Reads the store and decides; trains nothing and changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from selfedit import retaining
from selfedit.config import Learning
from selfedit.edits import get_format
from selfedit.lessons import Lesson
from selfedit.probing import assigned
from selfedit.revising import held_documents, holders, matched, with_versions
from selfedit.store import CommitRow, Store
from selfedit.tasks import Document, Reading, read, read_questions
from selfedit.types import Probe

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def check(
    paths: Paths, settings: Learning, questions: str | os.PathLike[str] | None = None
) -> tuple[Probe, ...]:
    """Refuse what cannot be learned before a model is loaded or a store made; returns the user's questions.

    Raises DocumentError for documents or questions that cannot be read, EditError for an unknown format,
    UsageError for strategies of retention that are none of learning.
    """
    get_format(settings.format)
    retaining.check(settings.retention)
    asked = read_questions(Path(questions)) if questions is not None else ()
    read(listed(paths), count=lambda text: len(text.split()), budget=settings.passage_tokens)
    return asked


def listed(paths: Paths) -> list[Path]:
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]


@final
@dataclass(frozen=True)
class Arrivals:
    """What is to be learned, and one line for each file that is not."""

    fresh: tuple[Document, ...]
    changed: Mapping[str, tuple[Document, ...]] = field(default_factory=dict[str, tuple[Document, ...]])
    """Id of a live commit that holds older versions → the new ones."""
    skipped: tuple[str, ...] = ()


def arrivals(store: Store, found: Reading) -> Arrivals:
    """Part documents into new, changed and known. A file is known by its place, a version by its SHA-256."""
    held = holders(store, found.documents)
    fresh: list[Document] = []
    skipped = list(found.skipped)
    changed: dict[str, list[Document]] = {}
    for document in found.documents:
        versions = held.get(document.path, [])
        if any(sha256 == document.sha256 for _, sha256 in versions):
            skipped.append(f"{document.path}: unchanged since it was learned; skipped")
        elif not versions:
            fresh.append(document)
        elif all(_same_passages(store, row, document) for row, _ in versions):
            skipped.append(f"{document.path}: changed, but none of its passages; skipped")
        else:
            for row, _ in versions:
                changed.setdefault(row.id, []).append(document)
    return Arrivals(tuple(fresh), {each: tuple(new) for each, new in changed.items()}, tuple(skipped))


def _same_passages(store: Store, row: CommitRow, document: Document) -> bool:
    held = ((each, each) for each in held_documents(store, row))
    old = matched(held, (document,))[document.path][0]
    tasks = {task.id for task in document.tasks}
    return {task.id for task in old.tasks} == tasks and not any(task.probes for task in document.tasks)


def unlearned(store: Store, found: Arrivals) -> Reading:
    """The documents that something is to be written for, each with those passages alone; a line on others."""
    held = {task.id for task in store.passages(found.changed)}
    new = {each.path: each for documents in found.changed.values() for each in documents}
    parts = [replace(each, tasks=tuple(t for t in each.tasks if t.id not in held)) for each in new.values()]
    lines = (
        f"{each.path}: changed, without a new passage; what held it is trained again"
        for each in parts
        if not each.tasks
    )
    return Reading((*(each for each in parts if each.tasks), *found.fresh), (*found.skipped, *lines))


def planned(store: Store, found: Arrivals, like: Lesson, each: bool) -> list[Lesson]:
    """One lesson for each commit that holds older versions, in the head's order, then those of new files."""
    order = [row for row in store.head() if row.id in found.changed]
    revised = [with_versions(store, row, found.changed[row.id], like) for row in order]
    fresh = lessons(found.fresh, like, each) if found.fresh else []
    return _shared([*revised, *fresh], like.questions)


def lessons(documents: Items[Document], like: Lesson, each: bool) -> list[Lesson]:
    """One lesson of all documents, or with `each` one of each with the questions that are about it."""
    if not each:
        return [replace(like, documents=tuple(documents))]
    return _shared([replace(like, documents=(one,)) for one in documents], like.questions)


def _shared(found: list[Lesson], questions: Items[Probe]) -> list[Lesson]:
    """The lessons, each with those questions that are about it."""
    if len(found) == 1:
        return [replace(found[0], questions=tuple(questions))]
    every = {task.id: replace(task, probes=()) for lesson in found for task in lesson.tasks}
    owned = assigned(list(every.values()), questions) if every else {}
    return [replace(each, questions=_unique(q for t in each.tasks for q in owned[t.id])) for each in found]


def _unique(questions: Iterable[Probe]) -> tuple[Probe, ...]:
    return tuple(dict.fromkeys(questions))
