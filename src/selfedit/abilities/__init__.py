"""What a head can still do, and whether it says that it does not know.

Three figures that concern nothing that was learned: canaries that are still answered, ordinary texts that are
still likely, and questions about things that do not exist, which nobody may answer. Asks through functions
that it is given, so that a base, a merged head and routed adapters are measured alike; knows nothing of
stores, training, or of what is too much.
"""

from selfedit.abilities.abstaining import abstains
from selfedit.abilities.asking import Asker, Query, Route, Scorer, asker, queries, scorer
from selfedit.abilities.inventing import Invented, invention
from selfedit.abilities.keeping import Drift, Fluency, answered, changed, drift, fair_sample, fluency
from selfedit.abilities.shipped import shipped

__all__ = [
    "Asker",
    "Drift",
    "Fluency",
    "Invented",
    "Query",
    "Route",
    "Scorer",
    "abstains",
    "answered",
    "asker",
    "changed",
    "drift",
    "fair_sample",
    "fluency",
    "invention",
    "queries",
    "scorer",
    "shipped",
]
