"""Rewards: what an answer is worth, and how sure that is. Knows nothing of models, training or documents."""

from selfedit.rewards.collapse import collapsed
from selfedit.rewards.controls import CONTROLS, ControlPassage, ControlRow, control_rows, mismatched
from selfedit.rewards.grader import Grader
from selfedit.rewards.grading import concise, correct, first_line, grade, mismatch, normalise, recall
from selfedit.rewards.statistics import (
    bootstrap_interval,
    mean_over_passages,
    paired_interval,
    spread_over_passages,
)

__all__ = [
    "CONTROLS",
    "ControlPassage",
    "ControlRow",
    "Grader",
    "bootstrap_interval",
    "collapsed",
    "concise",
    "control_rows",
    "correct",
    "first_line",
    "grade",
    "mean_over_passages",
    "mismatch",
    "mismatched",
    "normalise",
    "paired_interval",
    "recall",
    "spread_over_passages",
]
