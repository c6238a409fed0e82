"""`selfedit ask`: a question to the model, without any document in view."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output


def verb(
    question: Annotated[str, typer.Argument(help="What to ask.", show_default=False)],
    store: Annotated[Path, typer.Option(help="The store to ask.", show_default=False)],
    at: Annotated[
        str | None, typer.Option(help="Ask as of this commit (or how its id begins).", show_default=False)
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="A learned passage's title. Unset: the one nearest in words.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Ask what was learned; the answer comes from the weights alone."""
    from selfedit.memory import Memory

    with Memory.open(store, device=device) as memory:
        answer = memory.ask(question, at=at, topic=topic)
    if json:
        output.document({"answer": answer.text, "logprob": answer.logprob, "head": answer.head})
    else:
        print(answer.text)
