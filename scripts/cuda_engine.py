"""What the engine alone has on a CUDA machine: its fast ways on and off, and heads of many adapters.

`cuda_engine.py switches|heads --base BASE [OPTION...]` prints rows as JSON, as `selfedit.bench` does.
`switches` measures the engine against itself: decoding steps recorded once and replayed, and grouped
products, each against the ordinary way, with the same work and the agreement of what comes out. Elsewhere
than on CUDA the same code runs, with steps repeated in place of a recording.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

from selfedit.bench import machine, settings_for, workload
from selfedit.bench.generate import agreement
from selfedit.bench.heads import command as heads
from selfedit.bench.settings import Settings
from selfedit.bench.table import Row
from selfedit.engine import Adapter, Engine
from selfedit.engine.products import aligned
from selfedit.engine.step import Work
from selfedit.errors import EngineError, SelfEditError
from selfedit.types import Completion, GenerationRequest

Answered = tuple[float, list[Completion]]
"""Seconds, and what came out."""


class Repeated:
    """In place of a device that records: a replay is the same work again."""

    def record(self, work: Work) -> Work:
        return work


class Switches:
    """One engine, and the same work done with a way on and off."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = Engine.load(settings.base, device=settings.device, dtype=settings.dtype)
        self.recorder = self.engine.recorder or Repeated()
        specs = self.engine.model.specs(tuple(self.engine.model.layers))
        self.groups = self.engine.model.run.group or (self.engine.device.type == "cpu" and aligned(specs))
        self.plans = workload.plans(settings)
        tokens = self.engine.tokens
        self.tokens = sum(len(tokens.training(s).ids) * p.epochs for p in self.plans for s in p.sequences)

    def rows(self) -> Iterator[Row]:
        adapters = self.train(group=False)
        for count in self.settings.adapters:
            requests = [
                GenerationRequest(
                    row.prompt, adapter=adapters[row.adapter], max_tokens=self.settings.max_tokens
                )
                for row in workload.rows(self.settings, min(count, len(adapters)))
            ]
            yield self.recorded(requests, count)
            if self.groups:
                yield self.grouped_answers(requests, count)
        if self.groups:
            yield self.grouped_training()
        else:
            print("cuda_engine: products cannot be grouped here", file=sys.stderr)

    # -- each way against the ordinary one -----------------------------------------------------------------

    def recorded(self, requests: list[GenerationRequest], count: int) -> Row:
        ours, found = self.timed(lambda: self.generate(requests, record=True, group=False))
        theirs, expected = self.timed(lambda: self.generate(requests, record=False, group=False))
        case = f"{len(requests)} rows, {count} adapters: steps recorded"
        return self.answers(case, "steps laid out anew", (ours, found), (theirs, expected))

    def grouped_answers(self, requests: list[GenerationRequest], count: int) -> Row:
        ours, found = self.timed(lambda: self.generate(requests, record=False, group=True))
        theirs, expected = self.timed(lambda: self.generate(requests, record=False, group=False))
        case = f"{len(requests)} rows, {count} adapters: grouped products"
        return self.answers(case, "padded products", (ours, found), (theirs, expected))

    def answers(self, case: str, rival: str, ours: Answered, theirs: Answered) -> Row:
        texts = [[list(each.tokens) for each in side[1]] for side in (ours, theirs)]
        rates = [sum(map(len, text)) / side[0] for text, side in zip(texts, (ours, theirs), strict=True)]
        more = {"agreement": agreement(texts[0], texts[1]), "agreement_kind": "equal tokens"}
        return self.row(case, rival, rates, "new tokens/s", more)

    def grouped_training(self) -> Row:
        ours, found = self.timed(lambda: self.train(group=True))
        theirs, expected = self.timed(lambda: self.train(group=False))
        pairs = [
            pair
            for one, other in zip(found, expected, strict=True)
            for pair in zip(one.losses, other.losses, strict=True)
        ]
        gap = max(abs(a - b) / max(1e-6, abs(b)) for a, b in pairs)
        case = f"{len(self.plans)} plans of rank {self.settings.rank}: grouped products"
        more = {"agreement": float(f"{gap:.3g}"), "agreement_kind": "largest loss gap"}
        return self.row(case, "padded products", [self.tokens / ours, self.tokens / theirs], "tokens/s", more)

    # -- the work ------------------------------------------------------------------------------------------

    def train(self, *, group: bool) -> list[Adapter]:
        self.engine.model.run.group = group
        found = [each for each in self.engine.train(self.plans) if isinstance(each, Adapter)]
        if len(found) < len(self.plans):
            raise EngineError(f"cuda_engine: {len(self.plans) - len(found)} plans failed; see their shapes")
        return found

    def generate(self, requests: list[GenerationRequest], *, record: bool, group: bool) -> list[Completion]:
        self.engine.model.run.group = group
        self.engine.recorder = self.recorder if record else None
        return self.engine.generate(requests)

    def timed(self, work: Callable[[], Any]) -> tuple[float, Any]:
        """(mean seconds, the last result), after one run that no clock sees."""
        work()
        found: list[Any] = []
        device = str(self.engine.device)
        took = [
            machine.seconds(lambda: found.append(work()), device)
            for _ in range(max(1, self.settings.repeats))
        ]
        return statistics.mean(took), found[-1]

    def row(self, case: str, rival: str, rates: list[float], unit: str, more: dict[str, Any]) -> Row:
        settings = self.engine.settings
        where = machine.name(str(self.engine.device), self.engine.dtype)
        told = {"ours_threads": settings.threads, "theirs_threads": settings.threads, **more}
        told |= {"notes": settings.notes, "reductions": settings.reductions}
        for line in (*settings.notes, *settings.reductions):
            print(f"cuda_engine: {line}", file=sys.stderr)
        return Row("switches", case, rival, rates[0], rates[1], unit, where, told)


def switches(settings: Settings) -> list[dict[str, Any]]:
    return [row.as_json() for row in Switches(settings).rows()]


def main() -> int:
    parser = argparse.ArgumentParser("cuda_engine.py", description=__doc__)
    parser.add_argument("what", choices=("switches", "heads"))
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--rank", type=int)
    parser.add_argument("--adapters", type=int, help="of a head")
    parser.add_argument("--plans", type=int)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    place = {"base": given.base, "device": given.device, "dtype": given.dtype, "rank": given.rank}
    try:
        if given.what == "heads":
            rows = heads(given.quick, adapters=given.adapters, **place)
        else:
            data = os.environ.get("SELFEDIT_DATA")
            chosen = {"data": data, "synthetic": not data, "plans": given.plans, **place}
            rows = switches(settings_for("generate", quick=given.quick, **chosen))
    except SelfEditError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(rows, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
