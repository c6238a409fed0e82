"""`bench heads`: a head of many adapters, built from nothing and from kept states, against bare products.

The rival does what cannot be left out: one float32 `addmm_` an adapter and layer, on one thread, layer after
layer with everything in memory. A few distinct adapters stand under many names, so that a thousand need no
20 GB of disk; the products do not know it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Items
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from selfedit.bench import machine
from selfedit.bench.ground import progress
from selfedit.bench.table import Row
from selfedit.engine import Adapter, Engine
from selfedit.engine.lora import AdapterMeta
from selfedit.engine.streaming import parts
from selfedit.types import content_hash

RIVAL = "bare addmm_ (float32, one thread)"
DISTINCT = 8


@dataclass(frozen=True)
class HeadsSettings:
    """One run: a head of `adapters` adapters of `rank` on `base`."""

    adapters: int = 1000
    rank: int = 16
    base: str = "smollm2-135m"
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    """0: the engine's own choice."""


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and seconds that this process computed: what else ran is no part of those."""

    wall: float
    cpu: float

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.cpu + other.cpu)


def command(quick: bool, **given: Any) -> list[dict[str, Any]]:
    """Rows as the command line prints them; None means not given."""
    settings = HeadsSettings(adapters=24) if quick else HeadsSettings()
    settings = replace(settings, **{key: value for key, value in given.items() if value is not None})
    return [row.as_json() for row in run(settings)]


def run(settings: HeadsSettings) -> list[Row]:
    """Rows as adapters a second: a head's adapters over the seconds until it can be stood on."""
    device, dtype = machine.resolve(settings.device, settings.dtype)
    settings = replace(settings, device=device, dtype=dtype)
    progress(f"heads: loading {settings.base}, {settings.adapters} adapters of rank {settings.rank}")
    engine = Engine.load(settings.base, device=device, dtype=dtype)
    engine.threads = settings.threads or engine.threads
    with tempfile.TemporaryDirectory(prefix="selfedit-bench-") as folder, _threads(engine.threads):
        return Heads(engine, settings, Path(folder)).rows()


class Heads:
    """The adapters in memory and in files, and what is measured with them."""

    def __init__(self, engine: Engine, settings: HeadsSettings, folder: Path) -> None:
        self.engine, self.settings, self.folder = engine, settings, folder
        made = [_random(engine, settings.rank, seed) for seed in range(min(DISTINCT, settings.adapters))]
        files = [adapter.save(folder / f"adapter-{i}") for i, adapter in enumerate(made)]
        self.checked = [Adapter.load(file) for file in files]
        self.held = [_named(made[i % len(made)], i) for i in range(settings.adapters)]
        self.filed = [_named(self.checked[i % len(made)], i) for i in range(settings.adapters)]

    def rows(self) -> list[Row]:
        """The rival is measured before and after our first fold, half its layers each time."""
        count = len(self.held)
        names = list(self.engine.model.layers)
        first, sums = self._bare(names[::2])
        progress("heads: ours, adapters in memory")
        ours = self._stand_on(self.held)
        agrees = self._agrees(sums)
        second, sums = self._bare(names[1::2])
        theirs = first + second
        found = [
            self._row(
                f"{count} adapters in memory", count, ours, theirs,
                agreement=float(agrees and self._agrees(sums)), agreement_kind="equal weights",
                **self._layouts(),
            )
        ]  # fmt: skip
        progress("heads: adapters from files, states kept")
        ours = self._stand_on(self.filed)
        found.append(self._row(f"{count} adapters from files", count, ours, theirs, **self._reading()))
        self.engine.keep_heads(self.folder / "heads")
        filling = self._stand_on(self.filed)
        kept = sorted((self.folder / "heads").glob("*"))
        more = {"states": len(kept), "states_mb": round(sum(file.stat().st_size for file in kept) / 1e6)}
        found.append(self._row(f"{count} from files, states left on disk", count, filling, theirs, **more))
        return found + [
            self._row(case, len(head), self._stand_on(head), theirs) for case, head in self._heads()
        ]

    def _heads(self) -> Iterator[tuple[str, list[Adapter]]]:
        """What a person asks of a history with states: places that lie half way between two of them."""
        count = len(self.filed)
        place = count * 7 // 16
        yield "the newest head, from its state", self.filed
        yield f"the head at commit {place} of {count}", self.filed[:place]
        yield f"commit {place} of {count} reverted", [*self.filed[: place - 1], *self.filed[place:]]

    def _row(self, case: str, count: int, ours: Took, theirs: Took, **more: Any) -> Row:
        """The rival's time is that of its whole head, scaled to `count` adapters."""
        scaled = Took(theirs.wall * count / len(self.held), theirs.cpu * count / len(self.held))
        return Row(
            "heads", f"{case}, rank {self.settings.rank}", RIVAL, count / ours.wall, count / scaled.wall,
            "adapters/s", machine.name(self.settings.device, self.settings.dtype),
            {
                "ours_seconds": ours.wall, "theirs_seconds": scaled.wall,
                "ours_cpu_seconds": ours.cpu, "theirs_cpu_seconds": scaled.cpu,
                "cpu_ratio": scaled.cpu / ours.cpu,
                "ours_memory_mb": machine.peak_memory_mb(self.settings.device),
                "ours_threads": self.engine.threads, "theirs_threads": 1,
                "distinct": len(self.checked), **more,
            },
        )  # fmt: skip

    # -- what is measured ----------------------------------------------------------------------------------

    def _stand_on(self, adapters: Items[Adapter]) -> Took:
        """From the bare base to a head's weights."""
        self.engine.heads.activate(None)
        head = self.engine.head(adapters)
        return self._timed(lambda: self.engine.heads.activate(head))

    @torch.no_grad()
    def _bare(self, names: list[str]) -> tuple[Took, dict[str, Tensor]]:
        """The rival on some layers: seconds, and the sums that it came to."""
        progress(f"heads: bare products, {len(names)} layers")
        device = self.engine.device
        tensors = [{n: t.to(device) for n, t in each.tensors().items()} for each in self.checked]
        sums: dict[str, Tensor] = {}

        def work() -> None:
            for name in names:
                total = self.engine.heads.pristine[name].to(torch.float32, copy=True)
                matrix = total.t() if self.engine.model.layers[name].transposed else total
                pairs = [(each[f"{name}.lora_B.weight"], each[f"{name}.lora_A.weight"]) for each in tensors]
                for number, adapter in enumerate(self.held):
                    matrix.addmm_(*pairs[number % len(pairs)], alpha=adapter.scale)
                sums[name] = total

        with _threads(1):
            return self._timed(work), sums

    def _agrees(self, sums: dict[str, Tensor]) -> bool:
        layers, dtype = self.engine.model.layers, self.engine.model.dtype
        return all(torch.equal(layers[name].weight, total.to(dtype)) for name, total in sums.items())

    @torch.no_grad()
    def _layouts(self) -> dict[str, float]:
        """What the first pass through new weights costs more than the second: faster layouts are made."""

        def work() -> None:
            for layer in self.engine.model.layers.values():
                layer.frozen().times(layer.weight.new_zeros(8, layer.in_features))

        first, second = self._timed(work), self._timed(work)
        return {
            "first_pass_more_seconds": first.wall - second.wall,
            "first_pass_more_cpu_seconds": first.cpu - second.cpu,
        }

    def _reading(self) -> dict[str, float]:
        """Seconds to read all factors and do nothing with them; and to hold them to their hashes beside."""

        def read(adapters: Items[Adapter]) -> Took:
            return self._timed(lambda: [None for _ in parts(adapters)])

        plain = read(self.filed)
        for adapter in self.checked:
            adapter.told = False
        without = read(self.checked)
        for adapter in self.checked:
            adapter.told = True
        checking = (read(self.checked).cpu - without.cpu) * len(self.filed) / len(self.checked)
        return {
            "reading_seconds": plain.wall,
            "reading_cpu_seconds": plain.cpu,
            "checking_cpu_seconds": checking,
        }

    def _timed(self, work: Callable[[], Any]) -> Took:
        cpu = time.process_time()
        wall = machine.seconds(work, self.settings.device)
        return Took(wall, time.process_time() - cpu)


def _random(engine: Engine, rank: int, seed: int) -> Adapter:
    chance = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for spec in engine.model.specs(tuple(engine.model.layers)):
        a = torch.randn(rank, spec.inputs, generator=chance) * spec.inputs**-0.5
        tensors[f"{spec.name}.lora_A.weight"] = a
        tensors[f"{spec.name}.lora_B.weight"] = torch.randn(spec.outputs, rank, generator=chance) * 1e-3
    return Adapter(rank, 2 * rank, tensors, AdapterMeta(tuple(engine.model.layers)))


def _named(adapter: Adapter, number: int) -> Adapter:
    """The same weights under another name, not to be held to it."""
    meta = replace(adapter.meta, hash=content_hash(["bench", number]))
    found = Adapter(adapter.rank, adapter.alpha, adapter.file or adapter.tensors(), meta)
    found.told = False
    return found


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
