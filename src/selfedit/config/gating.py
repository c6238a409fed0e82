"""What a candidate must not do to become a commit."""

from __future__ import annotations

from pydantic import Field

from selfedit.config.settings import Settings


class Gate(Settings):
    """The limits of the gate. A share counts as below its limit only where its 95 % interval is."""

    kept: float = Field(default=0.95, ge=0, le=1)
    """Of earlier probes that were right, the share that must stay right."""
    canaries: int = Field(default=401, ge=0, le=10_000)
    """Questions of general ability, so many of which the base is asked, once a store; 0: none."""
    ability: float = Field(default=0.95, ge=0, le=1)
    """Of those that it answers, the share that must stay right."""
    fluency: float = Field(default=0.1, ge=0)
    """Nats a token that general texts may become less likely by."""
    unknowns: int = Field(default=68, ge=0, le=1000)
    """Questions that nobody can answer, so many of which are asked; 0: none."""
    invention: float = Field(default=0.1, ge=0, le=1)
    """The share of these that may be answered with an invention and was not before."""
    guard: bool = True
    """Whether the guard that ships for a base reads documents for orders to the model, after the lists."""
    contradictions: bool = True
    """Whether what contradicts a live commit is held back, unless it is marked as a correction."""
    read: bool = False
    """Whether the model reads new sentences for that, too; else words alone tell."""
