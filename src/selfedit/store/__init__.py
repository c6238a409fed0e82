"""Durable history: what a model learned, from where, how well, and how to take it back.

Needs SQLAlchemy and the standard library. Knows nothing of models or how adapters come about.
"""

from selfedit.store.drafts import sequence_text, text_hash, texts_of, trial_key
from selfedit.store.rows import (
    AdapterName,
    AdapterRow,
    Backup,
    Collected,
    CommitRow,
    Cost,
    Figures,
    MomentsName,
    Move,
    NewAdapter,
    NewCommit,
    ProbeAnswer,
    ProbeResult,
    ReportRow,
    RoundRow,
    RunRow,
    Source,
    SourceRow,
    TrialRow,
    Verification,
)
from selfedit.store.store import Store

__all__ = [
    "AdapterName",
    "AdapterRow",
    "Backup",
    "Collected",
    "CommitRow",
    "Cost",
    "Figures",
    "MomentsName",
    "Move",
    "NewAdapter",
    "NewCommit",
    "ProbeAnswer",
    "ProbeResult",
    "ReportRow",
    "RoundRow",
    "RunRow",
    "Source",
    "SourceRow",
    "Store",
    "TrialRow",
    "Verification",
    "sequence_text",
    "text_hash",
    "texts_of",
    "trial_key",
]
