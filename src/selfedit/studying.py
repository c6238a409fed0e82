"""From what was read to commits: what is known already, what is refused, what takes whose place, what is new.

One document after another through `lifelong.learn`; what is not let in is held back with its reasons.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from selfedit import correcting, lifelong
from selfedit.admission import Screening
from selfedit.arrivals import Arrivals, arrivals, planned
from selfedit.config import Learning
from selfedit.contradictions import Conflict
from selfedit.errors import DocumentError
from selfedit.guarding import Guard
from selfedit.lessons import Hire, Lesson
from selfedit.lifelong import LearnReport, together
from selfedit.quarantine import Candidate, hold_files
from selfedit.store import Source, Store
from selfedit.tasks import Document, Reading
from selfedit.undoing import standing


@final
@dataclass(frozen=True)
class Study:
    """The store, who learns, and how."""

    store: Store
    hire: Hire
    like: Lesson
    """A lesson without documents: the settings and what goes with them."""
    each: bool = False
    screening: Screening | None = None
    """What the documents were screened by; None where everything is let in."""
    guard: Guard | None = None
    """Who reads new documents for orders to the model; None where nobody does."""

    def learn(self, reading: Reading) -> LearnReport:
        """Learn what is new in what was read: together, or one commit a file."""
        found, refused = self._admitted(arrivals(self.store, reading))
        reports = [self._refusal([document], reasons) for document, reasons in refused]
        for lesson in planned(self.store, found, self.like, self.each):
            reports.append(self._lesson(lesson))
        stale = tuple(row.id for row in self.store.stale())
        if not reports:
            return LearnReport(reason="nothing new to learn", skipped=found.skipped, stale=stale)
        notes = tuple(line for document in _documents(found) for line in self._notes(document))
        return replace(together(reports), skipped=found.skipped, stale=stale, notes=notes)

    def _lesson(self, lesson: Lesson) -> LearnReport:
        """One lesson; what contradicts live commits is held back, or corrects them first."""
        pupil = self.hire(standing(self.store, lesson))
        wanted = lesson.correction or (lesson.gated and lesson.settings.gate.contradictions)
        found = correcting.contradicted(pupil, lesson) if wanted else ()
        if not found:
            return lifelong.learn(pupil, lesson)
        if not lesson.correction:
            return self._refusal(lesson.documents, correcting.reasons(self.store, found))
        return self._correcting(lesson, found)

    def _correcting(self, lesson: Lesson, found: Items[Conflict]) -> LearnReport:
        """Every commit that holds an old fact, then the lesson itself; if one keeps the old fact, all do."""
        before, done = [row.id for row in self.store.head()], list[LearnReport]()
        for each in correcting.corrections(self.store, found):
            done.append(lifelong.learn(self.hire(standing(self.store, each)), each))
            if not done[-1].accepted:
                if len(done) > 1:
                    self.store.move_head("rollback", before)
                return replace(together(done), commits=(), replaced=())
        mine = replace(lesson, corrects=correcting.corrected(found))
        return together([*done, lifelong.learn(self.hire(standing(self.store, mine)), mine)])

    def _admitted(self, found: Arrivals) -> tuple[Arrivals, list[tuple[Document, tuple[str, ...]]]]:
        """What is let in, and what is not, with the reasons."""
        self._read_by_guard([each for each in _documents(found) if not self._refused(each)])
        refused = [(each, why) for each in _documents(found) if (why := self._refused(each))]
        gone = {document.path for document, _ in refused}
        changed = {
            commit: kept
            for commit, documents in found.changed.items()
            if (kept := tuple(each for each in documents if each.path not in gone))
        }
        fresh = tuple(each for each in found.fresh if each.path not in gone)
        return replace(found, fresh=fresh, changed=changed), refused

    def _read_by_guard(self, documents: Items[Document]) -> None:
        """What the guard takes for an order is found in the document, as what the lists hold."""
        if self.screening and self.guard and documents:
            texts = ["\n".join(task.passage for task in each.tasks) for each in documents]
            for document, finding in zip(documents, self.guard.orders(texts), strict=True):
                if finding:
                    self.screening.add(document.path, finding)

    def _refused(self, document: Document) -> tuple[str, ...]:
        return self.screening.refused(document.path) if self.screening else ()

    def _notes(self, document: Document) -> tuple[str, ...]:
        notes = self.screening.notes(document.path) if self.screening else ()
        return tuple(f"{document.path}: {note}" for note in notes)

    def _refusal(self, documents: Items[Document], reasons: Items[str]) -> LearnReport:
        held = held_back(self.store, documents, reasons, self.like.settings)
        paths = ", ".join(each.path for each in documents)
        return LearnReport(accepted=False, reason=f"{paths}: {'; '.join(reasons)}", quarantined=(held,))


def held_back(store: Store, documents: Items[Document], reasons: Items[str], settings: Learning) -> Candidate:
    """Note that documents were not let in."""
    sources = [Source(each.path, each.sha256, each.bytes, each.place) for each in documents]
    return hold_files(store, sources, reasons, settings.model_dump(mode="json"))


def _documents(found: Arrivals) -> Iterable[Document]:
    """Each once, in the order of their paths."""
    every = (*found.fresh, *(each for documents in found.changed.values() for each in documents))
    return dict(sorted({each.path: each for each in every}.items())).values()


def unchanged_files(held: Candidate) -> list[Path]:
    """Where the files of a candidate lie. Raises DocumentError where one is not as it was held back."""
    return [_unchanged(source) for source in held.sources]


def _unchanged(source: Source) -> Path:
    path = Path(source.place or source.path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DocumentError(
            f"{path}: cannot be read ({error.strerror}); put it back, or reject it"
        ) from error
    if digest != source.sha256:
        raise DocumentError(f"{path}: not as it was when it was held back; learn it again")
    named = Path(source.path)
    return named if os.path.realpath(named) == str(path) else path
