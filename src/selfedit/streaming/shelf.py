"""Adapters and moments that later steps need, as folders below the store; removed when nothing needs them.

Whole or not there: each is written beside its place and then renamed. What is broken counts as missing. May
be deleted at any time: it is then made again. Knows nothing of who trains.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from selfedit.errors import AdapterError, EngineError, StoreError

if TYPE_CHECKING:
    from selfedit.engine import Adapter, Moments

FOLDER = "streams"
TOLD = "told.json"
MOMENTS = "moments.safetensors"
SHORT = 32
"""Characters of a key that name its folder."""


@final
@dataclass(frozen=True)
class Told:
    """What is known of a training beside its weights."""

    seconds: float = 0.0
    hash: str | None = None
    """Of the adapter; None where none was kept."""
    tokens: int = 0
    bytes: int = 0
    """Of the adapter's weights."""
    beside: int = 0
    """Bytes of what else the training took of earlier documents."""
    scale: float | None = None
    rebuilt: bool = False
    failure: str | None = None


@final
@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    adapter: Adapter | None
    told: Told


@final
class Shelf:
    """The folder of one store."""

    def __init__(self, store: Path) -> None:
        self.folder = store / FOLDER

    def put(self, key: str, adapter: Adapter | None, told: Told) -> Trained:
        """Keep what a training came to; the adapter is read from its file from now on."""

        def write(folder: Path) -> None:
            if adapter is not None:
                adapter.save(folder)
            (folder / TOLD).write_text(json.dumps(asdict(told)), encoding="utf-8")

        place = self._whole(key, write)
        return Trained(adapter and adapter.at(place), told)

    def get(self, key: str) -> Trained | None:
        """What was kept under the key; None where nothing whole was."""
        place = self._place(key)
        try:
            told = Told(**json.loads((place / TOLD).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return Trained(None, told) if told.hash is None else self._loaded(place, told)

    def _loaded(self, place: Path, told: Told) -> Trained | None:
        from selfedit.engine import Adapter

        try:
            adapter = Adapter.load(place)
        except (AdapterError, OSError, ValueError, LookupError, TypeError):
            return None
        return Trained(adapter, told) if adapter.hash == told.hash else None

    def put_moments(self, key: str, moments: Moments) -> None:
        """Keep moments."""

        def write(folder: Path) -> None:
            moments.save(folder / MOMENTS)
            (folder / TOLD).write_text(moments.hash, encoding="utf-8")

        self._whole(_moments(key), write)

    def get_moments(self, key: str, rank: int) -> Moments | None:
        """The moments that were kept; None where none whole were, or of another rank.

        A first document's adapter is the same for strategies of any rank, and so is its key.
        """
        place = self._place(_moments(key))
        if not place.is_dir():
            return None
        from selfedit.engine import Moments

        try:
            found = Moments.load(place / MOMENTS)
            whole = (place / TOLD).read_text(encoding="utf-8") == found.hash
            return found if whole and found.rank == rank else None
        except (EngineError, OSError, ValueError):
            return None

    def drop(self, keys: Iterable[str]) -> None:
        """Remove what was kept under these keys."""
        for key in keys:
            shutil.rmtree(self._place(key), ignore_errors=True)
            self.drop_moments([key])

    def drop_moments(self, keys: Iterable[str]) -> None:
        """Remove the moments that were kept under these keys."""
        for key in keys:
            shutil.rmtree(self._place(_moments(key)), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what was left half written, and the folder where nothing is in it."""
        for path in self.folder.glob(".*"):
            shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _place(self, key: str) -> Path:
        return self.folder / key[:SHORT]

    def _whole(self, key: str, write: Callable[[Path], object]) -> Path:
        """A folder under the key that `write` has filled: all of it, or none."""
        place = self._place(key)
        unfinished = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            write(unfinished)
            shutil.rmtree(place, ignore_errors=True)
            unfinished.replace(place)
        except OSError as error:
            raise StoreError(f"{place}: {error.strerror}; free space, or choose another --store") from error
        return place


def _moments(key: str) -> str:
    """The key of the moments that go with an adapter's."""
    return f"m{key}"
