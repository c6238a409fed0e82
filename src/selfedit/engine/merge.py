"""Heads: a base with adapters merged into it, as a left fold in float32 with one cast at the end.

From the pristine base, or from a kept state of the very same fold, and each matrix on one thread, so that the
same history gives bit-identical weights whatever was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import final

import torch
from torch import Tensor, nn

from selfedit.engine.lora import Adapter
from selfedit.engine.machine import memory
from selfedit.engine.model import Model
from selfedit.engine.prefixes import Prefixes, arithmetic
from selfedit.engine.states import Kept, TornError, Writer
from selfedit.engine.streaming import BUFFER, Part, parts
from selfedit.errors import AdapterError, EngineError
from selfedit.types import Head


@final
class Heads:
    """The pristine base, and at most one head materialised beside it."""

    def __init__(self, model: Model, base: str) -> None:
        self.model, self.base = model, base
        self.pristine = {name: layer.weight for name, layer in model.layers.items()}
        self.active: str | None = None
        self._prefixes: Prefixes | None = None

    def keep(self, folder: Path, limit: int) -> None:
        """Keep states of heads in `folder`, a cache of at most `limit` bytes that may be deleted any time."""
        kind = arithmetic(self.model.device, self.model.dtype)
        self._prefixes = Prefixes(folder, limit, kind, self.model.device.type)

    def activate(self, head: Head | None) -> None:
        """Make the model's weights those of `head` (None: the base)."""
        wanted = head.id if head is not None and head.adapters else None
        if wanted == self.active:
            return
        for name, weight in self.pristine.items():
            self.model.layers[name].use(weight)
        self.active = None
        if head is not None and wanted is not None:
            for name, merged in self._merged(head).items():
                self.model.layers[name].use(nn.Parameter(merged, requires_grad=False))
            self.active = wanted

    @torch.no_grad()
    def _merged(self, head: Head) -> dict[str, Tensor]:
        """The weights of the layers that the head changes."""
        if head.base != self.base:
            raise EngineError(
                f"head {head.id[:12]} stands on another base; load the base that it was made on"
            )
        adapters = [adapter for adapter in head.adapters if isinstance(adapter, Adapter)]
        if len(adapters) != len(head.adapters):
            raise EngineError(f"head {head.id[:12]}: its adapters must be the engine's; load them first")
        for adapter in adapters:
            if unknown := set(adapter.modules) - set(self.pristine):
                raise AdapterError(
                    f"adapter {adapter.hash[:12]}: this base has no layer {min(unknown)}; use its own base"
                )
        with _workers(self.model.device) as workers:
            if self._prefixes is None:
                return Fold(self.model, self.pristine, adapters, None).run([], workers)
            while True:
                fold = Fold(self.model, self.pristine, adapters, self._prefixes.longest(head))
                try:
                    return _continued(fold, self._prefixes.writers(head, fold), workers)
                except TornError:
                    assert fold.start is not None
                    self._prefixes.refuse(fold.start)


def _continued(fold: Fold, writers: Items[Writer], workers: Executor) -> dict[str, Tensor]:
    """Run a fold; whatever comes of it, no file stays open or half written."""
    try:
        return fold.run(writers, workers)
    finally:
        for writer in writers:
            writer.close()
        if fold.start is not None:
            fold.start.close()


@final
class Fold:
    """One head in the making. Each matrix takes all adapters in one go, where memory allows."""

    def __init__(
        self, model: Model, pristine: dict[str, nn.Parameter], adapters: Items[Adapter], start: Kept | None
    ) -> None:
        self.model, self.pristine, self.adapters, self.start = model, pristine, adapters, start
        self.begin = 0 if start is None else start.count
        """How many adapters the kept state holds already."""
        self.lasting = next((n for n, a in enumerate(adapters) if a.file is None), len(adapters))
        self.wide = torch.promote_types(model.dtype, torch.float32)
        self._open: dict[str, Tensor] = {}

    def changed(self, count: int) -> dict[str, tuple[int, ...]]:
        """The layers that the first `count` adapters change, and the shapes of their weights."""
        found = set[str]().union(*{adapter.modules for adapter in self.adapters[:count]})
        return {name: tuple(weight.shape) for name, weight in self.pristine.items() if name in found}

    def products(self) -> list[int]:
        """Multiplications that each adapter costs."""
        sizes = {name: weight.numel() for name, weight in self.pristine.items()}
        of = {modules: sum(map(sizes.__getitem__, modules)) for modules in {a.modules for a in self.adapters}}
        return [adapter.rank * of[adapter.modules] for adapter in self.adapters]

    def run(self, writers: Items[Writer], workers: Executor) -> dict[str, Tensor]:
        """Merged weights by layer. The states that `writers` wait for are put into the cache."""
        if self.start is not None and self.start.shapes != self.changed(self.begin):
            raise TornError
        waiting = {writer.count: writer for writer in writers}
        done: dict[str, Tensor] = {}
        for part in parts(self.adapters[self.begin :], min(BUFFER, memory()[1] // 8)):
            advance = partial(self._advance, part, waiting)
            for name, merged in zip(part.modules, workers.map(advance, part.modules), strict=True):
                if merged is not None:
                    done[name] = merged
        untouched = [name for name in self.changed(self.begin) if name not in done]
        done.update(zip(untouched, workers.map(partial(self._kept, waiting), untouched), strict=True))
        for writer in writers:
            writer.finish([adapter.file for adapter in self.adapters[: writer.count]])
        return done

    def _advance(self, part: Part, waiting: dict[int, Writer], name: str) -> Tensor | None:
        """Fold one layer's factors of one part; the merged weight when none are left."""
        total = self._open.pop(name, None)
        if total is None:
            total = self._begun(name)
        matrix_OI = total.t() if self.model.layers[name].transposed else total
        for number, pairs in enumerate(part.pairs, self.begin + part.first):
            if name in pairs:
                a_RI, b_OR = pairs[name]
                self._fits(number, name, a_RI, b_OR, matrix_OI)
                matrix_OI.addmm_(b_OR.to(total), a_RI.to(total), alpha=self.adapters[number].scale)
            if number + 1 in waiting:
                waiting[number + 1].add(name, total)
        if not part.last:
            self._open[name] = total
            return None
        return total.to(self.model.dtype)

    def _kept(self, waiting: dict[int, Writer], name: str) -> Tensor:
        """A layer that is merged already in the state that the fold begins with."""
        total = self._begun(name)
        for writer in waiting.values():
            writer.add(name, total)
        return total.to(self.model.dtype)

    def _begun(self, name: str) -> Tensor:
        """The layer's weight as the fold begins, laid out row by row."""
        weight = self.pristine[name]
        total = torch.empty(weight.shape, dtype=self.wide)
        if self.start is None or name not in self.start.shapes:
            total = total.to(weight.device)
            return total.copy_(weight)
        self.start.read(name, total)
        return total.to(weight.device)

    def _fits(self, number: int, name: str, a_RI: Tensor, b_OR: Tensor, matrix_OI: Tensor) -> None:
        if (b_OR.shape[0], a_RI.shape[1]) != matrix_OI.shape or b_OR.shape[1] != a_RI.shape[0]:
            raise AdapterError(
                f"adapter {self.adapters[number].hash[:12]}: {name} has another shape here; use its own base"
            )


@contextmanager
def _workers(device: torch.device) -> Iterator[Executor]:
    """As many threads as the engine computes with, each of which computes alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(before if device.type == "cpu" else 1, "fold") as workers:
            yield workers
    finally:
        torch.set_num_threads(before)
