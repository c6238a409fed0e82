"""Adapters' factors module by module, in bounded memory: of files only parts are read, the next one ahead.

Knows nothing of bases or heads.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from selfedit.engine.lora import PREFIX, Adapter, Hasher
from selfedit.errors import AdapterError

BUFFER = 256 << 20
"""Bytes of factors that are read at once. There are two such buffers: one is used while the other fills."""
ALIGNED = 64
"""Every tensor that is read begins at a multiple of this, so that products meet it alike however it came."""
LONGEST_HEADER = 1 << 27

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}

Pairs = Mapping[str, tuple[Tensor, Tensor]]
"""By module: A [R, I] and B [O, R], of whatever type they are kept in."""


@final
@dataclass(frozen=True)
class Part:
    """Factors of some modules, of adapters that follow one another. Good until the next part is asked for."""

    modules: tuple[str, ...]
    first: int
    """The first adapter's number."""
    pairs: tuple[Pairs, ...]
    """One an adapter; a module that an adapter does not have is missing."""
    last: bool
    """No adapter comes after these."""


def parts(adapters: Items[Adapter], buffer: int = BUFFER) -> Iterator[Part]:
    """All factors: some modules of all adapters, then the next modules.

    Adapters whose hash was told and never computed are held to it; the last part comes only if all is well.
    Raises AdapterError.
    """
    sources = _sources(adapters)
    steps = list(_steps(sources, buffer))
    arenas = (_Arena(), _Arena())

    def read(number: int) -> Part:
        modules, first, end = steps[number]
        arena = arenas[number % 2]
        arena.clear(sum(s.layout.bytes(modules) for s in sources[first:end] if s.layout is not None))
        pairs = tuple(source.read(modules, arena) for source in sources[first:end])
        if number == len(steps) - 1:
            for source in sources:
                source.check()
        return Part(modules, first, pairs, end == len(sources))

    with ThreadPoolExecutor(1, "adapters") as reader:
        ahead = reader.submit(read, 0) if steps else None
        for number in range(len(steps)):
            assert ahead is not None
            part = ahead.result()
            if number + 1 < len(steps):
                ahead = reader.submit(read, number + 1)
            yield part


def _steps(sources: Items[_Source], buffer: int) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """(modules, first adapter, end) of each part: as many modules as fit, or if not one does, fewer adapters.

    Modules come in the order in which an adapter is hashed.
    """
    modules = sorted({module for source in sources for module in source.modules}, key=lambda name: f"{name}.")
    alike = Counter(source.layout for source in sources if source.layout is not None)
    group: list[str] = []
    filled = 0
    for module in modules:
        size = sum(count * layout.bytes((module,)) for layout, count in alike.items())
        if group and filled + size > buffer:
            yield from _dealt(tuple(group), filled, len(sources), buffer)
            group, filled = [], 0
        group.append(module)
        filled += size
    if group:
        yield from _dealt(tuple(group), filled, len(sources), buffer)


def _dealt(
    modules: tuple[str, ...], size: int, adapters: int, buffer: int
) -> Iterator[tuple[tuple[str, ...], int, int]]:
    count = adapters if size <= buffer else max(1, adapters * buffer // size)
    for first in range(0, adapters, count):
        yield modules, first, min(adapters, first + count)


# -- where factors come from -------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class _Place:
    """Where a tensor lies in a file."""

    offset: int
    bytes: int
    dtype: torch.dtype
    shape: tuple[int, ...]


@final
class _Layout:
    """Where all tensors lie, by name without PEFT's prefix. Files that are alike share one."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        self.places = places
        self._sizes: dict[tuple[str, ...], int] = {}

    def bytes(self, modules: tuple[str, ...]) -> int:
        """Room that these modules take in an arena."""
        if modules not in self._sizes:
            names = (name for module in modules for name in names_of(module))
            self._sizes[modules] = sum(_padded(self.places[n].bytes) for n in names if n in self.places)
        return self._sizes[modules]


@final
class _Arena:
    """Memory that is used again and again: fresh pages would cost more than reading into them."""

    def __init__(self) -> None:
        self._bytes = memoryview(bytearray())
        self._at = 0

    def clear(self, size: int) -> None:
        """Forget what was taken; make room for `size` bytes."""
        self._at = 0
        if len(self._bytes) < size:
            raw: Any = torch.empty(size, dtype=torch.uint8).numpy()
            self._bytes = memoryview(raw)

    def take(self, place: _Place) -> tuple[memoryview, Tensor]:
        """Room for a tensor, as bytes and as the tensor."""
        begin, self._at = self._at, self._at + _padded(place.bytes)
        room = self._bytes[begin : begin + place.bytes]
        return room, torch.frombuffer(room, dtype=place.dtype).view(place.shape)


@final
class _Source:
    """One adapter's factors: those in memory as they are, those in a file read in parts."""

    def __init__(self, adapter: Adapter, layout: _Layout | None) -> None:
        self.adapter, self.modules, self.layout = adapter, frozenset(adapter.modules), layout
        self._held = adapter.tensors() if layout is None else {}
        self._hasher = Hasher(adapter.rank, adapter.alpha) if layout is not None and adapter.told else None

    def read(self, modules: Items[str], arena: _Arena) -> Pairs:
        wanted = [module for module in modules if module in self.modules]
        if self.layout is None:
            return {module: _pair(self._held, module) for module in wanted}
        found: dict[str, Tensor] = {}
        file = self.adapter.file
        assert file is not None
        try:
            with file.open("rb", buffering=0) as stream:
                for name in (name for module in wanted for name in names_of(module)):
                    place = self.layout.places[name]
                    room, found[name] = arena.take(place)
                    fill(stream, place.offset, room)
        except OSError as error:
            raise _unreadable(file, error.strerror or str(error)) from error
        if self._hasher is not None:
            for name, tensor in found.items():
                self._hasher.add(name, tensor.float())
        return {module: _pair(found, module) for module in wanted}

    def check(self) -> None:
        """After all was read: is it what its hash says? Raises AdapterError."""
        if self._hasher is None:
            return
        if self._hasher.hexdigest() != self.adapter.hash:
            raise AdapterError(
                f"{self.adapter.file}: damaged, not the weights of adapter {self.adapter.hash[:12]}; "
                "put a backup of it in its place"
            )
        self.adapter.told = False


def names_of(module: str) -> tuple[str, str]:
    """The names of a module's A and B."""
    return f"{module}.lora_A.weight", f"{module}.lora_B.weight"


def _pair(tensors: Mapping[str, Tensor], module: str) -> tuple[Tensor, Tensor]:
    a, b = names_of(module)
    return tensors[a], tensors[b]


def _sources(adapters: Items[Adapter]) -> list[_Source]:
    """Files of one layout, as most are, share what is known of it."""
    known: dict[bytes, _Layout] = {}
    return [
        _Source(adapter, None if adapter.file is None else _layout(adapter, adapter.file, known))
        for adapter in adapters
    ]


def _layout(adapter: Adapter, file: Path, known: dict[bytes, _Layout]) -> _Layout:
    try:
        header = read_header(file)
        if header not in known:
            entries = {name: entry for name, entry in json.loads(header).items() if name != "__metadata__"}
            places = {n.removeprefix(PREFIX): _place(e, 8 + len(header)) for n, e in entries.items()}
            known[header] = _Layout(places)
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(file, "not a whole safetensors file") from error
    layout = known[header]
    for module in adapter.modules:
        if not layout.places.keys() >= set(names_of(module)):
            raise _unreadable(file, f"it has no adapter for {module}")
    return layout


def _place(entry: Any, data: int) -> _Place:
    begin, end = entry["data_offsets"]
    place = _Place(data + begin, end - begin, DTYPES[entry["dtype"]], tuple(entry["shape"]))
    if place.bytes != place.dtype.itemsize * torch.Size(place.shape).numel() or begin < 0:
        raise ValueError("sizes do not agree")
    return place


def read_header(file: Path) -> bytes:
    """A safetensors file's header, unread. Raises OSError, or ValueError if there cannot be one."""
    with file.open("rb", buffering=0) as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= LONGEST_HEADER:
            raise ValueError("no header")
        header = bytearray(size)
        fill(stream, 8, memoryview(header))
    return bytes(header)


def fill(stream: Any, offset: int, room: memoryview) -> None:
    """Read into all of `room` from `offset` on. Raises OSError where the file ends before."""
    stream.seek(offset)
    done = 0
    while done < len(room):
        got = stream.readinto(room[done:])
        if not got:
            raise OSError("it ends too early")
        done += got


def _unreadable(file: Path, reason: str) -> AdapterError:
    return AdapterError(f"{file}: cannot be read ({reason}); put a backup of it in its place")


def _padded(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED
