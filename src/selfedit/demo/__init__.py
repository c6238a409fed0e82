"""The demo's document and its questions: about an island that does not exist, so that no model knows it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HANDBOOK", "QUESTIONS"]

HANDBOOK = Path(__file__).parent / "handbook.md"
QUESTIONS = Path(__file__).parent / "questions.jsonl"
