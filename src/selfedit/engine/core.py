"""The engine: one frozen base, and verbs on lists (`train`, `generate`, `score`, `moments`, `embed`, `head`).

Knows nothing of documents, self-edits, rewards, stores or configuration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Items
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import final

import torch
from transformers import PreTrainedTokenizerBase

from selfedit.engine import catalog, prefixes
from selfedit.engine.constraint import hold_bytes
from selfedit.engine.embedding import read_means
from selfedit.engine.frozen import can_pack
from selfedit.engine.generate import Decoder, Prompted
from selfedit.engine.holding import held_waves, in_force
from selfedit.engine.lora import Adapter, matching
from selfedit.engine.memory import Limits, free_memory, limits, threads_of
from selfedit.engine.merge import Heads
from selfedit.engine.model import Model, Tokens, load_model, load_tokens
from selfedit.engine.moments import Moments, read_moments
from selfedit.engine.placing import device_of, dtype_of
from selfedit.engine.products import can_group
from selfedit.engine.reference import References, head_key, pulled, waves
from selfedit.engine.scarcity import Room, shrinking
from selfedit.engine.score import Item, Scorer
from selfedit.engine.scratch import Scratch
from selfedit.engine.settings import Log, Settings
from selfedit.engine.step import CudaGraphs, Recorder
from selfedit.engine.train import Job, Result, Trainer
from selfedit.errors import EngineError, UsageError
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

Progress = Callable[[int, int], None]
"""Told (work done, work in all): tokens for training, requests for generation."""

PACKED = 6
"""Free memory, in sizes of the base, from which on its weights are kept in faster layouts too."""

AT_ONCE = 1024
"""Tokens that `embed` reads in a pass: of short texts more bring nothing."""

ENOUGH = 0.8
"""Part of the memory that was free for recorded settings, without which they are not kept to."""


def _silent(done: int, total: int) -> None:
    """The progress of a caller who wants none."""


@final
class Engine:
    """Trains, generates and scores with many adapters at once over one base. One owner, one thread."""

    def __init__(self, path: Path, model: Model, tokens: Tokens, base: str) -> None:
        self.path, self.model, self.tokens = path, model, tokens
        self.base = base
        """Hash of the base's weights."""
        self.heads = Heads(model, base)
        self.threads, self._rate = threads_of(model.device, model.dtype)
        self.recorder: Recorder | None = CudaGraphs(model.device) if model.device.type == "cuda" else None
        """Records decoding steps and replays them; None: every step is laid out anew."""
        self._log = Log()
        self._adopted: Limits | None = None
        self._spill: Scratch | None = None

    @staticmethod
    def load(base: str | Path, *, device: str = "auto", dtype: str = "auto") -> Engine:
        """Load a base by name, hub name, folder or GGUF file. Raises ModelError or UsageError in one line."""
        place = device_of(device)
        kind = dtype_of(dtype, place)
        path = catalog.resolve(str(base))
        model = load_model(path, place, kind)
        if can_pack(model.head.weight_VH) and free_memory() > PACKED * model.weight_bytes:
            model.pack()
        model.run.group = can_group(model.head.weight_VH, model.specs(tuple(model.layers)))
        return Engine(path, model, load_tokens(path), catalog.weights_hash(path))

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> str:
        return str(self.model.dtype).removeprefix("torch.")

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return self.tokens.tokenizer

    # -- the verbs -----------------------------------------------------------------------------------------

    def train(self, plans: Items[TrainingPlan], progress: Progress = _silent) -> list[Adapter | Failure]:
        """Train an adapter for each plan, in the plans' order. What cannot be trained is a Failure."""
        results = dict(self.train_iter(plans, progress))
        return [results[index] for index in range(len(plans))]

    def train_iter(self, plans: Items[TrainingPlan], progress: Progress = _silent) -> Iterator[Result]:
        """Yield (index of the plan, adapter or failure) as they are done."""
        jobs: list[Job] = []
        for index, plan in enumerate(plans):
            job = self._job(index, plan)
            if isinstance(job, Failure):
                yield index, job
            else:
                jobs.append(job)
        yield from self._train_jobs(jobs, progress)

    def generate(self, requests: Items[GenerationRequest], progress: Progress = _silent) -> list[Completion]:
        """Continue each prompt, in the requests' order."""
        found: dict[int, Completion] = {}
        work = [(index, request, self._prompt(request)) for index, request in enumerate(requests)]
        groups: dict[str, list[Prompted]] = defaultdict(list)
        for item in work:
            groups[head_key(item[1].head)].append(item)

        done = 0

        def on_done(count: int) -> None:
            nonlocal done
            done += count
            progress(done, len(requests))

        with self._threads():
            for group in groups.values():
                self.heads.activate(group[0][1].head)
                room = self.limits().room(self.model, group)
                run = partial(self._decode, on_done=on_done)
                found.update(shrinking(group, room, run, partial(self._smaller, "generate")))
        return [found[index] for index in range(len(requests))]

    def score(self, requests: Items[ScoreRequest]) -> list[Score]:
        """Log-probability of each completion after its prompt, in the requests' order."""
        groups: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            groups[head_key(request.head)].append(index)
        found: dict[int, Score] = {}
        with self._threads():
            for members in groups.values():
                self.heads.activate(requests[members[0]].head)
                items = [self._score_item(index, requests[index]) for index in members]
                room = self.limits().scoring(self.model, [item[1] for item in items])
                found.update(shrinking(items, room, self._score, partial(self._smaller, "score")))
        return [found[index] for index in range(len(requests))]

    def moments(self, sequences: Items[str | Sequence], head: Head | None = None, rank: int = 64) -> Moments:
        """What each linear layer reads over the sequences, every token of them, on a head: `rank` leading
        directions of its second moment. Raises EngineError for what does not fit."""
        if not sequences or rank < 1:
            raise UsageError(f"moments: {len(sequences)} sequences, rank {rank}; choose at least one of each")
        rows = [self.tokens.training(sequence) for sequence in sequences]
        if (longest := max(len(row.ids) for row in rows)) > self.tokens.limit:
            raise EngineError(
                f"a sequence has {longest} tokens, the base takes {self.tokens.limit}; split it"
            )
        with self._threads():
            self.heads.activate(head)
            now = self.limits()
            room = (now.constraints, now.most_tokens)
            found, tokens = read_moments(self.model, self.base, rows, rank, room)
        if tokens < room[1]:
            self._log.reduced(f"moments: memory ran out, {tokens} tokens a pass")
        return found

    def embed(self, texts: Items[str], layer: int) -> list[tuple[float, ...]]:
        """For each text the mean [H] of what a decoder layer (from 0) of the base reads over its tokens.

        Raises UsageError for an empty text or a layer that is not there, EngineError for a text too long.
        """
        rows = [self.tokens.training(text).ids for text in texts]
        if not all(rows):
            raise UsageError("embed: a text without a token lies nowhere; leave it out")
        if (longest := max(map(len, rows), default=0)) > self.tokens.limit:
            raise EngineError(f"a text has {longest} tokens, the base takes {self.tokens.limit}; split it")
        if not rows:
            return []
        with self._threads():
            self.heads.activate(None)
            room = min(self.limits().most_tokens, AT_ONCE)
            return [tuple(mean) for mean in read_means(self.model, rows, layer, room).tolist()]

    def head(self, adapters: Items[AdapterLike]) -> Head:
        """The base with `adapters` merged into it in order. A value: computed only when it is stood on."""
        return Head(self.base, tuple(adapters))

    def keep_heads(self, folder: str | Path, limit_bytes: int = prefixes.LIMIT) -> None:
        """Keep sums of heads under `folder`, a cache of so many bytes that may be deleted at any time."""
        self.heads.keep(Path(folder), limit_bytes)

    def limits(self) -> Limits:
        """What fits the memory that is free now, or fitted it when the adopted settings were recorded."""
        now = limits(self.model)
        if self._adopted is None or now.free < ENOUGH * self._adopted.free:
            return now
        return self._adopted

    @property
    def settings(self) -> Settings:
        """What was chosen for this machine, and what became of it so far."""
        now, log = self.limits(), self._log
        return Settings(
            device=self.device.type,
            dtype=self.dtype,
            threads=self.threads,
            gemm_gflops=round(self._rate, 1),
            free=now.free,
            most_slots=now.most_slots,
            most_tokens=now.most_tokens,
            most_rows=now.most_rows,
            slots=log.slots,
            rows=log.rows,
            reductions=tuple(log.reductions),
            notes=tuple(log.notes),
        )

    def adopt(self, settings: Settings) -> None:
        """Choose as a recorded run did, as long as nearly as much memory is free as it had.

        Adopting one's own `settings` holds on to them for the rest of a run.
        """
        self.threads, self._adopted = settings.threads, settings.limits

    def describe(self, plans: Items[TrainingPlan] = ()) -> str:
        """One line on what the engine chose for this machine, and for training `plans`."""
        found = self.limits()
        threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
        chosen = [f"{self.device.type} {self.dtype}", threads, f"{self._rate:.0f} GFLOP/s"]
        if plans:
            names = tuple(self.model.layers)
            budget = found.training(self.model, names, plans)
            rank = max(plan.rank for plan in plans)
            chosen.append(f"{min(budget.slots, len(plans))} adapters of rank {rank} at once")
            chosen.append(f"{budget.tokens} tokens a pass")
            if size := hold_bytes((plan.constraint for plan in plans), self.model, names):
                chosen.append(f"{size / (1 << 20):.0f} MiB of constraints")
        else:
            chosen.append(f"up to {found.most_slots} adapters and {found.most_rows} rows at once")
        chosen.append(f"{found.free / (1 << 30):.1f} GiB free")
        return ", ".join([*chosen, *self._log.notes, *self._log.reductions])

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return len(self.tokens.plain(text))

    def rendered(self, prompt: str | Items[Message]) -> str:
        """A prompt as the text that the base sees: chat messages through its template."""
        return self.tokens.rendered(prompt)

    # -- inside --------------------------------------------------------------------------------------------

    def _job(self, index: int, plan: TrainingPlan) -> Job | Failure:
        rows = tuple(self.tokens.training(sequence) for sequence in plan.sequences)
        longest = max((len(row.ids) for row in rows), default=0)
        if longest > self.tokens.limit:
            return Failure(
                "train", f"a sequence has {longest} tokens, the base takes {self.tokens.limit}; split it"
            )
        if plan.epochs and not any(row.loss_tokens for row in rows):
            return Failure("train", "no token of any sequence bears loss; give longer sequences")
        kept = tuple(row for row in rows)
        return Job(index, plan, kept, plan.order())

    def _train_jobs(self, jobs: list[Job], progress: Progress) -> Iterator[Result]:
        """Group jobs that can share a bank (head, layers, size of rank), and run group after group."""
        groups: dict[tuple[str, tuple[str, ...], int], list[Job]] = defaultdict(list)
        for job in jobs:
            names = matching(self.model.layers, job.plan.target_modules)
            groups[head_key(job.plan.head), names, (job.plan.rank - 1).bit_length()].append(job)
        total, done = sum(job.tokens for job in jobs), 0

        def on_step(tokens: int) -> None:
            nonlocal done
            done += tokens
            progress(done, total)

        for (_, names, _), group in groups.items():
            for members in self._waves(names, group):
                for index, adapter in self._train_together(names, members, on_step):
                    yield index, self._settle(adapter, len(jobs))
                    self._stand_on(members[0].plan.head)

    def _waves(self, names: tuple[str, ...], jobs: list[Job]) -> Iterator[list[Job]]:
        """Jobs whose references and constraints fit beside each other."""
        found = self.limits()
        for members in waves(self.model, jobs, found.references(self.model)):
            yield from held_waves(self.model, names, members, found.constraints)

    def _train_together(
        self, names: tuple[str, ...], jobs: list[Job], on_step: Callable[[int], None]
    ) -> Iterator[Result]:
        """Run jobs that share a bank. Whoever takes a result stands on their head again before the next."""
        with self._threads():
            able, refused = in_force(self.model, self.base, names, jobs)
        yield from refused
        if not able:
            return
        members, held = self._held_to_references(able)
        self._stand_on(members[0].plan.head)
        budget = self.limits().training(self.model, names, [job.plan for job in members], held)
        self._log.together(min(budget.slots, len(members)))
        trainer = Trainer(self.model, names, members, budget)
        steps = trainer.run(on_step)
        while True:
            with self._threads():
                result = next(steps, None)
            if trainer.budget != budget:
                budget = trainer.budget
                self._log.reduced(f"train: memory ran out, {budget.tokens} tokens a pass")
            if result is None:
                return
            yield result

    def _held_to_references(self, jobs: list[Job]) -> tuple[list[Job], int]:
        """The jobs with what their objectives need, and the bytes that it takes."""
        references = References.of(jobs)
        with self._threads():
            states = references.read(
                self.model, self.limits().most_tokens, self.heads.activate, partial(self._smaller, "train")
            )
        return [pulled(job, states) for job in jobs], references.size(self.model)

    def _stand_on(self, head: Head | None) -> None:
        with self._threads():
            self.heads.activate(head)

    def _settle(self, adapter: Adapter | Failure, company: int) -> Adapter | Failure:
        """Keep few adapters in memory; of many, the weights go to a file that lives as long as the engine."""
        if isinstance(adapter, Failure) or company <= self.limits().kept(adapter):
            return adapter
        if self._spill is None:
            self._spill = Scratch("selfedit-")
        folder = adapter.save(self._spill.path / adapter.hash)
        return adapter.at(folder)

    def _prompt(self, request: GenerationRequest) -> list[int]:
        ids = self.tokens.prompt(request.prompt)
        if not ids:
            raise EngineError("a generation request has an empty prompt; give it some text")
        if len(ids) + request.max_tokens > self.tokens.limit:
            raise EngineError(
                f"a prompt of {len(ids)} tokens and {request.max_tokens} new ones exceed the base's "
                f"{self.tokens.limit}; shorten one"
            )
        return ids

    def _score_item(
        self, index: int, request: ScoreRequest
    ) -> tuple[int, AdapterLike | None, list[int], list[int]]:
        prompt, completion = self.tokens.prompt(request.prompt), self.tokens.plain(request.completion)
        if not completion:
            raise EngineError("a score request has an empty completion; give it some text")
        if len(prompt) + len(completion) > self.tokens.limit:
            raise EngineError(f"a score request has {len(prompt) + len(completion)} tokens; shorten it")
        return index, request.adapter, prompt, completion

    def _decode(
        self, work: list[Prompted], room: Room, on_done: Callable[[int], None]
    ) -> Iterator[tuple[int, Completion]]:
        decoder = Decoder(self.model, self.tokens, work, room, self.recorder)
        self._log.together(len(decoder.table.users), decoder.cache.rows)
        try:
            yield from decoder.run(on_done)
        finally:
            if decoder.step is not None and decoder.step.broken:
                self.recorder = None
                self._log.notes.append(f"steps are not recorded ({decoder.step.broken})")

    def _score(self, items: list[Item], room: Room) -> Iterator[tuple[int, Score]]:
        return Scorer(self.model, items, room).run()

    def _smaller(self, verb: str, room: Room) -> None:
        self.model.run.use(None, None)
        less = f"{room.rows} rows and {room.tokens} tokens a pass"
        self._log.reduced(f"{verb}: memory ran out, {less}")

    @contextmanager
    def _threads(self) -> Iterator[None]:
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
