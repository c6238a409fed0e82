"""Rewards: what an answer is worth, and how sure that is. Knows nothing of models, training or documents."""

from selfedit.rewards.collapse import collapsed
from selfedit.rewards.grader import Grader
from selfedit.rewards.grading import concise, correct, first_line, grade, mismatch, normalise, recall
from selfedit.rewards.statistics import (
    bootstrap_interval,
    mean_over_passages,
    paired_interval,
    spread_over_passages,
)

__all__ = [
    "Grader",
    "bootstrap_interval",
    "collapsed",
    "concise",
    "correct",
    "first_line",
    "grade",
    "mean_over_passages",
    "mismatch",
    "normalise",
    "paired_interval",
    "recall",
    "spread_over_passages",
]
