"""The nouns. Frozen values that cross rooms; standard library only.

Knows nothing of tensors, files, models or databases. Identifiers are content hashes, so that two equal
values made on two machines are the same thing.
"""

from selfedit.types.answers import Answer, GradeRequest, Verdict
from selfedit.types.edits import Failure, Outcome, Reward, SelfEdit, Trial
from selfedit.types.goals import Constraint, Divergence, Elastic, NullSpace, Objective, Orthogonal, Pulled
from selfedit.types.hashing import content_hash, rng_for
from selfedit.types.heads import AdapterLike, Head, MomentsLike, Sequence
from selfedit.types.plans import Schedule, TrainingPlan
from selfedit.types.requests import Completion, FinishReason, GenerationRequest, Message, Score, ScoreRequest
from selfedit.types.tasks import MOST_SIDE, Example, FewShot, Grid, Probe, Task, Value, grid_fault

__all__ = [
    "MOST_SIDE",
    "AdapterLike",
    "Answer",
    "Completion",
    "Constraint",
    "Divergence",
    "Elastic",
    "Example",
    "Failure",
    "FewShot",
    "FinishReason",
    "GenerationRequest",
    "GradeRequest",
    "Grid",
    "Head",
    "Message",
    "MomentsLike",
    "NullSpace",
    "Objective",
    "Orthogonal",
    "Outcome",
    "Probe",
    "Pulled",
    "Reward",
    "Schedule",
    "Score",
    "ScoreRequest",
    "SelfEdit",
    "Sequence",
    "Task",
    "TrainingPlan",
    "Trial",
    "Value",
    "Verdict",
    "content_hash",
    "grid_fault",
    "rng_for",
]
