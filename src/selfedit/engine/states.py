"""The state of a head's fold as a file: the sums that it had come to, each with a checksum. Never unpickled.

safetensors, written layer by layer under a hidden name and then renamed; not synced, since a file that a
crash tore is noticed. Knows nothing of what is worth keeping, or of how states are made.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import uuid
import zlib
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from selfedit.engine.streaming import fill, read_header

FORMAT = "selfedit prefix 1"
SUFFIX, INCOMING = ".safetensors", ".incoming-"
NAMES = {torch.float32: "F32", torch.float64: "F64"}

Shapes = Mapping[str, tuple[int, ...]]
"""By layer, the shape of its weight."""


class TornError(Exception):
    """A state is not what its name says. Never leaves the engine."""


def adapters_of(file: Path) -> tuple[str, ...]:
    """The adapters that a state holds, as its writer named them. Raises OSError, or TornError."""
    try:
        return tuple(_metadata(read_header(file))["adapters"].split())
    except (ValueError, KeyError, TypeError) as error:
        raise TornError from error


def _metadata(header: bytes) -> dict[str, str]:
    """Raises ValueError, KeyError or TypeError if this is no header of ours."""
    told = json.loads(header)["__metadata__"]
    if told["format"] != FORMAT or told["check"] != _check(header, told["check"]):
        raise ValueError("no state, or a torn one")
    return told


def _check(header: bytes, told: str) -> str:
    """The header's own checksum, made with zeros in its place."""
    return f"{zlib.crc32(header.replace(_field('check', told), _field('check', '0' * 8), 1)):08x}"


def _field(name: str, value: str) -> bytes:
    return f'"{name}":"{value}"'.encode()


@final
class Kept:
    """A state, opened: it can be read though its file be deleted. Raises OSError, or TornError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stream = path.open("rb", buffering=0)
        try:
            self._understand()
        except BaseException:
            self.close()
            raise

    def _understand(self) -> None:
        try:
            size = int.from_bytes(self._stream.read(8), "little")
            if not 2 <= size <= self.path.stat().st_size:
                raise TornError
            header = bytearray(size)
            fill(self._stream, 8, memoryview(header))
            told = _metadata(bytes(header))
            entries: dict[str, Any] = json.loads(header)
            del entries["__metadata__"]
            self.count = len(told["adapters"].split())
            self.shapes: Shapes = {name: tuple(entry["shape"]) for name, entry in entries.items()}
            self._offsets = {name: 8 + size + entry["data_offsets"][0] for name, entry in entries.items()}
            self._sums = dict(zip(entries, told["sums"].split(), strict=True))
            self._dtypes = {name: entry["dtype"] for name, entry in entries.items()}
        except (ValueError, KeyError, TypeError) as error:
            raise TornError from error

    def read(self, name: str, into: Tensor) -> None:
        """The sum of one layer, into memory laid out row by row. Raises TornError. Any thread may call it."""
        if self._dtypes[name] != NAMES.get(into.dtype) or self.shapes[name] != tuple(into.shape):
            raise TornError
        room = _bytes(into)
        try:
            with self._lock:
                fill(self._stream, self._offsets[name], room)
        except OSError as error:
            raise TornError from error
        if f"{zlib.crc32(room):08x}" != self._sums[name]:
            raise TornError

    def close(self) -> None:
        self._stream.close()


@final
class Writer:
    """A state on its way to the disk. What the disk refuses, nobody hears of: there is then no state."""

    def __init__(self, path: Path, line: tuple[str, ...], shapes: Shapes, dtype: torch.dtype) -> None:
        self.path, self.count, self._line, self._shapes, self._dtype = path, len(line), line, shapes, dtype
        self._incoming = path.with_name(f"{INCOMING}{uuid.uuid4().hex}")
        self._sums = dict.fromkeys(shapes, "0" * 8)
        self._left = set(shapes)
        self._lock = threading.Lock()
        header = self._header()
        sizes = [dtype.itemsize * prod(shape) for shape in shapes.values()]
        starts = [len(header) + sum(sizes[:at]) for at in range(len(sizes))]
        self._offsets = dict(zip(shapes, starts, strict=True))
        self._stream = self._incoming.open("xb", buffering=0)

    def add(self, name: str, total: Tensor) -> None:
        """The sum of one layer, if it is one of the state's. Any thread may call it."""
        if name not in self._offsets or self._stream.closed:
            return
        room = _bytes(total.cpu().contiguous())
        checksum = f"{zlib.crc32(room):08x}"
        with self._lock:
            try:
                self._put(self._offsets[name], room)
                self._sums[name] = checksum
                self._left.discard(name)
            except (OSError, ValueError):  # ValueError: another thread met the OSError and closed it
                self.close()

    def finish(self, sources: Iterable[Path | None]) -> None:
        """Give the file its name. If by then one of the adapters' files is gone, the state must go too."""
        if self._left or self._stream.closed:
            return
        try:
            self._put(0, memoryview(self._header()))
            self._stream.close()
            os.replace(self._incoming, self.path)
        except OSError:
            self.close()
        if not all(source is None or source.exists() for source in sources):
            remove(self.path)

    def close(self) -> None:
        """Give up what is not finished."""
        self._stream.close()
        remove(self._incoming)

    def _put(self, offset: int, room: memoryview) -> None:
        self._stream.seek(offset)
        done = 0
        while done < len(room):
            done += self._stream.write(room[done:])

    def _header(self) -> bytes:
        """Its length does not depend on the checksums."""
        entries: dict[str, Any] = {}
        offset = 0
        for name, shape in self._shapes.items():
            end = offset + self._dtype.itemsize * prod(shape)
            entries[name] = {
                "dtype": NAMES[self._dtype],
                "shape": list(shape),
                "data_offsets": [offset, end],
            }
            offset = end
        told = {"format": FORMAT, "check": "0" * 8, "adapters": " ".join(self._line)}
        entries["__metadata__"] = {**told, "sums": " ".join(self._sums.values())}
        text = json.dumps(entries, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 64 + 56)  # the sums begin at a multiple of 64
        checked = text.replace(_field("check", "0" * 8), _field("check", _check(text, "0" * 8)), 1)
        return len(text).to_bytes(8, "little") + checked


def _bytes(tensor: Tensor) -> memoryview:
    raw: Any = tensor.view(-1).view(torch.uint8).numpy()
    return memoryview(raw)


def remove(file: Path) -> None:
    """Delete a file of the cache, if that can be."""
    with contextlib.suppress(OSError):
        file.unlink()
