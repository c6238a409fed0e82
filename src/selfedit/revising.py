"""Lessons that take a commit's place: the same again, without one file, or with new versions of its files.

Reads the store and decides; trains nothing and changes nothing.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from typing import TypeVar

from selfedit.config import recorded
from selfedit.errors import StoreError
from selfedit.lessons import Earlier, Lesson, Parts
from selfedit.store import CommitRow, Source, Store, sequence_text, text_hash
from selfedit.store.drafts import path_text
from selfedit.tasks import Document
from selfedit.types import Probe, SelfEdit, Sequence, Task
from selfedit.writing import sequences_of

Held = TypeVar("Held")


def same_again(store: Store, row: CommitRow, lost: Collection[str] = ()) -> Lesson:
    """What a commit learned, to be learned again from another head, less the replayed texts in `lost`.

    Raises StoreError where a text of it was erased.
    """
    held, stems = held_documents(store, row), store.text_tasks(row.id)
    hashes = {each: text_hash(sequence_text(each)) for each in store.plan(row.id).sequences}
    texts = {each: stems.get(digest) for each, digest in hashes.items() if digest not in lost}
    kept = replace(earlier(store, row, "retrain", held), texts=texts)
    return Lesson(held, recorded(row.settings), (), False, kept)


def without_file(store: Store, row: CommitRow, path: str) -> Lesson:
    """What a commit learned, less what stems from one file alone. Raises StoreError if it has none such."""
    held = held_documents(store, row)
    gone = named(held, path)
    rest = tuple(each for at, each in enumerate(held) if at not in gone)
    if not gone:
        names = ", ".join(each.path for each in held)
        raise StoreError(f"commit {row.id[:12]}: {path} is not among its files ({names}); name one of them")
    return Lesson(rest, recorded(row.settings), (), False, earlier(store, row, "revert", rest))


def with_versions(store: Store, row: CommitRow, documents: Items[Document], like: Lesson) -> Lesson:
    """What a commit learned, with new versions in place of the files that it holds; else as `like` says.

    One adapter is asked in one way: whether it recites is as it was.
    """
    rest = list(held_documents(store, row))
    places = matched(enumerate(rest), documents)
    for new in documents:
        rest[places[new.path][0]] = new
    settings = like.settings.asked_as(recorded(row.settings))
    kept = earlier(store, row, "learn", rest)
    return replace(like, documents=_told_apart(rest), settings=settings, earlier=kept)


def held_documents(store: Store, row: CommitRow) -> tuple[Document, ...]:
    """The files that a commit learned as they were then. What no file is named for goes with the first."""
    tasks = [replace(task, probes=()) for task in store.tasks(row.id)] if row.sources else []
    mine: dict[str, list[Task]] = {source.path: [] for source in row.sources}
    for task in tasks:
        place = task.source if task.source in mine else row.sources[0].path
        mine[place].append(task)
    return tuple(Document(s.path, s.sha256, tuple(mine[s.path]), s.bytes, s.place) for s in row.sources)


def earlier(store: Store, row: CommitRow, verb: str, documents: Items[Document]) -> Earlier:
    """What is kept of a commit where it keeps those of its passages that `documents` hold."""
    wanted = {task.id: task for document in documents for task in document.tasks}
    tasks = {task.id: wanted[task.id] for task in store.tasks(row.id) if task.id in wanted}
    edits = {edit.task: edit for edit in store.edits(row.id) if edit.task in tasks}
    texts = _kept_texts(store, row, tasks.keys(), _owners(tasks, edits))
    return Earlier(row.id, verb, edits, texts, _parts(store, row, tasks))


def _owners(tasks: Mapping[str, Task], edits: Mapping[str, SelfEdit]) -> dict[str, str]:
    """Hash of a text that an edit comes to → its task: a text of two passages stays with either."""
    return {
        text_hash(sequence_text(each)): task
        for task, edit in edits.items()
        for each in sequences_of(tasks[task], edit)
    }


def _kept_texts(
    store: Store, row: CommitRow, tasks: Collection[str], owners: Mapping[str, str]
) -> dict[str | Sequence, str | None]:
    """The training sequences of kept passages and what was replayed, in order, each with its task."""
    stems = store.text_tasks(row.id)
    texts: dict[str | Sequence, str | None] = {}
    for each in store.plan(row.id).sequences:
        digest = text_hash(sequence_text(each))
        stem = stems.get(digest)
        owner = stem if stem in tasks else owners.get(digest)
        if owner or stem is None:
            texts[each] = owner
    return texts


def _parts(store: Store, row: CommitRow, tasks: Iterable[str]) -> dict[str, Parts]:
    """The probes of each kept passage with their parts."""
    found: dict[str, tuple[list[Probe], list[Probe]]] = {task: ([], []) for task in tasks}
    for result in store.probes(row.id):
        if result.task in found:
            found[result.task][result.role == "report"].append(result.probe)
    return {task: (tuple(choose), tuple(report)) for task, (choose, report) in found.items()}


# -- files -----------------------------------------------------------------------------------------------


def matched(held: Iterable[tuple[Held, Source | Document]], new: Items[Document]) -> dict[str, list[Held]]:
    """Path of a new document → those held that are versions of it: of the same file.

    A file is known by its place, the real path from the root, however that is spelled and from wherever.
    Where none is known so, the path as given decides, as far as the place of what is held was not noted (by
    an older version) or is not there any more (the file was moved with its folder, or is on another machine):
    it is the same as before, or leads from here to the same file.
    """
    places = {path_text(_place(each)): each.path for each in new}
    names = {path_text(each.path): each.path for each in new}
    by_place, by_name = defaultdict[str, list[Held]](list), defaultdict[str, list[Held]](list)
    for value, each in held:
        if each.place and (path := places.get(each.place) or places.get(_real(each.place))):
            by_place[path].append(value)
        elif not (each.place and os.path.exists(each.place)) and (
            path := names.get(path_text(each.path)) or places.get(_real(each.path))
        ):
            by_name[path].append(value)
    return {**by_name, **by_place}


def holders(store: Store, documents: Items[Document]) -> dict[str, list[tuple[CommitRow, str]]]:
    """Path of a document → the live commits that learned some version of it, and that version's SHA-256."""
    held = (((row, source.sha256), source) for row in store.head() for source in row.sources)
    return matched(held, documents)


def named(held: Items[Document], path: str) -> list[int]:
    """Which of a commit's documents `path` means: the file that is there, or one by the path it was given.

    Raises StoreError where these are two.
    """
    wanted = Document(path, "", (), place=os.path.realpath(path))
    here = matched(enumerate(held), (wanted,)).get(path, [])
    listed = [at for at, each in enumerate(held) if each.path == path_text(path)]
    if here and listed and listed[0] not in here:
        both = ", ".join(str(held[at].place) for at in (listed[0], here[0]))
        raise StoreError(f"{path}: can be either of two files that it learned ({both}); give the full path")
    return here or listed


def _place(document: Document) -> str:
    return document.place or os.path.realpath(document.path)


def _real(path: str) -> str:
    return path_text(os.path.realpath(path))


def _told_apart(documents: Items[Document]) -> tuple[Document, ...]:
    """The same, where one path as given stands for two files each by its place."""
    count = Counter(each.path for each in documents)
    return tuple(
        replace(each, path=each.place, tasks=tuple(replace(task, source=each.place) for task in each.tasks))
        if each.place and count[each.path] > 1
        else each
        for each in documents
    )
