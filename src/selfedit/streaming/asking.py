"""What a model knows at some point of a stream: by log-probability everywhere, by answers where asked.

At a point each question has one who answers it: an adapter on a head, or a head by itself. Trains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, final

from selfedit import rounds
from selfedit.measuring import judged
from selfedit.rounds import Ground
from selfedit.streaming.study import Canaries, Sung
from selfedit.types import GenerationRequest, Head, Probe, ScoreRequest, Sequence

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker


@final
@dataclass(frozen=True)
class Speaker:
    """Who answers questions."""

    head: Callable[[], Head | None]
    """Makes the head when its turn comes. Questions to one and the same are asked together."""
    adapter: Adapter | None = None
    """On that head; None where the head answers by itself."""


Voice = Callable[[Probe], Speaker]
"""A question → who answers it."""
Asked = tuple[Speaker, Probe]
What = TypeVar("What")
Value = TypeVar("Value")
LOST = -1000.0
"""Of what a broken model finds impossible, in nats."""


def bare() -> None:
    """The base: no head."""


def by_head(head: Head | None) -> Voice:
    """The head answers all questions by itself."""
    speaker = Speaker(lambda: head)
    return lambda probe: speaker


def head_by_head(
    asked: Items[tuple[Speaker, What]],
    ground: Ground,
    ask: Callable[[Items[tuple[Adapter | None, What]], Ground], Items[Value]],
) -> list[Value]:
    """What `ask` finds of all these, where it is told of one head at a time."""
    found: dict[int, Value] = {}
    for head in dict.fromkeys(speaker.head for speaker, _ in asked):
        places = [at for at, (speaker, _) in enumerate(asked) if speaker.head is head]
        mine = [(asked[at][0].adapter, asked[at][1]) for at in places]
        found.update(zip(places, ask(mine, replace(ground, head=head())), strict=True))
    return [found[at] for at in range(len(asked))]


def logprobs(groups: Items[Items[Asked]], ground: Ground) -> list[tuple[float | None, ...]]:
    """For each group of questions, how likely their answers are: means over tokens; None: not finite."""
    found = head_by_head([each for group in groups for each in group], ground, rounds.logprobs)
    return regrouped([x if math.isfinite(x) else None for x in found], groups)


def answers(groups: Items[Items[Asked]], ground: Ground) -> list[tuple[str, ...]]:
    """The answers to each group of questions; what repeats is asked once."""
    return regrouped(head_by_head([each for group in groups for each in group], ground, _answers), groups)


def _answers(every: Items[rounds.Asking], ground: Ground) -> list[str]:
    keys = [(adapter.hash if adapter else "", probe.id) for adapter, probe in every]
    once = dict(zip(keys, every, strict=True))
    said = dict(zip(once, rounds.answered(list(once.values()), ground), strict=True))
    return [said[key] for key in keys]


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
    asked = [(voice(canaries.probes[at]), (canaries.probes[at], canaries.prompts[at])) for at in places]
    values = tuple(head_by_head(asked, ground, _sure))
    right = tuple(head_by_head(asked, ground, _right)) if aloud else None
    return Sung(tuple(places), right, values)


def _sure(asked: Items[tuple[Adapter | None, tuple[Probe, str]]], ground: Ground) -> list[float | None]:
    """How likely the expected answers are."""
    scores = ground.worker.score(
        [ScoreRequest(prompt, f" {probe.answer}", adapter, ground.head) for adapter, (probe, prompt) in asked]
    )
    return [score.mean if math.isfinite(score.mean) else None for score in scores]


def _right(asked: Items[tuple[Adapter | None, tuple[Probe, str]]], ground: Ground) -> list[bool]:
    """Which are answered right."""
    said = ground.worker.generate(
        [
            GenerationRequest(prompt, adapter, ground.head, ground.answer_tokens, stop=("\n",))
            for adapter, (_, prompt) in asked
        ],
        ground.progress,
    )
    return [bool(judged(probe, each.text).correct) for (_, (probe, _)), each in zip(asked, said, strict=True)]
