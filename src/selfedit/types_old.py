"""The nouns. Frozen values that cross rooms; standard library only.

Knows nothing of tensors, files, models or databases. Identifiers are content hashes, so that two equal
values made on two machines are the same thing.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, runtime_checkable

from selfedit.errors import UsageError

Schedule = Literal["linear", "constant", "cosine"]
Divergence = Literal["reverse", "forward"]
Pulled = Literal["all", "unweighted"]
FinishReason = Literal["stop", "length"]


def content_hash(value: Any) -> str:
    """SHA-256 in hexadecimal of the canonical JSON of `value` (dataclasses included)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {"type": type(value).__name__, **asdict(value)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def rng_for(*parts: object) -> random.Random:
    """A generator whose stream depends on `parts` alone, never on what was drawn before."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


# -- what is learned ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probe:
    """A question with its expected answer, asked without the passage in the prompt."""

    question: str
    answer: str
    topic: str = ""
    origin: str = "user"
    """Who wrote it: `user`, `gold` (a benchmark), `model`, or `cloze` (by rule)."""

    @property
    def id(self) -> str:
        return content_hash(["probe", self.topic, self.question, self.answer])


@dataclass(frozen=True, slots=True)
class Task:
    """One passage that is new, and the probes that tell whether it was learned."""

    title: str
    passage: str
    probes: tuple[Probe, ...] = ()
    source: str = ""
    """The document as the user named it; empty where there is none."""

    @property
    def id(self) -> str:
        return content_hash(["task", self.title, self.passage])


Grid = tuple[tuple[int, ...], ...]
"""A picture of ARC: rows of colours 0 to 9."""
MOST_SIDE = 30
"""Rows and columns that a grid of ARC has at most."""

Value = TypeVar("Value", Grid, str)


def grid_fault(value: object) -> str:
    """What keeps rows of numbers, in tuples or lists, from being a grid of ARC; "" where nothing does."""
    if not isinstance(value, list | tuple):
        return "not a list of rows"
    rows = cast("Items[object]", value)
    if not 1 <= len(rows) <= MOST_SIDE:
        return f"{len(rows)} rows; 1 to {MOST_SIDE} are wanted"
    for number, row in enumerate(rows, 1):
        if fault := _row_fault(row):
            return f"row {number}: {fault}"
    widths = [len(cast("Items[object]", row)) for row in rows]
    odd = next((number for number, width in enumerate(widths, 1) if width != widths[0]), 0)
    return f"row {odd} has {widths[odd - 1]} cells where row 1 has {widths[0]}" if odd else ""


def _row_fault(row: object) -> str:
    if not isinstance(row, list | tuple):
        return "not a list of colours"
    cells = cast("Items[object]", row)
    if not 1 <= len(cells) <= MOST_SIDE:
        return f"{len(cells)} cells; 1 to {MOST_SIDE} are wanted"
    wrong = [cell for cell in cells if type(cell) is not int or not 0 <= cell <= 9]
    return f"{str(wrong[0])[:20]!r} is no colour; colours are 0 to 9" if wrong else ""


@dataclass(frozen=True, slots=True)
class Example(Generic[Value]):
    """An input with its output: two grids, or two texts."""

    input: Value
    output: Value


@dataclass(frozen=True, slots=True)
class FewShot(Generic[Value]):
    """A task of demonstrations: what turns inputs into outputs is shown, and tested on other inputs."""

    name: str
    demonstrations: tuple[Example[Value], ...]
    tests: tuple[Example[Value], ...]
    source: str = ""
    """Where it is from: a file, a data set or a generator; no part of what it is."""

    @property
    def kind(self) -> Literal["arc", "text"]:
        """Whether its inputs and outputs are grids or texts."""
        first = (*self.demonstrations, *self.tests)[:1]
        return "text" if all(isinstance(example.input, str) for example in first) else "arc"

    @property
    def id(self) -> str:
        shown, asked = ([[e.input, e.output] for e in part] for part in (self.demonstrations, self.tests))
        return content_hash(["few-shot", self.name, shown, asked])


@dataclass(frozen=True, slots=True)
class SelfEdit:
    """Training notes that the model wrote for a task, already parsed."""

    task: str
    """Id of the task."""
    format: str
    text: str
    """What the model wrote, as it wrote it."""
    lines: tuple[str | Sequence, ...] = ()
    """The training sequences that the text comes to; the passage itself is not among them."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Hyper-parameters and tools that a directive picked, clamped to their bounds."""

    @property
    def id(self) -> str:
        return content_hash(
            ["edit", self.task, self.format, self.text, list(self.lines), dict(self.settings)]
        )


@dataclass(frozen=True, slots=True)
class Reward:
    """How a trial did; larger is better. `parts` holds the named measures that it is made of."""

    value: float
    parts: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be judged. Never a reward of 0."""

    where: str
    """The step that failed: `parse`, `train`, `generate`, `grade`, ..."""
    what: str


Outcome = Reward | Failure


@dataclass(frozen=True, slots=True)
class Trial:
    """A self-edit, the plan that it came to, and how it did."""

    edit: SelfEdit
    plan: TrainingPlan | None
    outcome: Outcome
    adapter: str | None = None
    """Hash of the adapter, where one was trained."""


# -- what the engine takes ------------------------------------------------------------------------


@runtime_checkable
class AdapterLike(Protocol):
    """What a request needs of an adapter: an identity. The engine's `Adapter` is the real thing."""

    @property
    def hash(self) -> str: ...


@runtime_checkable
class MomentsLike(Protocol):
    """What a constraint needs of second moments: an identity. The engine's `Moments` is the real thing."""

    @property
    def hash(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Head:
    """A base with an ordered list of adapters merged into it. A value: equal ids mean equal weights."""

    base: str
    """Hash of the base's weights."""
    adapters: tuple[AdapterLike, ...] = ()

    @property
    def id(self) -> str:
        return content_hash(["head", self.base, [adapter.hash for adapter in self.adapters]])


@dataclass(frozen=True, slots=True)
class Sequence:
    """A prompt and a completion; the loss covers the completion and its end-of-text, times `weight`."""

    prompt: str
    completion: str
    weight: float = 1.0


@dataclass(frozen=True)
class Objective:
    """Cross-entropy, and for every token that bears loss `weight` times a divergence from a frozen head.

    `reverse` is KL(model ‖ reference), the penalty of reinforcement learning; `forward` is KL(reference ‖
    model), distillation. Exact over the vocabulary, not estimated from the token that was sampled. A
    sequence's own weight acts on its cross-entropy alone: with weight 0 it only holds the model to the
    reference, and a negative one never drives the model away from it.
    """

    weight: float
    divergence: Divergence = "reverse"
    reference: Head | None = None
    """None: the plan's own head, as it is without the adapter in training."""
    rows: Pulled = "all"
    """`unweighted`: only sequences of weight 0 are held; the others have cross-entropy alone."""

    def __post_init__(self) -> None:
        if not (_finite(self.weight) and self.weight > 0):
            raise UsageError(
                f"objective: weight is {self.weight!r}; choose a finite number above 0, or leave it out"
            )
        if self.divergence not in ("reverse", "forward"):
            raise UsageError(f"objective: divergence is {self.divergence!r}; choose reverse or forward")
        if self.rows not in ("all", "unweighted"):
            raise UsageError(f"objective: rows is {self.rows!r}; choose all or unweighted")
        object.__setattr__(self, "weight", float(self.weight))

    @property
    def id(self) -> str:
        reference = self.reference.id if self.reference else None
        some = [] if self.rows == "all" else [self.rows]
        return content_hash(["objective", self.weight, self.divergence, reference, *some])


@dataclass(frozen=True)
class Orthogonal:
    """The adapter's A stays orthogonal to the rows of earlier adapters' A, layer by layer.

    After O-LoRA (Wang et al. 2023, arXiv 2310.14152). Without `penalty` it is projected, at the start and
    after each optimiser step; with one, `penalty` × Σ ‖A Aₒᵀ‖² over layers and adapters joins each step's
    loss, as in the paper.
    """

    adapters: tuple[AdapterLike, ...]
    penalty: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapters", tuple(self.adapters))
        if not self.adapters:
            raise UsageError("orthogonal: no earlier adapters; name one, or leave the constraint out")
        if self.penalty is not None:
            _positive("orthogonal: penalty", self.penalty)
            object.__setattr__(self, "penalty", float(self.penalty))

    @property
    def id(self) -> str:
        return content_hash(["orthogonal", [adapter.hash for adapter in self.adapters], self.penalty])


@dataclass(frozen=True)
class NullSpace:
    """The adapter's A stays out of the space that earlier texts' activations span, layer by layer.

    After GPM (Saha et al. 2021, arXiv 2103.09762) and Adam-NSCL (Wang et al. 2021, arXiv 2103.07113): it is
    projected, at the start and after each optimiser step. Of each layer's leading directions as many are kept
    out of as hold `energy` of the second moment, or all that the moments know.
    """

    moments: MomentsLike
    energy: float = 0.99

    def __post_init__(self) -> None:
        if not (_finite(self.energy) and 0 < self.energy <= 1):
            raise UsageError(
                f"null space: energy is {self.energy!r}; choose a share above 0 and at most 1, such as 0.99"
            )
        object.__setattr__(self, "energy", float(self.energy))

    @property
    def id(self) -> str:
        return content_hash(["null-space", self.moments.hash, self.energy])


@dataclass(frozen=True)
class Elastic:
    """`weight` × Σ E‖ΔW x‖² over layers joins each step's loss, for the activations x of earlier texts.

    After EWC (Kirkpatrick et al. 2017, arXiv 1612.00796), with each layer's Fisher matrix taken as its
    Kronecker factor of the inputs alone, at the rank that the moments know.
    """

    moments: MomentsLike
    weight: float

    def __post_init__(self) -> None:
        _positive("elastic: weight", self.weight)
        object.__setattr__(self, "weight", float(self.weight))

    @property
    def id(self) -> str:
        return content_hash(["elastic", self.moments.hash, self.weight])


Constraint = Orthogonal | NullSpace | Elastic


def _positive(what: str, value: Any) -> None:
    if not (_finite(value) and value > 0):
        raise UsageError(f"{what} is {value!r}; choose a finite number above 0, or leave it out")


@dataclass(frozen=True)
class TrainingPlan:
    """What a self-edit comes to: token sequences with loss masks, and hyper-parameters.

    A sequence is a `str` (the tokenizer's defaults, no end-of-text added, loss on every token after the
    first) or a `Sequence`. The loss of a step is the sum of weighted token losses, with what the objective
    adds to each, over the number of tokens that bear loss; a constraint's penalty is added to that. AdamW
    0.9/0.999/1e-8, no clipping. Defaults follow SEAL's inner loop (arXiv 2506.10943, section B).
    """

    sequences: tuple[str | Sequence, ...]
    rank: int = 32
    alpha: float = 64
    learning_rate: float = 1e-3
    epochs: int = 10
    batch_size: int = 1
    schedule: Schedule = "linear"
    warmup: float = 0.0
    weight_decay: float = 0.0
    dropout: float = 0.0
    target_modules: str | tuple[str, ...] = "all-linear"
    seed: int = 0
    shuffle: bool = True
    head: Head | None = None
    objective: Objective | None = None
    """None is cross-entropy."""
    constraint: Constraint | None = None
    """None is unconstrained."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sequences", tuple(self.sequences))
        if not isinstance(self.target_modules, str):
            object.__setattr__(self, "target_modules", tuple(self.target_modules))
        for name, ok, remedy in self._bounds():
            if not ok:
                raise UsageError(f"training plan: {name} is {getattr(self, name)!r}; {remedy}")

    def _bounds(self) -> list[tuple[str, bool, str]]:
        return [
            ("sequences", len(self.sequences) > 0 or self.epochs == 0, "give at least one sequence"),
            (
                "rank",
                isinstance(self.rank, int) and 1 <= self.rank <= 4096,
                "choose a whole number from 1 to 4096",
            ),
            ("alpha", _finite(self.alpha) and self.alpha > 0, "choose a positive number"),
            (
                "learning_rate",
                _finite(self.learning_rate) and self.learning_rate >= 0,
                "choose a finite number ≥ 0",
            ),
            ("epochs", isinstance(self.epochs, int) and self.epochs >= 0, "choose a whole number ≥ 0"),
            (
                "batch_size",
                isinstance(self.batch_size, int) and self.batch_size >= 1,
                "choose a whole number ≥ 1",
            ),
            (
                "schedule",
                self.schedule in ("linear", "constant", "cosine"),
                "choose linear, constant or cosine",
            ),
            ("warmup", _finite(self.warmup) and 0 <= self.warmup <= 1, "choose a fraction from 0 to 1"),
            (
                "weight_decay",
                _finite(self.weight_decay) and self.weight_decay >= 0,
                "choose a finite number ≥ 0",
            ),
            (
                "dropout",
                _finite(self.dropout) and 0 <= self.dropout < 1,
                "choose a fraction from 0 to below 1",
            ),
            ("target_modules", bool(self.target_modules), "name modules, or all-linear"),
            (
                "objective",
                self.objective is None or isinstance(self.objective, Objective),
                "give an Objective, or leave it out",
            ),
            (
                "constraint",
                self.constraint is None or isinstance(self.constraint, Constraint),
                "give Orthogonal, NullSpace or Elastic, or leave it out",
            ),
        ]

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.sequences) / self.batch_size)

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.epochs * self.steps_per_epoch

    def order(self) -> tuple[tuple[int, ...], ...]:
        """The data order: for each step, the indices of its sequences.

        Shuffling draws a permutation of *length ranks* (by characters, ties by position) from the seed, epoch
        and count alone. Plans of one seed and count therefore meet their longest sequences at the same step,
        which lets the engine batch them almost without padding; for one plan alone it is a uniform shuffle.
        """
        ranked = sorted(range(len(self.sequences)), key=lambda i: (_characters(self.sequences[i]), i))
        steps: list[tuple[int, ...]] = []
        for epoch in range(self.epochs):
            rows = list(range(len(self.sequences)))
            if self.shuffle:
                rng_for("order", self.seed, epoch, len(rows)).shuffle(rows)
                rows = [ranked[rank] for rank in rows]
            steps += [tuple(rows[i : i + self.batch_size]) for i in range(0, len(rows), self.batch_size)]
        return tuple(steps)

    def rate(self, step: int) -> float:
        """Learning rate of the optimiser step `step` (from 0)."""
        warm = math.ceil(self.warmup * self.steps)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        done = (step - warm) / max(1, self.steps - warm)
        match self.schedule:
            case "constant":
                return self.learning_rate
            case "cosine":
                return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
            case _:
                return self.learning_rate * (1 - done)

    @property
    def id(self) -> str:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "head"}
        fields["objective"] = self.objective.id if self.objective else None
        fields["constraint"] = self.constraint.id if self.constraint else None
        return content_hash(["plan", fields, self.head.id if self.head else None])


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _characters(sequence: str | Sequence) -> int:
    return len(sequence) if isinstance(sequence, str) else len(sequence.prompt) + len(sequence.completion)


Message = Mapping[str, str]
"""A chat message: `{"role": ..., "content": ...}`."""


@dataclass(frozen=True)
class GenerationRequest:
    """What to continue, with which adapter on which head.

    `prompt` is a string as it is (no special tokens added) or a list of chat messages (the model's template,
    with the generation prompt). `temperature` 0 is greedy. `stop` strings end the text before them. `grammar`
    is a regular expression (the `regex` module's) that the whole text must match.
    """

    prompt: str | Items[Message]
    adapter: AdapterLike | None = None
    head: Head | None = None
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    grammar: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "stop", (self.stop,) if isinstance(self.stop, str) else tuple(self.stop))
        if self.max_tokens < 1:
            raise UsageError(f"generation request: max_tokens is {self.max_tokens}; choose at least 1")
        if not (_finite(self.temperature) and self.temperature >= 0):
            raise UsageError(
                f"generation request: temperature is {self.temperature}; choose a finite number ≥ 0"
            )
        if not (_finite(self.top_p) and 0 < self.top_p <= 1):
            raise UsageError(
                f"generation request: top_p is {self.top_p}; choose a number above 0 and at most 1"
            )


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote: its text, its token ids, and why it ended. `logprob` sums the chosen tokens'."""

    text: str
    tokens: tuple[int, ...]
    finish_reason: FinishReason
    logprob: float = 0.0


@dataclass(frozen=True)
class ScoreRequest:
    """A completion to be teacher-forced after a prompt (a string as it is, or chat messages)."""

    prompt: str | Items[Message]
    completion: str
    adapter: AdapterLike | None = None
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Log-probabilities in nats: the sum, and the value for each completion token."""

    logprob: float
    tokens: tuple[float, ...]

    @property
    def mean(self) -> float:
        return self.logprob / max(1, len(self.tokens))


# -- what a grader takes --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GradeRequest:
    """Does `prediction`, a free answer to `question`, convey `answer`, the gold one?"""

    question: str
    answer: str
    prediction: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grader's word, and the probability in [0, 1] that it gives to correct."""

    correct: bool
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` returns; `str(answer)` is the text."""

    text: str
    logprob: float
    head: str
    """Id of all that was live."""
    commit: str = ""
    """That learned what the question seems to be about; empty where it is about nothing that was learned."""

    def __str__(self) -> str:
        return self.text
