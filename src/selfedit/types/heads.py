"""What plans and requests stand on: adapters by their hash, heads, and training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from selfedit.types.hashing import content_hash


@runtime_checkable
class AdapterLike(Protocol):
    """What a request needs of an adapter: an identity. The engine's `Adapter` is the real thing."""

    @property
    def hash(self) -> str: ...


@runtime_checkable
class MomentsLike(Protocol):
    """What a constraint needs of second moments: an identity. The engine's `Moments` is the real thing."""

    @property
    def hash(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Head:
    """A base with an ordered list of adapters merged into it. A value: equal ids mean equal weights."""

    base: str
    """Hash of the base's weights."""
    adapters: tuple[AdapterLike, ...] = ()

    @property
    def id(self) -> str:
        return content_hash(["head", self.base, [adapter.hash for adapter in self.adapters]])


@dataclass(frozen=True, slots=True)
class Sequence:
    """A prompt and a completion; the loss covers the completion and its end-of-text, times `weight`."""

    prompt: str
    completion: str
    weight: float = 1.0
