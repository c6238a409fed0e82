"""What is done about a document in which something was found: the settings of the screening."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from selfedit.config.settings import Settings

Action = Literal["refuse", "redact", "warn", "allow"]
"""Refuse the document; take the place out and keep the rest; only say so; say nothing."""


class Policy(Settings):
    """One action for each kind of finding; a finding less sure than `sure` is a warning at most."""

    instruction: Action = "refuse"
    """Orders to the model."""
    spoof: Action = "refuse"
    """Chat tokens and rows in the forms that models are trained in."""
    trigger: Action = "refuse"
    """A rare string that stands again and again before the same words."""
    encoded: Action = "refuse"
    """An order to the model in base64, hexadecimal, escapes or rot13."""
    homoglyph: Action = "refuse"
    """Words in letters of another script that look alike."""
    gibberish: Action = "refuse"
    """Text in no language."""
    secret: Action = "redact"
    """Keys, tokens and passwords."""
    personal: Action = "redact"
    """Numbers of cards, accounts and identity; lists of addresses and telephones."""
    invisible: Action = "redact"
    """Characters that no screen shows, where no script wants them."""
    hidden: Action = "redact"
    """Text that a browser would not show."""
    repetition: Action = "redact"
    """One claim over and over; the first copy stays."""
    table: Action = "redact"
    """A table of more rows than `table_rows`."""
    blob: Action = "redact"
    """Long binary data as text."""

    sure: float = Field(default=0.5, ge=0, le=1)
    """From here on an action is taken."""
    addresses: int = Field(default=4, ge=0)
    """So many e-mail addresses, and so many telephone numbers, are no list yet."""
    copies: int = Field(default=8, ge=2)
    """So often a claim may not stand in a document."""
    table_rows: int = Field(default=400, ge=1)
    """A longer table is left out."""

    def without_refusals(self) -> Policy:
        """The same, where what would be refused is only said."""
        refusing = (name for name in type(self).model_fields if getattr(self, name) == "refuse")
        return self.model_copy(update=dict.fromkeys(refusing, "warn"))

    def action(self, kind: str, sureness: float) -> Action:
        """What is done about a finding."""
        chosen: Action = getattr(self, kind)
        return "warn" if sureness < self.sure and chosen in ("refuse", "redact") else chosen
