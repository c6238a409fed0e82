"""What a benchmark is asked to do. Standard library only: it also runs where little is installed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from selfedit.errors import UsageError

BENCHES = ("train", "generate", "score", "trial")


@dataclass(frozen=True)
class Settings:
    """One benchmark run. Both sides rebuild the same workload from it."""

    name: str
    base: str = "smollm2-135m"
    device: str = "auto"
    dtype: str = "auto"
    data: str | None = None
    """A folder with `squad/train.json` (rows of title, context, questions)."""
    synthetic: bool = False
    """Random-word texts of the same lengths in place of data."""
    plans: int = 32
    """Adapters to train; in `trial`, trials."""
    sequences: int = 15
    """Training sequences of a plan."""
    epochs: int = 2
    rank: int = 16
    learning_rate: float = 1e-3
    subset: int = 4
    """Plans that a rival who takes one adapter at a time is measured on; the rest is scaled by tokens."""
    padded_steps: int = 2
    pad_to: int = 2048
    requests: int = 32
    adapters: tuple[int, ...] = (8, 32)
    max_tokens: int = 48
    single_requests: int = 3
    """Requests that the rival who takes one row at a time is measured on."""
    repeats: int = 2
    threads: tuple[int, ...] = ()
    """Thread counts that a rival may choose from; empty: powers of two up to the cores there are."""
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "threads", tuple(self.threads))
        object.__setattr__(self, "adapters", tuple(self.adapters))
        if self.name not in BENCHES:
            raise UsageError(
                f"bench: no benchmark is called {self.name!r}; choose one of {', '.join(BENCHES)}"
            )
        for field in (
            "plans",
            "sequences",
            "epochs",
            "rank",
            "subset",
            "padded_steps",
            "requests",
            "max_tokens",
        ):
            if getattr(self, field) < 1:
                raise UsageError(f"bench: {field} is {getattr(self, field)}; choose at least 1")

    def measured(self) -> list[int]:
        """Indices of the plans that the slow rivals are measured on: spread evenly over all plans."""
        count = min(self.subset, self.plans)
        return [i * self.plans // count for i in range(count)]

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def from_json(text: str) -> Settings:
    return Settings(**json.loads(text))


def settings_for(name: str, *, quick: bool = False, **given: Any) -> Settings:
    """The benchmark's own settings, changed by what is given (None means not given).

    A quick run checks that everything works; its figures mean little, and its padded rival pads to 512.
    """
    base = Settings(name)
    if name == "trial":
        base = replace(base, plans=60, max_tokens=24)
    if name == "score":
        base = replace(base, adapters=(8,), requests=96, repeats=3)
    if quick:
        base = replace(
            base, plans=4, sequences=6, epochs=1, rank=8, subset=2, padded_steps=1, pad_to=512, requests=8,
            adapters=tuple(sorted({min(count, 8) // 2 for count in base.adapters})),
            max_tokens=8, single_requests=1, repeats=1,
        )  # fmt: skip
    return replace(base, **{key: value for key, value in given.items() if value is not None})
