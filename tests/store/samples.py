"""Made-up commits for the tests of the store and for the processes that they start. No torch, no pytest."""

from __future__ import annotations

import hashlib

from selfedit.store import Cost, Figures, NewAdapter, NewCommit, ProbeAnswer, ProbeResult, Source, Store
from selfedit.types import Head, Probe, Reward, SelfEdit, Sequence, Task, TrainingPlan, Trial

WEIGHTS = "f" * 64


def new_store(path, journal="") -> Store:
    """A store on made-up weights; `journal` is the URL of a database, or nothing for a file."""
    return Store.create(path, base="tiny", weights=WEIGHTS, dtype="float32", verb="learn", journal=journal)


def new_commit(number: int, head: tuple = (), size: int = 2000) -> NewCommit:
    """A commit about document `number`, on the head with these adapters; all its parts are filled."""
    probe = Probe(f"Who wrote page {number}?", f"Ada {number}", f"Page {number}", "model")
    others = tuple(Probe(f"Question {n}?", f"{number}", f"Page {number}", "cloze") for n in range(5))
    task = Task(
        f"Page {number}", f"Page {number} was written by Ada {number}.", (probe, *others), f"page-{number}.md"
    )
    lines = (f"Ada {number} wrote it.", Sequence("Who wrote it?", f"Ada {number}", 0.5))
    edit = SelfEdit(task.id, "question-answer", f"Q: who? A: Ada {number}", lines, {"epochs": 3})
    plan = TrainingPlan((task.passage, *lines), rank=4, head=Head(WEIGHTS, head) if head else None)
    weights = hashlib.sha256(str(number).encode()).digest() * (size // 32)
    return NewCommit(
        adapter=NewAdapter(f"adapter-{number}", weights, {"r": 4, "lora_alpha": 64}, {"last": 0.25}),
        plan=plan,
        sources=(Source(f"page-{number}.md", hashlib.sha256(task.passage.encode()).hexdigest(), 40),),
        tasks=(task,),
        edits=(edit,),
        trials=(Trial(edit, plan, Reward(0.5, {"concise": 1.0}), "unkept"),),
        probes=(
            ProbeResult(
                probe, task.id, "report", None, ProbeAnswer("Bob", False, False), ProbeAnswer("Ada", True)
            ),
            ProbeResult(probe, task.id, "choose", "leaks its answer"),
        ),
        figures=Figures(0.0, 1.0, concise_before=0, concise_after=0.75),
        gate={"accepted": True, "reason": "no gate"},
        settings={"samples": 2},
        cost=Cost(1.5, 640),
    )
