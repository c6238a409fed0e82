"""Documents into tasks of one passage within a token budget. Knows nothing of tokenizers, models or stores.

A document is read by its suffix, reduced to a title and sections of paragraphs (JSON rows are tasks already)
and split by its own structure. Every input that cannot be used is a `DocumentError` of one line.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from selfedit.errors import DocumentError, UsageError
from selfedit.tasks import _html, _markdown, _pdf, _plain, _rows
from selfedit.tasks._files import decode, load, reason
from selfedit.tasks._outline import Outline, outline, readable
from selfedit.tasks._split import Count, passages
from selfedit.types import Task

LIMIT_BYTES = 64 * 2**20
Mend = Callable[[str, str], str]
"""Path and text of a document → the text that is read in its place."""


def as_it_is(path: str, text: str) -> str:
    """Nothing is mended."""
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """A file and the tasks that it came to, in reading order."""

    path: str
    """As the user gave it; for a file inside a folder, the folder as given with the file's place in it."""
    sha256: str
    """Of the file's bytes."""
    tasks: tuple[Task, ...]
    bytes: int = 0
    """Size of the file."""
    place: str | None = None
    """Its real path from the root when it was read; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and one line for each file that was not."""

    documents: tuple[Document, ...]
    skipped: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task for document in self.documents for task in document.tasks)


def read(
    paths: str | Path | Iterable[str | Path],
    *,
    count: Count,
    budget: int = 256,
    limit_bytes: int = LIMIT_BYTES,
    mend: Mend = as_it_is,
) -> Reading:
    """The documents at `paths` as tasks whose passages hold at most `budget` tokens by `count`.

    A folder is read through, sorted, without hidden files; what cannot be read there is skipped with a line.
    A passage that comes with its questions (SQuAD) stays whole whatever its length. `mend` is given each
    document's text before it is split (rows: each passage), and gives back what is to be read. Raises
    `DocumentError` for a named file that cannot be used and a folder in which nothing can; `UsageError` for a
    budget below 1.
    """
    if budget < 1:
        raise UsageError(f"passage budget is {budget}; choose at least 1 token")
    reader = _Reader(count, budget, limit_bytes, mend)
    named = [Path(paths)] if isinstance(paths, str | Path) else list(map(Path, paths))
    if not named:
        raise UsageError("no document named; give a file or a folder")
    readings = [reader.folder(path) if _is_folder(path) else Reading((reader.file(path),)) for path in named]
    return _once(readings)


def read_squad(path: str | Path, *, limit_bytes: int = LIMIT_BYTES) -> tuple[Task, ...]:
    """The tasks of a SQuAD file (nested, flat list, or .jsonl) with gold probes; passages stay whole."""
    reader = _Reader(len, LIMIT_BYTES, limit_bytes)
    tasks = reader.file(Path(path)).tasks
    if not any(task.probes for task in tasks):
        raise DocumentError(
            f"{path}: no questions; a SQuAD file gives each passage with its questions and answers"
        )
    return tasks


@dataclass(frozen=True, slots=True)
class _Reader:
    count: Count
    budget: int
    limit: int
    mend: Mend = as_it_is

    def folder(self, folder: Path) -> Reading:
        documents: list[Document] = []
        skipped: list[str] = []
        for path in _files(folder, skipped):
            try:
                documents.append(self.file(path))
            except DocumentError as error:
                skipped.append(str(error))
        if not documents:
            rest = f" (the first of {len(skipped)}: {skipped[0]})" if skipped else ""
            raise DocumentError(f"{folder}: a folder without readable documents; it takes {_SUFFIXES}{rest}")
        return Reading(tuple(documents), tuple(skipped))

    def file(self, path: Path) -> Document:
        kind = _KINDS.get(path.suffix.lower() or ".txt")
        if kind is None and path.exists():
            raise DocumentError(f"{path}: {path.suffix} files are not read; convert it to one of {_SUFFIXES}")
        data = load(path, self.limit)
        tasks = (kind or _text)(_Source(data, str(path), path.stem), self)
        if not tasks:
            raise DocumentError(f"{path}: empty, or only white space; give a document with text")
        digest, place = hashlib.sha256(data).hexdigest(), os.path.realpath(path)
        return Document(str(path), digest, tuple(tasks), len(data), place)

    def split(self, found: Outline, source: str) -> list[Task]:
        parts = passages(found, self.count, self.budget)
        return _rows.merged(Task(title, text, (), source) for title, text in parts)


@dataclass(frozen=True, slots=True)
class _Source:
    data: bytes
    path: str
    stem: str


def _text(source: _Source, reader: _Reader) -> list[Task]:
    found = _plain.blocks(reader.mend(source.path, decode(source.data, source.path)))
    return reader.split(outline(found, stem=source.stem), source.path)


def _md(source: _Source, reader: _Reader) -> list[Task]:
    title, text = _markdown.front_matter(reader.mend(source.path, decode(source.data, source.path)))
    return reader.split(outline(_markdown.blocks(text), declared=title, stem=source.stem), source.path)


def _web(source: _Source, reader: _Reader) -> list[Task]:
    text = decode(source.data, source.path, _html.charset(source.data))
    title, found = _html.parse(reader.mend(source.path, text))
    return reader.split(outline(found, declared=title, stem=source.stem), source.path)


def _portable(source: _Source, reader: _Reader) -> list[Task]:
    if not source.data.strip():
        return []
    title, found = _pdf.parse(source.data, source.path)
    text = "\n\n".join(found)
    if (mended := reader.mend(source.path, text)) != text:
        found = [part for part in mended.split("\n\n") if part.strip()]
    return reader.split(outline(found, declared=title, stem=source.stem), source.path)


def _jsonl(source: _Source, reader: _Reader) -> list[Task]:
    return _from_rows(source, reader, _rows.json_lines(decode(source.data, source.path), source.path))


def _json(source: _Source, reader: _Reader) -> list[Task]:
    text = decode(source.data, source.path)
    return _from_rows(source, reader, _rows.json_rows(text, source.path)) if text.strip() else []


def _from_rows(source: _Source, reader: _Reader, rows: Iterator[tuple[str, _rows.Row]]) -> list[Task]:
    stem = readable(source.stem)
    given = (task for where, row in rows for task in _rows.tasks(row, where, stem, source.path))
    mended = (replace(task, passage=reader.mend(source.path, task.passage)) for task in given)
    held = (task for task in mended if task.passage.strip())
    return _rows.merged(part for task in held for part in _fitted(task, reader))


def _fitted(task: Task, reader: _Reader) -> list[Task]:
    """The task whole where it has probes, for they ask about all of it; else split to the budget."""
    if task.probes:
        return [task]
    return reader.split(outline(_plain.blocks("\n\n" + task.passage), declared=task.title), task.source)


_KINDS: dict[str, Callable[[_Source, _Reader], list[Task]]] = {
    ".txt": _text, ".text": _text, ".md": _md, ".markdown": _md, ".pdf": _portable,
    ".html": _web, ".htm": _web, ".xhtml": _web, ".jsonl": _jsonl, ".json": _json,
}  # fmt: skip
_SUFFIXES = ".txt .md .pdf .html .jsonl .json"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # reading it as a file says why


def _files(folder: Path, skipped: list[str]) -> Iterator[Path]:
    """The folder's documents, sorted; other files, and folders that cannot be listed, go to `skipped`."""

    def unlisted(error: OSError) -> None:
        skipped.append(f"{error.filename}: {reason(error)}")

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=unlisted):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    for path in sorted(found):
        if path.suffix.lower() in _KINDS:
            yield path
        else:
            skipped.append(f"{path}: {path.suffix or 'suffixless'} files are not read; it takes {_SUFFIXES}")


def _once(readings: Iterable[Reading]) -> Reading:
    """All readings as one, each file once however often it was named."""
    documents: dict[str, Document] = {}
    skipped: list[str] = []
    for reading in readings:
        skipped += reading.skipped
        for document in reading.documents:
            real = document.place or document.path
            if real in documents:
                skipped.append(f"{document.path}: named twice; read once")
            documents.setdefault(real, document)
    return Reading(tuple(documents.values()), tuple(skipped))
