"""Screening: a document or a row of training → what in it is harmful, where, and what is left without it.

No model is asked. So it knows nothing of truth: false statements in sober words pass, and contradictions too.
"""

from selfedit.screening.copies import near_duplicates
from selfedit.screening.deciding import CHECKS, Screened, findings, screen, screen_rows
from selfedit.screening.encodings import undisguised
from selfedit.screening.findings import Check, Finding
from selfedit.screening.instructions import discusses, order, unquoted

__all__ = [
    "CHECKS",
    "Check",
    "Finding",
    "Screened",
    "discusses",
    "findings",
    "near_duplicates",
    "order",
    "screen",
    "screen_rows",
    "undisguised",
    "unquoted",
]
