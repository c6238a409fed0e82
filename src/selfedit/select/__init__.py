"""Selection: which self-edits to try further, to keep and to learn from.

    Race                the next trials: bad edits stop early
    shrunk, best        the value of each edit without its luck, and the best of each task
    beating, distinct   what is not worth keeping
    advantages          what each edit weighs in a policy gradient
    Bandit, temperature what the next round samples

Pure: plain values in, plain values out, and every draw from `rng_for`. Knows nothing of models, of what a
reward measures, or of stores.
"""

from selfedit.select.advantage import advantages
from selfedit.select.candidates import Candidate, Valued, Values, means
from selfedit.select.choosing import beating, best, distinct
from selfedit.select.racing import Race, Rung, rungs
from selfedit.select.sampling import Bandit, temperature
from selfedit.select.shrinkage import reliability, shrunk

__all__ = [
    "Bandit",
    "Candidate",
    "Race",
    "Rung",
    "Valued",
    "Values",
    "advantages",
    "beating",
    "best",
    "distinct",
    "means",
    "reliability",
    "rungs",
    "shrunk",
    "temperature",
]
