"""What of general ability is kept: canaries that the base answers, and the likelihood of ordinary texts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.abilities.asking import Asker, Scorer, queries
from selfedit.canaries import Canary, General, canaries
from selfedit.rewards import correct, paired_interval, wilson
from selfedit.types import rng_for

Interval = tuple[float, float]


@final
@dataclass(frozen=True)
class Drift:
    """Of the canaries that were answered once and were asked again, how many still are."""

    asked: int
    kept: int
    ci95: Interval | None
    """Of the share that is kept; None where nothing was asked."""

    @property
    def share(self) -> float | None:
        return self.kept / self.asked if self.asked else None


@final
@dataclass(frozen=True)
class Fluency:
    """Log-probability of each text's tokens, in nats a token: how likely ordinary language is found."""

    texts: Mapping[str, float]
    """Text → the mean over its tokens."""

    @property
    def mean(self) -> float:
        """Over texts, so that a long one counts as much as a short one."""
        return math.fsum(self.texts.values()) / len(self.texts)


def answered(asked: Items[Canary], ask: Asker) -> tuple[str, ...]:
    """Ids of the probes of those canaries that are answered right, by rule."""
    said = ask(queries(asked))
    pairs = zip((canary.probe for canary in asked), said, strict=True)
    return tuple(probe.id for probe, answer in pairs if correct(answer, probe.answer))


def drift(known: Collection[str], ask: Asker, sample: int, seed: int = 0) -> Drift:
    """Ask again at most `sample` of the shipped canaries that `known` names; a fair sample over their kinds.

    One seed draws the same sample each time. Ids that no shipped canary has are passed over.
    """
    held = [canary for canary in canaries() if canary.probe.id in known]
    drawn = fair_sample(held, sample, seed)
    if not drawn:
        return Drift(0, 0, None)
    kept = len(answered(drawn, ask))
    return Drift(len(drawn), kept, wilson(kept, len(drawn)))


def fair_sample(among: Items[Canary], size: int, seed: int = 0) -> tuple[Canary, ...]:
    """So many of them, each kind in proportion, drawn within its kind; all where there are no more."""
    kinds: dict[str, list[Canary]] = defaultdict(list)
    for canary in among:
        kinds[canary.kind].append(canary)
    placed: list[tuple[float, float, Canary]] = []
    for kind, mine in kinds.items():
        rng = rng_for("canaries", seed, kind)
        rng.shuffle(mine)
        start = rng.random()
        placed += [((at + start) / len(mine), start, canary) for at, canary in enumerate(mine)]
    placed.sort(key=lambda each: each[:2])
    return tuple(canary for _, _, canary in placed[: max(0, size)])


def fluency(texts: Items[General], score: Scorer) -> Fluency:
    """How likely the texts are found, each after its first word."""
    scores = score([text.request for text in texts])
    return Fluency({text.text: found.mean for text, found in zip(texts, scores, strict=True)})


def changed(before: Fluency, after: Fluency) -> tuple[float, Interval | None]:
    """What a token's log-probability has gained (below 0: lost), and its 95 % interval, paired by text."""
    now, then = ({text: [value] for text, value in each.texts.items()} for each in (after, before))
    return after.mean - before.mean, paired_interval(now, then, seed=0)
