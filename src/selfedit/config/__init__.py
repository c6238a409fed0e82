"""Every default that is no part of a plan or a request, once; checked when it is made."""

from selfedit.config.documents import DEFAULT, DEMO, Learning, learning, recorded
from selfedit.config.gating import Gate
from selfedit.config.recipe import (
    FEW_SHOT,
    FEW_SHOT_ROWS,
    PAIRS,
    ROWS,
    Configuration,
    Data,
    FewShots,
    Judge,
    Recipe,
    Reinforce,
    Reporting,
    Section,
    Select,
    Write,
)
from selfedit.config.retention import Retention, Routing
from selfedit.config.screening import Action, Policy
from selfedit.config.settings import BUILT_IN, Judging, Settings, Training, Weighted

__all__ = [
    "BUILT_IN",
    "DEFAULT",
    "DEMO",
    "FEW_SHOT",
    "FEW_SHOT_ROWS",
    "PAIRS",
    "ROWS",
    "Action",
    "Configuration",
    "Data",
    "FewShots",
    "Gate",
    "Judge",
    "Judging",
    "Learning",
    "Policy",
    "Recipe",
    "Reinforce",
    "Reporting",
    "Retention",
    "Routing",
    "Section",
    "Select",
    "Settings",
    "Training",
    "Weighted",
    "Write",
    "learning",
    "recorded",
]
