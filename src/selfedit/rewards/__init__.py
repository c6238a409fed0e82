"""Rewards: what an answer is worth, and how sure that is. Knows nothing of models, training or documents."""

from selfedit.rewards.collapse import collapsed
from selfedit.rewards.controls import CONTROLS, ControlPassage, ControlRow, control_rows, mismatched
from selfedit.rewards.grader import Grader
from selfedit.rewards.grading import concise, correct, first_line, grade, mismatch, normalise, recall, short
from selfedit.rewards.measures import MEASURES, Evidence, check, needs, reward
from selfedit.rewards.rules import RuleGrader
from selfedit.rewards.solving import SOLVING, Attempted, solving, solving_needs
from selfedit.rewards.statistics import (
    bootstrap_interval,
    correlation_interval,
    mean_over_passages,
    paired_interval,
    spread_over_passages,
    wilson,
    within_correlation,
)
from selfedit.rewards.voting import Ballot, Candidate, Count, judged, share_solved, vote

__all__ = [
    "CONTROLS",
    "MEASURES",
    "SOLVING",
    "Attempted",
    "Ballot",
    "Candidate",
    "ControlPassage",
    "ControlRow",
    "Count",
    "Evidence",
    "Grader",
    "RuleGrader",
    "bootstrap_interval",
    "check",
    "collapsed",
    "concise",
    "control_rows",
    "correct",
    "correlation_interval",
    "first_line",
    "grade",
    "judged",
    "mean_over_passages",
    "mismatch",
    "mismatched",
    "needs",
    "normalise",
    "paired_interval",
    "recall",
    "reward",
    "share_solved",
    "short",
    "solving",
    "solving_needs",
    "spread_over_passages",
    "vote",
    "wilson",
    "within_correlation",
]
