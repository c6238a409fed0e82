"""`selfedit retrain`: commits that rest on what was taken out are trained again, and the proof is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from selfedit.cli import output
from selfedit.cli.options import Device, Json, NoWait, StoreDir, access
from selfedit.cli.progress import Stages
from selfedit.cli.proof import proof_lines
from selfedit.cli.wording import command, count, listed, short, span

if TYPE_CHECKING:
    from selfedit.undoing import Undone

FOUND_PROBLEMS = 1


def verb(store: StoreDir, device: Device = "auto", no_wait: NoWait = False, json: Json = False) -> None:
    """Train again what was trained on top of commits that were taken out; then prove that they are out.

    Where every commit answers alone, as they do by default, there is nothing to train.

    Broken off at any point, it goes on where it was when it is called again.
    """
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device, access=access(no_wait)) as memory:
        done = memory.retrain(watch=stages.watch)
    if json:
        output.document(done)
    else:
        _tell(done, store)
    raise typer.Exit(exit_code(done))


def exit_code(done: Undone) -> int:
    """1 if something could not be retrained."""
    return FOUND_PROBLEMS if done.failures else 0


def _tell(done: Undone, store: Path) -> None:
    print("\n".join(retraining_lines(done)) or "Nothing awaits retraining.")
    if done.stale:
        print(f"Still to be retrained: {listed(done.stale)}. To go on: {command('retrain', store=store)}")


def retraining_lines(done: Undone) -> Iterator[str]:
    """What was retrained and what was not, and the proofs."""
    if done.retrained:
        yield f"Retrained {count(len(done.retrained), 'commit')} in {span(done.seconds)}:"
        yield from (f"  {short(old)} is now {short(new)}" for old, new in done.retrained)
    if done.failures:
        yield "Could not be retrained:"
        yield from (f"  - {line}" for line in done.failures)
    if done.proofs:
        yield "Proof that what was taken out is out of the model:"
        yield from (f"  {line}" for proof in done.proofs for line in proof_lines(proof))
