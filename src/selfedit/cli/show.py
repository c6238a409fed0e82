"""`selfedit show`: what one commit read, learned and was measured to know, in words."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.log import as_json as row_as_json
from selfedit.cli.options import Commit, Json, StoreDir
from selfedit.cli.proof import proof_lines
from selfedit.cli.wording import change, clipped, count, retained, short, span, verdict, when
from selfedit.states import State, states

if TYPE_CHECKING:
    from selfedit.memory import Shown
    from selfedit.store import CommitRow, ProbeAnswer, ProbeResult

FACTS, PROBES = 12, 20
"""So many are shown unless all are asked for."""


def verb(
    commit: Commit,
    store: StoreDir,
    all: Annotated[bool, typer.Option("--all", help="Every fact and every question.")] = False,
    json: Json = False,
) -> None:
    """Show a commit: what it read, the facts, questions before and after, cost, and how to take it back."""
    from selfedit.memory import Memory
    from selfedit.store import Store

    with Store.open(store) as opened:
        row = opened.commit(commit)
        state = states(opened, opened.log())[row.id]
    with Memory.open(store) as memory:
        shown = memory.show(row.id)
    if json:
        output.document(as_json(shown, state))
    else:
        _tell(shown, state, all)


def as_json(shown: Shown, state: State) -> dict[str, Any]:
    """The commit as `log` has it, and all that is kept of it."""
    row = shown.commit
    return {
        **row_as_json(row, state),
        "adapter": row.adapter,
        "head_trained_on": row.head_trained_on,
        "figures": row.figures,
        "settings": row.settings,
        "passages": [
            {"task": each.id, "title": each.title, "passage": each.passage, "source": each.source}
            for each in shown.passages
        ],
        "facts": shown.facts,
        "probes": [_probe_as_json(each) for each in shown.probes],
        "gate": shown.gate,
        "proof": shown.proof,
        "undo": shown.undo,
    }


def _probe_as_json(result: ProbeResult) -> dict[str, Any]:
    return {
        "topic": result.probe.topic,
        "question": result.probe.question,
        "gold": result.probe.answer,
        "origin": result.probe.origin,
        "role": result.role,
        "dropped": result.dropped,
        "before": result.before,
        "after": result.after,
    }


# -- for people ------------------------------------------------------------------------------------------


def _tell(shown: Shown, state: State, all: bool) -> None:
    row = shown.commit
    print(f"commit {row.id}")
    output.pairs(_about(row, state))
    if row.erased:
        print("\nIts texts and weights were erased for good; hashes and figures are left.")
    _tell_what_was_read(shown)
    _tell_facts(shown.facts, None if all else FACTS)
    _tell_probes([each for each in shown.probes if each.role == "report"], None if all else PROBES)
    output.pairs(_figures(shown))
    if shown.proof:
        print("\nProof that it is out of the model:")
        print("\n".join(proof_lines(shown.proof)))
    if shown.undo:
        print(f"\nTo take it back: {shown.undo}")


def _about(row: CommitRow, state: State) -> dict[str, output.Cell]:
    about: dict[str, output.Cell] = {"state": str(state), "when": when(row.time)}
    about["parent"] = short(row.parent) if row.parent else "none: it was the first"
    if row.replaces:
        about["replaces"] = short(row.replaces)
    return about


def _tell_what_was_read(shown: Shown) -> None:
    print("\nIt read:")
    for source in shown.commit.sources:
        print(f"  {source.path} ({output.size(source.bytes)}, SHA-256 {source.sha256[:12]})")
    titles = ", ".join(dict.fromkeys(task.title for task in shown.passages if task.title))
    if shown.passages:
        print(f"  {count(len(shown.passages), 'passage')}{': ' if titles else ''}{clipped(titles, 90)}")


def _tell_facts(facts: Items[str], most: int | None) -> None:
    if not facts:
        return
    print(f"\nIt was trained on {count(len(facts), 'text')}:")
    for fact in facts[:most]:
        print(f"  - {output.one_line(fact)}")
    _tell_of_more(facts[len(facts[:most]) :])


def _tell_probes(probes: Items[ProbeResult], most: int | None) -> None:
    if not probes:
        return
    print("\nAsked without the document, before and after:", end="")
    output.table(
        ["question", "wanted", "before", "after", ""],
        [
            [
                clipped(each.probe.question),
                clipped(each.probe.answer),
                _answer(each.before),
                _answer(each.after),
                verdict(each.after),
            ]
            for each in probes[:most]
        ],
    )
    _tell_of_more(probes[len(probes[:most]) :])


def _tell_of_more(rest: Items[object]) -> None:
    if rest:
        print(f"  … {len(rest)} more; --all shows them")


def _answer(answer: ProbeAnswer | None) -> str:
    return clipped(answer.text) if answer else "-"


def _figures(shown: Shown) -> dict[str, output.Cell]:
    found, cost = shown.commit.figures, shown.commit.cost
    gate = shown.gate or {}
    return {
        "recall": change(found.recall_before, found.recall_after),
        "concise": change(found.concise_before, found.concise_after),
        "mismatch": change(found.mismatch_before, found.mismatch_after),
        "earlier": retained(found.retention),
        "gate": str(gate.get("reason", "-")),
        "settings": _settings(shown.commit.settings),
        "took": f"{span(cost.seconds)}, {cost.tokens:,} trained tokens",
    }


def _settings(held: Mapping[str, Any]) -> str:
    """What most tells one commit's making from another's; `--json` has all."""
    final = held.get("final", {})
    names = {**held, **final}
    wanted = ("format", "samples", "rank", "epochs", "learning_rate", "seed")
    return ", ".join(f"{name.replace('_', ' ')} {names[name]}" for name in wanted if name in names) or "-"
