"""Reinforcing the policy: rounds of write → try → select → learn, after a recipe (ReST-EM, as in SEAL).

    reinforce          the rounds, one after another: read this first
    Campaign           who works, on what, and where it is kept
    attempts           a round's self-edits, written and tried; nothing is computed twice
    update             what the policy learns from those that were kept
    foretell           what it will cost, before it begins

All that is made is kept in the store as it is made, under a hash of what it depends on: a run that was broken
off goes on where it stopped, and ends as an unbroken one would.
"""

from selfedit.reinforcing.campaign import Campaign, campaign
from selfedit.reinforcing.foretelling import Outlook, foretell
from selfedit.reinforcing.training import RoundReport, reinforce

__all__ = ["Campaign", "Outlook", "RoundReport", "campaign", "foretell", "reinforce"]
