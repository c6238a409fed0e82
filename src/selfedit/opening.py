"""How a store is opened, and who loads its model when the model is first needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from selfedit.errors import StoreError
from selfedit.store import Store

if TYPE_CHECKING:
    from selfedit.workers import Worker


@final
@dataclass(frozen=True)
class Access:
    """How a store is opened."""

    wait: float = 0.0
    """Seconds that a writer waits for another to end; 0 fails at once, `math.inf` waits until it is free."""
    waiting: Callable[[str], None] | None = None
    """Told once, in words, who holds the store that one waits for."""
    journal: str = ""
    """URL of the journal where it is a PostgreSQL database, for a new store or for its password."""


AT_ONCE = Access()


def loader(ref: str, device: str, dtype: str) -> Callable[[], Worker]:
    """Loads the model. The engine too is loaded only then: looking at a store should not take seconds."""

    def load() -> Worker:
        from selfedit.engine import Engine
        from selfedit.workers.local import LocalWorker

        return LocalWorker(Engine.load(ref, device=device, dtype=dtype))

    return load


def check_new(place: Path, journal: str) -> None:
    """Say so before a model is loaded where no store can be made."""
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise StoreError(f"{place}: something else is there; choose an empty or a new place with --store")
    if journal:
        Store.check_journal(journal, place)
