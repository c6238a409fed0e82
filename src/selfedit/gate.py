"""The tests that a candidate must pass before it becomes a commit. Knows nothing of how it was trained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, final

from selfedit.config import Gate
from selfedit.rewards import wilson


@final
@dataclass(frozen=True)
class Share:
    """So many of so many."""

    good: int
    total: int


@final
@dataclass(frozen=True)
class Change:
    """A figure before and after learning."""

    before: float
    after: float


@final
@dataclass(frozen=True)
class Correction:
    """A question whose old answer is to lose: how likely both are now, in nats a token."""

    question: str
    old: str
    new: str
    likely_old: float
    likely_new: float


@final
@dataclass(frozen=True)
class Evidence:
    """What is known of a candidate. None where it was not asked, or where there was nothing to ask."""

    answers: tuple[str, ...] = ()
    """To the reporting probes of its own documents."""
    recall: Change | None = None
    """Of these."""
    swayed: tuple[int, int] = (0, 0)
    """Of these so many that were right are wrong now, and so many the other way."""
    logprob: Change | None = None
    """Of their gold answers, nats a token."""
    kept: Share | None = None
    """Of earlier probes that were right."""
    ability: Share | None = None
    """Of questions of general ability that the base answers."""
    fluency: Change | None = None
    """Of general texts, nats a token."""
    invention: Share | None = None
    """Of unanswerable questions, those that are answered with an invention now and were not before."""
    corrected: tuple[Correction, ...] = ()
    """Facts that were to be replaced."""


@final
@dataclass(frozen=True)
class Check:
    """One test, and how it came out in words."""

    name: str
    passed: bool
    told: str


@final
@dataclass(frozen=True)
class Verdict:
    """Accepted or not, and why."""

    checks: tuple[Check, ...]
    scale: float = 1.0
    """So much of the adapter it is about."""

    @property
    def accepted(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was refused, a line each."""
        return tuple(check.told for check in self.checks if not check.passed)

    @property
    def reason(self) -> str:
        """In one line."""
        if not self.accepted:
            return "; ".join(self.reasons)
        less = f"at {self.scale:.2g} of its strength: " if self.scale < 1 else ""
        told = [check.told for check in self.checks if check.name in TOLD]
        return less + ("; ".join(told) or "nothing of its own could be tested")

    @property
    def gentler_may_pass(self) -> bool:
        """Whether only what a smaller adapter harms less was harmed."""
        failed = {check.name for check in self.checks if not check.passed}
        return bool(failed) and failed <= SCALABLE

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the commit."""
        told = {"accepted": self.accepted, "reason": self.reason, "scale": self.scale}
        return {**told, "checks": [asdict(check) for check in self.checks]}


CHANCE = 0.05
TOLD = ("own", "correction", "earlier")
"""What a person is told of who was accepted; the rest is kept with the commit."""
SCALABLE = frozenset({"earlier", "ability", "fluency", "invention"})


def pass_gate(evidence: Evidence, limits: Gate) -> Verdict:
    """Every test that there is evidence for."""
    return Verdict(tuple(_checks(evidence, limits)))


def _checks(found: Evidence, limits: Gate) -> Iterator[Check]:
    if found.answers:
        yield _own(found)
    for each in found.corrected:
        yield _corrected(each)
    if found.kept is not None:
        yield _share("earlier", found.kept, limits.kept, "earlier right answers stayed right")
    if found.ability is not None:
        yield _share("ability", found.ability, limits.ability, "general questions stayed right")
    if found.fluency is not None:
        lost = found.fluency.before - found.fluency.after
        told = f"general texts {'lost' if lost > 0 else 'gained'} {abs(lost):.2f} nats a token"
        yield _limited("fluency", lost <= limits.fluency, told, f"at most {limits.fluency:g} may be lost")
    if found.invention is not None:
        more, total = found.invention.good, found.invention.total
        told = f"{more} more of {total} unanswerable questions are answered with an invention"
        passed = more <= limits.invention * total
        yield _limited("invention", passed, told, f"the limit is {limits.invention:.0%}")


def _own(found: Evidence) -> Check:
    """Its own documents: recall must not fall by more than chance, and something must have been learned."""
    if not any(found.answers):
        return Check("own", False, "after training every answer is empty")
    if found.recall is None:
        return Check("own", True, "no question of its own")
    before, after = found.recall.before, found.recall.after
    told = f"recall of the document itself {_went(found.recall)}"
    if after > before or after == 1:
        return Check("own", True, told)
    if _by_chance(*found.swayed) <= CHANCE:
        return Check("own", False, told)
    if found.logprob is not None and found.logprob.after <= found.logprob.before:
        return Check("own", False, f"{told}, and its answers became no likelier")
    return Check("own", True, told)


def _by_chance(lost: int, gained: int) -> float:
    """How often so many or more of these were lost if each were lost or gained by a coin (sign test)."""
    total = lost + gained
    return sum(math.comb(total, each) for each in range(lost, total + 1)) / 2**total


def _went(change: Change) -> str:
    how = "rose" if change.after > change.before else "fell" if change.after < change.before else "stayed"
    if how == "stayed":
        return f"stayed at {change.after:.2f}"
    return f"{how} from {change.before:.2f} to {change.after:.2f}"


def _share(name: str, share: Share, limit: float, what: str) -> Check:
    told = f"{share.good} of {share.total} {what}"
    passed = not share.total or wilson(share.good, share.total)[1] >= limit
    return _limited(name, passed, told, f"the limit is {limit:.0%}")


def _limited(name: str, passed: bool, told: str, limit: str) -> Check:
    return Check(name, passed, told if passed else f"{told}; {limit}")


def _corrected(each: Correction) -> Check:
    won = each.likely_new > each.likely_old
    how = f"{each.new!r} {'took the place of' if won else 'did not become likelier than'} {each.old!r}"
    return Check("correction", won, f"{each.question} {how}")
