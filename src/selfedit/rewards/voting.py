"""Which answers to put forward, of many to one question. Knows nothing of models, transforms or prompts.

The answers are votes; one that could not be read is counted as such and votes for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from selfedit.types import Failure, Reward

T = TypeVar("T", bound=Hashable)
ATTEMPTS = 2


@final
@dataclass(frozen=True, slots=True)
class Ballot(Generic[T]):
    """An answer, taken back to the plain question, and the mean log-probability of its tokens if known."""

    answer: T | Failure
    logprob: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """An answer and what speaks for it."""

    answer: T
    votes: int
    logprob: float
    """The mean over its ballots."""


@final
@dataclass(frozen=True, slots=True)
class Count(Generic[T]):
    """All answers, the best first, and how many ballots there were without one."""

    candidates: tuple[Candidate[T], ...]
    failures: int = 0

    @property
    def ballots(self) -> int:
        """All that were cast, those without an answer too."""
        return self.failures + sum(candidate.votes for candidate in self.candidates)

    def attempts(self, most: int = ATTEMPTS) -> tuple[T, ...]:
        """The answers to put forward, none twice; fewer than `most` where there were not so many."""
        return tuple(candidate.answer for candidate in self.candidates[:most])

    def solved(self, expected: T, most: int = ATTEMPTS) -> bool:
        """Whether one of the attempts is the right answer. Without any answer it is not: no error."""
        return expected in self.attempts(most)


def vote(ballots: Iterable[Ballot[T]]) -> Count[T]:
    """Most votes first; of equals, the greater mean log-probability, and then the answer that came first."""
    found: dict[T, list[float]] = {}
    failures = 0
    for ballot in ballots:
        if isinstance(ballot.answer, Failure):
            failures += 1
        else:
            found.setdefault(ballot.answer, []).append(ballot.logprob)
    counted = [Candidate(answer, len(each), sum(each) / len(each)) for answer, each in found.items()]
    counted.sort(key=lambda candidate: (-candidate.votes, -candidate.logprob))
    return Count(tuple(counted), failures)


def share_solved(counts: Items[Count[T]], expected: Items[T], most: int = ATTEMPTS) -> float:
    """The share of a task's tests, of which it has one at least, that an attempt solves."""
    right = (count.solved(answer, most) for count, answer in zip(counts, expected, strict=True))
    return sum(right) / len(expected)


def judged(
    counts: Items[Count[T]], expected: Items[T], logprobs: Items[float] = (), *, most: int = ATTEMPTS
) -> Reward:
    """A task's reward: the share of tests solved; a dense one, the mean of `logprobs`, where these are given.

    They are mean log-probabilities of the right answers' tokens, one or more for each test. `parts` has
    `solved`, `malformed` (the share of answers that could not be read) and, if any, `logprob`.
    """
    ballots = sum(count.ballots for count in counts)
    parts = {
        "solved": share_solved(counts, expected, most),
        "malformed": sum(count.failures for count in counts) / max(1, ballots),
    }
    if not logprobs:
        return Reward(parts["solved"], parts)
    mean = math.fsum(logprobs) / len(logprobs)
    return Reward(mean, {**parts, "logprob": mean})
