"""One engine here and one in each of several other processes of one thread, where there is work to share.

On shared processors two threads of one engine are often slower than one; two processes are not. A process
that dies loses nothing: what it had not finished is done here.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

from selfedit.engine import Adapter, Engine, Moments
from selfedit.engine.export import save_merged
from selfedit.engine.memory import free_memory
from selfedit.engine.prefixes import LIMIT
from selfedit.engine.scratch import Scratch
from selfedit.engine.settings import Settings
from selfedit.engine.wire import Found, Wire, Work, run
from selfedit.errors import EngineError
from selfedit.types import (
    AdapterLike,
    Completion,
    Failure,
    GenerationRequest,
    Head,
    Message,
    Score,
    ScoreRequest,
    Sequence,
    TrainingPlan,
)
from selfedit.workers.base import Progress, silent

PAYS_TRAINING, PAYS_TOKENS = 4000, 1000
"""Tokens to train, and tokens to write or score, from which on sharing pays for starting a process."""
BASES = 6
"""Free memory, in sizes of the base, that each further process is to find."""


@final
class Child:
    """The parent's end of one engine process. Its replies go to a queue that all children share."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        heads: dict[str, Any] | None,
        replies: queue.Queue[tuple[Child, Any]],
    ) -> None:
        settings = {"base": str(engine.path), "device": "cpu", "dtype": engine.dtype, "threads": 1,
                    "folder": str(folder), "heads": heads}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "selfedit.engine.worker", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.chunk: list[int] = []
        """Indices of the items that it was given; those not yet answered are in `left`."""
        self.left: set[int] = set()
        self.ready = threading.Event()
        """Set when its model is loaded, or it has ended."""
        self.listener = threading.Thread(target=self._listen, args=(replies,), daemon=True)
        self.listener.start()

    def _listen(self, replies: queue.Queue[tuple[Child, Any]]) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.ready.set()
                replies.put((self, json.loads(line)))
        self.ready.set()
        replies.put((self, None))

    def give(self, chunk: list[int], items: list[dict[str, Any]]) -> None:
        assert self.process.stdin is not None
        self.chunk, self.left = chunk, set(chunk)
        try:
            self.process.stdin.write(json.dumps({"items": items}) + "\n")
            self.process.stdin.flush()
        except OSError:
            self.process.kill()  # its end is then told like any other

    def close(self) -> None:
        """Close its standard input, upon which it ends."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except OSError:
            self.process.kill()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.listener.join()


@final
class PooledWorker:
    """A worker whose plans and requests are shared among this process and `processes` − 1 others."""

    def __init__(self, engine: Engine, processes: int | None = None) -> None:
        self.engine = engine
        self.processes = _processes(engine) if processes is None else processes
        self._folder: Scratch | None = None
        self._heads: dict[str, Any] | None = None
        """Where engines keep sums of heads, as they are told."""
        self._children: list[Child] = []
        self._replies: queue.Queue[tuple[Child, Any]] = queue.Queue()

    @property
    def base(self) -> str:
        return self.engine.base

    @property
    def path(self) -> Path:
        return self.engine.path

    @property
    def dtype(self) -> str:
        return self.engine.dtype

    @property
    def chat(self) -> bool:
        return bool(self.engine.tokenizer.chat_template)

    @property
    def context(self) -> int:
        return self.engine.tokens.limit

    def train(self, plans: Items[TrainingPlan], progress: Progress = silent) -> list[Adapter | Failure]:
        found = dict(self.train_iter(plans, progress))
        return [found[index] for index in range(len(plans))]

    def train_iter(
        self, plans: Items[TrainingPlan], progress: Progress = silent
    ) -> Iterator[tuple[int, Adapter | Failure]]:
        sizes = [self._trained(plan) for plan in plans]
        if self.processes < 2 or len(plans) < 2 or sum(sizes) < PAYS_TRAINING:
            yield from self.engine.train_iter(plans, progress)
            return
        order = sorted(range(len(plans)), key=lambda i: (-plans[i].steps, sizes[i]))
        shared = Sharing(plans, _chunks(order, self.processes, 16), sum(sizes), progress)
        for index, found in self._share(shared):
            assert isinstance(found, Adapter | Failure)
            yield index, found

    def generate(self, requests: Items[GenerationRequest], progress: Progress = silent) -> list[Completion]:
        if self.processes < 2 or sum(request.max_tokens for request in requests) < PAYS_TOKENS:
            return self.engine.generate(requests, progress)
        return self._all(requests, progress)

    def score(self, requests: Items[ScoreRequest]) -> list[Score]:
        if self.processes < 2 or sum(self._scored(request) for request in requests) < 4 * PAYS_TOKENS:
            return self.engine.score(requests)
        return self._all(requests, silent)

    def moments(self, sequences: Items[str | Sequence], head: Head | None = None, rank: int = 64) -> Moments:
        return self.engine.moments(sequences, head, rank)

    def embed(self, texts: Items[str], layer: int) -> list[tuple[float, ...]]:
        return self.engine.embed(texts, layer)

    def head(self, adapters: Items[AdapterLike]) -> Head:
        return self.engine.head(adapters)

    def keep_heads(self, folder: Path, limit_bytes: int = LIMIT) -> None:
        self.close()  # the others learn of it when they start
        self._heads = {"folder": str(folder), "limit_bytes": limit_bytes}
        self.engine.keep_heads(folder, limit_bytes)

    def save_merged(self, head: Head, folder: Path, dtype: str | None = None) -> None:
        save_merged(self.engine, head, folder, dtype)

    def settings(self) -> dict[str, Any]:
        """This process's. The others have one thread each, and plan with the memory that they find."""
        return {**asdict(self.engine.settings), "processes": self.processes}

    def adopt(self, settings: Mapping[str, Any]) -> None:
        self.engine.adopt(Settings.kept(settings))

    def count(self, text: str) -> int:
        return self.engine.count(text)

    def rendered(self, prompt: str | Items[Message]) -> str:
        return self.engine.rendered(prompt)

    def start(self) -> None:
        """Start the other processes now, and wait until their models are loaded."""
        self._start()
        for child in self._children:
            child.ready.wait()

    def close(self) -> None:
        """End the other processes. The worker stays usable: they start again when needed."""
        for child in self._children:
            child.close()
        self._children, self._replies = [], queue.Queue()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    # -- inside --------------------------------------------------------------------------------------------

    def _trained(self, plan: TrainingPlan) -> int:
        return plan.epochs * sum(len(self.engine.tokens.training(row).ids) for row in plan.sequences)

    def _scored(self, request: ScoreRequest) -> int:
        return len(self.engine.tokens.prompt(request.prompt)) + self.count(request.completion)

    def _all(self, requests: Items[Any], progress: Progress) -> list[Any]:
        order = sorted(range(len(requests)), key=lambda i: getattr(requests[i].adapter, "hash", ""))
        size = -(-len(order) // self.processes)
        chunks = [order[at : at + size] for at in range(0, len(order), size)]
        found = dict(self._share(Sharing(requests, chunks, len(requests), progress)))
        return [found[index] for index in range(len(requests))]

    def _share(self, work: Sharing) -> Iterator[tuple[int, Found]]:
        """Deal chunks to the children and to this process's own engine until all is done."""
        wire, threads = self._start(), self.engine.threads
        finished = False
        try:
            self.engine.threads = 1
            while work.waiting or any(child.left for child in self._children):
                self._feed(work, wire)
                if work.waiting:
                    yield from self._here(work, wire)
                elif any(child.left for child in self._children):
                    self._hear(work, wire, block=True)
                yield from work.take()
            yield from work.take()
            finished = True
        finally:
            self.engine.threads = threads
            if not finished:
                self.close()  # interrupted: what the children were doing is nobody's any more

    def _here(self, work: Sharing, wire: Wire) -> Iterator[tuple[int, Found]]:
        chunk, told = work.waiting.popleft(), 0

        def on_progress(done: int, total: int) -> None:
            nonlocal told
            work.advance(done - told)
            told = done
            self._hear(work, wire, block=False)
            self._feed(work, wire)

        for at, found in run(self.engine, [work.items[i] for i in chunk], on_progress):
            yield chunk[at], found
            yield from work.take()

    def _feed(self, work: Sharing, wire: Wire) -> None:
        for child in self._children:
            if not child.left and len(work.waiting) > 0:
                chunk = work.waiting.pop()
                child.give(chunk, [wire.work_out(work.items[i]) for i in chunk])

    def _hear(self, work: Sharing, wire: Wire, block: bool) -> None:
        """Take in what the children have said; a child that has ended gives its work back."""
        while True:
            try:
                child, reply = self._replies.get(block=block)
            except queue.Empty:
                return
            block = False
            if reply is None:
                self._children.remove(child)
                child.close()
                work.waiting.extend([sorted(child.left)] if child.left else [])
            elif "index" in reply:
                index = child.chunk[reply["index"]]
                child.left.discard(index)
                work.ready.append((index, wire.found_in(reply["found"])))
            elif "progress" in reply:
                work.advance(reply["progress"])
            elif "error" in reply:
                raise EngineError(reply["error"])

    def _start(self) -> Wire:
        if self._folder is None:
            self._folder = Scratch("selfedit-pool-")
        folder = self._folder.path
        while len(self._children) < self.processes - 1:
            self._children.append(Child(self.engine, folder, self._heads, self._replies))
        return Wire(folder)


@final
class Sharing:
    """Work that is being shared: chunks not yet dealt, and results not yet taken."""

    def __init__(self, items: Items[Work], chunks: list[list[int]], total: int, progress: Progress) -> None:
        self.items, self.waiting = items, deque(chunks)
        self.ready: list[tuple[int, Found]] = []
        self.total, self.progress, self.done = total, progress, 0

    def advance(self, amount: int) -> None:
        self.done = min(self.total, self.done + amount)
        self.progress(self.done, self.total)

    def take(self) -> list[tuple[int, Found]]:
        taken, self.ready = self.ready, []
        return taken


def _chunks(order: list[int], processes: int, most: int) -> list[list[int]]:
    """Neighbours together, at least two chunks a process where there are enough items."""
    size = max(1, min(most, -(-len(order) // (2 * processes))))
    return [order[at : at + size] for at in range(0, len(order), size)]


def _processes(engine: Engine) -> int:
    """One a core, as memory allows; one alone beside an accelerator."""
    if engine.device.type != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    room = free_memory() // max(1, BASES * engine.model.weight_bytes)
    return max(1, min(cores, 1 + room))
