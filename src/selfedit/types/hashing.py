"""Identifiers from content, and chance from what it is for."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import asdict
from typing import Any


def content_hash(value: Any) -> str:
    """SHA-256 in hexadecimal of the canonical JSON of `value` (dataclasses included)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {"type": type(value).__name__, **asdict(value)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def rng_for(*parts: object) -> random.Random:
    """A generator whose stream depends on `parts` alone, never on what was drawn before."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))
