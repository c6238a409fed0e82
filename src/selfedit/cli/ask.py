"""`selfedit ask`: a question to the model, without any document in view."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Device, Json
from selfedit.cli.wording import command, count


def verb(
    question: Annotated[str, typer.Argument(help="What to ask.", show_default=False)],
    store: Annotated[Path, typer.Option(help="The store to ask.", show_default=False)],
    at: Annotated[
        str | None,
        typer.Option(help="Ask the model as of this commit; `base`: nothing learned.", show_default=False),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="A learned passage's title. Unset: of the one it is about.", show_default=False),
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Ask what was learned; the answer comes from the weights alone."""
    from selfedit.memory import Memory

    with Memory.open(store, device=device) as memory:
        answer = memory.ask(question, at=at, topic=topic)
        stale = () if at else memory.stale()
    if stale:
        _warn(len(stale), store)
    if json:
        told = {"answer": answer.text, "logprob": answer.logprob, "head": answer.head}
        output.document({**told, "commit": answer.commit or None, "recited": list(answer.recited)})
    else:
        print(answer.text)
        for sentence in answer.recited:
            output.say(f"from memory: {sentence}")
        if not answer.text:
            why = "" if answer.commit else "; nothing that was learned seems to be about it"
            output.say(f"note: the model says nothing{why}")


def _warn(stale: int, store: Path) -> None:
    again = command("retrain", store=store)
    output.say(
        f"note: {count(stale, 'commit')} to be retrained may hold traces of what was taken out: {again}"
    )
