"""What a model knows at some point of a stream: by log-probability everywhere, by answers where asked.

A point is a head, and for each question the adapter that answers it on that head, if any. Trains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Sequence as Items
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from selfedit import rounds
from selfedit.measuring import judged
from selfedit.rounds import Asking, Ground
from selfedit.streaming.study import Canaries, Sung
from selfedit.types import GenerationRequest, Head, Probe, ScoreRequest, Sequence

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

Voice = Callable[[Probe], "Adapter | None"]
"""A question → the adapter that answers it, on the point's head."""
Value = TypeVar("Value")
LOST = -1000.0
"""Of what a broken model finds impossible, in nats."""


def by_head(probe: Probe) -> None:
    """The head answers alone."""


def logprobs(groups: Items[Items[Asking]], ground: Ground) -> list[tuple[float | None, ...]]:
    """For each group of questions, how likely their answers are: means over tokens; None: not finite."""
    found = rounds.logprobs([each for group in groups for each in group], ground)
    return regrouped([x if math.isfinite(x) else None for x in found], groups)


def answers(groups: Items[Items[Asking]], ground: Ground) -> list[tuple[str, ...]]:
    """The answers to each group of questions; what repeats is asked once."""
    every = [each for group in groups for each in group]
    keys = [(adapter.hash if adapter else "", probe.id) for adapter, probe in every]
    once = dict(zip(keys, every, strict=True))
    said = dict(zip(once, rounds.answered(list(once.values()), ground) if once else [], strict=True))
    return regrouped([said[key] for key in keys], groups)


def regrouped(values: Items[Value], groups: Items[Items[object]]) -> list[tuple[Value, ...]]:
    """The values in groups as large as these."""
    rest = iter(values)
    return [tuple(islice(rest, len(group))) for group in groups]


def own_logprobs(worker: Worker, rows: Items[Items[Sequence]], head: Head | None) -> list[tuple[float, ...]]:
    """For each document's self-written questions, how likely their answers are on a head."""
    requests = [ScoreRequest(row.prompt, row.completion, None, head) for mine in rows for row in mine]
    values = [score.mean for score in worker.score(requests)] if requests else []
    return regrouped([x if math.isfinite(x) else LOST for x in values], rows)


def sung(canaries: Canaries, places: Items[int], voice: Voice, ground: Ground, *, aloud: bool) -> Sung:
    """How these canaries are answered: by log-probability, and with `aloud` in words."""
    asked = [(canaries.probes[at], canaries.prompts[at], voice(canaries.probes[at])) for at in places]
    scores = ground.worker.score(
        [ScoreRequest(prompt, f" {probe.answer}", adapter, ground.head) for probe, prompt, adapter in asked]
    )
    values = tuple(score.mean if math.isfinite(score.mean) else None for score in scores)
    if not aloud:
        return Sung(tuple(places), None, values)
    said = ground.worker.generate(
        [
            GenerationRequest(prompt, adapter, ground.head, ground.answer_tokens, stop=("\n",))
            for _, prompt, adapter in asked
        ],
        ground.progress,
    )
    right = (judged(probe, each.text).correct for (probe, _, _), each in zip(asked, said, strict=True))
    return Sung(tuple(places), tuple(map(bool, right)), values)
