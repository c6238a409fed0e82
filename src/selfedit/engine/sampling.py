"""From logits to the next token: greedy, temperature, top-p, grammar. Chance: (seed, position) alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import regex
import torch
from torch import Tensor

from selfedit.errors import UsageError
from selfedit.types import GenerationRequest, rng_for

SHORTLIST = 256
"""Candidates looked at first, by falling probability, before the whole vocabulary is."""


@final
@dataclass(frozen=True)
class Choice:
    """A token and its log-probability under the model (temperature 1, nothing cut)."""

    token: int
    logprob: float


def choose(
    logits_BV: Tensor, requests: list[GenerationRequest], positions: list[int], grammars: list[Grammar | None]
) -> list[Choice]:
    """The next token of each row. What a row draws does not depend on the other rows."""
    norm_B = torch.logsumexp(logits_BV, -1)
    tokens = logits_BV.argmax(-1).tolist()
    for row, (request, position, grammar) in enumerate(zip(requests, positions, grammars, strict=True)):
        if grammar is not None:
            tokens[row] = _constrained(logits_BV[row], request, position, grammar)
        elif request.temperature > 0:
            tokens[row] = _sampled(logits_BV[row], request, position)
    picked = torch.tensor(tokens, device=logits_BV.device)
    logprobs = (logits_BV.gather(1, picked[:, None])[:, 0] - norm_B).tolist()
    return [Choice(token, logprob) for token, logprob in zip(tokens, logprobs, strict=True)]


def _draw(request: GenerationRequest, position: int) -> float:
    return rng_for("sample", request.seed, position).random()


def _sampled(logits_V: Tensor, request: GenerationRequest, position: int) -> int:
    """Nucleus sampling (Holtzman et al. 2020) by inverting the cumulative distribution at one draw."""
    probability_V = torch.softmax(logits_V.double() / request.temperature, -1)
    if request.top_p >= 1:
        return _invert(probability_V, _draw(request, position))
    for size in (SHORTLIST, len(probability_V)):
        top_K, index_K = probability_V.topk(min(size, len(probability_V)))
        mass_K = top_K.cumsum(0)
        if mass_K[-1] >= request.top_p or size == len(probability_V):
            break
    kept = int((mass_K - top_K < request.top_p).sum())
    return int(index_K[_invert(top_K[:kept], _draw(request, position))])


def _invert(weight_K: Tensor, draw: float) -> int:
    mass_K = weight_K.cumsum(0)
    at = int(torch.searchsorted(mass_K, draw * mass_K[-1], right=True))
    return min(at, len(weight_K) - 1)


@final
class Grammar:
    """A regular expression that a row's whole text must match, followed token by token."""

    def __init__(self, pattern: str, ends: frozenset[int], text: Callable[[list[int]], str]) -> None:
        try:
            self.pattern = regex.compile(pattern, regex.DOTALL)
        except regex.error as error:
            raise UsageError(f"grammar {pattern[:60]!r}: not a regular expression ({error})") from error
        self.ends, self.text = ends, text
        self.written: list[int] = []

    def push(self, token: int) -> None:
        self.written.append(token)

    def allows(self, token: int) -> bool:
        """Whether `token` keeps the text a beginning of a match (an end token: makes it a whole one)."""
        if token in self.ends:
            return self.pattern.fullmatch(self.text(self.written)) is not None
        before, after = self.text(self.written), self.text([*self.written, token])
        if after == before or "�" in after:
            return False
        return self.pattern.fullmatch(after, partial=True) is not None

    def candidates(self, order: list[int]) -> Iterator[int]:
        return (token for token in order if self.allows(token))


def _constrained(logits_V: Tensor, request: GenerationRequest, position: int, grammar: Grammar) -> int:
    """Sample among the likeliest allowed tokens; greedy takes the first. Nothing allowed: an end token."""
    for size in (SHORTLIST, len(logits_V)):
        order = logits_V.topk(min(size, len(logits_V))).indices.tolist()
        limit = 1 if request.temperature == 0 or size > SHORTLIST else SHORTLIST
        allowed = [token for token, _ in zip(grammar.candidates(order), range(limit), strict=False)]
        if allowed:
            weight = torch.softmax(logits_V[allowed].double() / (request.temperature or 1.0), -1)
            return allowed[_nucleus(weight, request, position)]
    return min(grammar.ends)


def _nucleus(weight_K: Tensor, request: GenerationRequest, position: int) -> int:
    if request.temperature == 0:
        return 0
    kept = int((weight_K.cumsum(0) - weight_K < request.top_p).sum())
    return _invert(weight_K[: max(1, kept)], _draw(request, position))
