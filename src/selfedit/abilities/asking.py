"""How abilities are asked for: queries with their prompts, and who answers each of them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from selfedit.canaries import Canary, canaries, demonstrated
from selfedit.edits.questions import ask_prompt
from selfedit.types import GenerationRequest, Head, Probe, Score, ScoreRequest

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

ANSWER_TOKENS = 16


@final
@dataclass(frozen=True, slots=True)
class Query:
    """A question, and the prompt that it is asked with."""

    probe: Probe
    prompt: str


Asker = Callable[[Items[Query]], list[str]]
"""Answers as they are served, one line each, stripped."""
Scorer = Callable[[Items[ScoreRequest]], list[Score]]
"""Scores as whoever is measured gives them."""
Route = Callable[[Probe], "tuple[Head | None, Adapter | None]"]
"""Who answers a question: a head, an adapter on it; neither is the base."""


def base(probe: Probe) -> tuple[Head | None, Adapter | None]:
    """The route to the base as it is."""
    return None, None


def asker(worker: Worker, route: Route = base, tokens: int = ANSWER_TOKENS) -> Asker:
    """Asks, greedily, whom the route names for each question."""

    def ask(wanted: Items[Query]) -> list[str]:
        requests = [
            GenerationRequest(each.prompt, adapter, head, max_tokens=tokens, stop=("\n",))
            for each in wanted
            for head, adapter in [route(each.probe)]
        ]
        return [completion.text.strip() for completion in worker.generate(requests)]

    return ask


def scorer(worker: Worker, head: Head | None = None, adapter: Adapter | None = None) -> Scorer:
    """Scores by an adapter on a head; by neither, as the base does."""

    def score(wanted: Items[ScoreRequest]) -> list[Score]:
        return worker.score([replace(each, head=head, adapter=adapter) for each in wanted])

    return score


def queries(asked: Items[Canary | Probe]) -> list[Query]:
    """Canaries after demonstrations of their kind; probes as every question is asked."""
    among = canaries()
    return [
        Query(each.probe, demonstrated(each, among))
        if isinstance(each, Canary)
        else Query(each, ask_prompt(each.question, each.topic))
        for each in asked
    ]
