"""The grader that needs no other company's model: by words where they are clear, else by a small judge.

Trees over lexical features decide most answers. What they leave open goes to a judge, a language model with
a small adapter, given here as a function; its word and the trees' are mixed. All of it was fitted on the
published verdicts of SEAL's GPT-4.1 judge by `scripts/fit_grader.py`; `Fitted.titles` says on which titles.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from importlib import resources
from typing import Any, final

from selfedit.rewards.features import NAMES, contains, cut, features
from selfedit.rewards.grading import correct, normalise
from selfedit.rewards.judging import judge_prompt
from selfedit.rewards.lexicon import NEGATIONS
from selfedit.rewards.trees import Trees, log_odds, probability, read_trees
from selfedit.types import Failure, GradeRequest, Verdict

Judge = Callable[[Items[str]], Items[float]]
"""Prompts of `judging.judge_prompt` → the probability of yes for each."""
HELD = "grader.json"
YES_NO = ("yes", "no")


@final
@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted, and on what."""

    trees: Trees
    clear: tuple[float, float]
    """At or below the first probability, and at or above the second, words decide alone."""
    mix: tuple[float, float, float]
    """Of the rest: the log-odds' constant, and the weights of the trees' and of the judge's log-odds."""
    titles: frozenset[str]
    """All that was fitted or tuned on; figures on other titles are honest."""
    tuned: frozenset[str]
    """Those among them that chose settings, `clear` and `mix`."""
    revision: int = 1
    """Raised with each that ships, and wherever features come out otherwise: older verdicts count no more."""

    def as_json(self) -> dict[str, Any]:
        return {
            "clear": list(self.clear),
            "mix": list(self.mix),
            "titles": sorted(self.titles),
            "tuned": sorted(self.tuned),
            "revision": self.revision,
            "trees": self.trees.as_json(),
        }


def fitted(text: str | None = None) -> Fitted:
    """What ships with the package, or what `text` holds."""
    held = json.loads(text or (resources.files("selfedit.rewards") / HELD).read_text("utf-8"))
    return Fitted(
        read_trees(held["trees"], NAMES),
        tuple(held["clear"]),
        tuple(held["mix"]),
        frozenset(held["titles"]),
        frozenset(held["tuned"]),
        held.get("revision", 1),
    )


def plainly(request: GradeRequest) -> bool | None:
    """What is plain, but too rare among the published verdicts to be fitted; None where nothing is.

    A yes or no that is answered by yes or no; the gold answer with a negation put into it; initials for the
    name that they stand for, or the name for its initials.
    """
    gold, said = normalise(request.answer), normalise(cut(request.prediction))
    if gold[0] in YES_NO and said[0] in YES_NO:
        return gold[0] == said[0]
    if not NEGATIONS & set(gold) and not contains(said, gold):
        positive = [word for word in said if word not in NEGATIONS]
        if len(positive) < len(said) and contains(positive, gold):
            return False
    for short, long in ((said, gold), (gold, said)):
        if len(long) > 1 and short == ["".join(word[0] for word in long)]:
            return True
    return None


@final
class LocalGrader:
    """Words first, then the judge. Without a judge it is called `words`, and words decide all."""

    def __init__(self, held: Fitted, judge: Judge | None = None) -> None:
        self._held, self._judge = held, judge

    @property
    def name(self) -> str:
        name = "local" if self._judge else "words"
        return name if self._held.revision == 1 else f"{name}-{self._held.revision}"

    def grade(self, requests: Items[GradeRequest]) -> list[Verdict | Failure]:
        """The score is the probability of correct, and correct is a score of one half or more."""
        found = [self._by_words(request) for request in requests]
        low, high = self._held.clear
        open_ = [at for at, score in enumerate(found) if low < score < high]
        if self._judge and open_:
            said = self._judge([judge_prompt(requests[at]) for at in open_])
            for at, yes in zip(open_, said, strict=True):
                found[at] = self._mixed(found[at], yes)
        return [Verdict(score >= 0.5, score) for score in found]

    def _by_words(self, request: GradeRequest) -> float:
        """Where one side has no words at all, there is nothing for the trees to see."""
        if not normalise(request.answer):
            return float(correct(request.prediction, request.answer))
        if not normalise(cut(request.prediction)):
            return 0.0
        certain = plainly(request)
        return probability(self._held.trees(features(request))) if certain is None else float(certain)

    def _mixed(self, words: float, judge: float) -> float:
        constant, own, other = self._held.mix
        return probability(constant + own * log_odds(words) + other * log_odds(judge))
