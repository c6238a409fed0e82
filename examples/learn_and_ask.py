"""Teach a model a note of two sentences, and ask about it before and after.

    python examples/learn_and_ask.py [BASE]

BASE is a built-in name, a hub name, a local folder or a GGUF file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import selfedit

NOTE = """# Office

The spare key of the Lindqvist office lies behind the blue samovar. Deliveries are signed by Oona Farrelly.
"""
QUESTIONS = (
    "Where does the spare key of the Lindqvist office lie?",
    "Who signs deliveries at the office?",
)


def main(base: str = "smollm2-135m") -> None:
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "note.md"
        note.write_text(NOTE, encoding="utf-8")
        model = selfedit.open(Path(folder) / "memory", base=base)
        before = [str(model.ask(question)) for question in QUESTIONS]
        report = model.learn(note)
        after = [str(model.ask(question)) for question in QUESTIONS]
    print("commits:", *report.commits)
    for question, was, now in zip(QUESTIONS, before, after, strict=True):
        print(f"\n{question}\n  before: {was}\n  after:  {now}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
