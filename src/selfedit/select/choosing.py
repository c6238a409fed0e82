"""What is kept: the best of each task, above its floors, and nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items

from selfedit.errors import UsageError
from selfedit.select.candidates import Candidate, Valued, by_task, values_of
from selfedit.select.shrinkage import shrunk
from selfedit.types import SelfEdit, Sequence, content_hash


def best(candidates: Items[Candidate], keep: int = 1, value: Valued = shrunk) -> dict[str, list[str]]:
    """Task id → its edits of the highest value, best first, at most `keep`; ties to the first.

    ReST-EM's filter (Singh et al. 2023, arXiv 2312.06585) as SEAL uses it: `keep=1, value=means`.
    """
    if keep < 1:
        raise UsageError(f"best: keep is {keep}; keep at least 1")
    values = values_of(candidates, value)
    return {
        task: [each.edit for each in sorted(mine, key=lambda c: -values[c.edit])[:keep]]
        for task, mine in by_task(candidates).items()
    }


def beating(
    candidates: Items[Candidate], floors: Mapping[str, float], margin: float = 0.0, value: Valued = shrunk
) -> list[Candidate]:
    """Those worth more than their task's floor by more than `margin`.

    A floor is the reward of what costs nothing: the unedited model, the passage alone. Of several, give the
    highest. Where none could be measured no edit can be said to beat it: UsageError.

    What is left over is no fair sample, so values are made of all candidates, once:

        values = shrunk(candidates)
        kept = best(beating(candidates, floors, value=values), value=values)
    """
    values = values_of(candidates, value)
    for task in by_task(candidates):
        if task not in floors:
            raise UsageError(f"task {task} has no floor to beat; measure one, or leave its candidates out")
    return [each for each in candidates if values[each.edit] > floors[each.task] + margin]


def distinct(edits: Items[SelfEdit]) -> list[SelfEdit]:
    """The first of those edits of a task that would train the same.

    The same: in format, settings, and training sequences but for their order, repeats, case and space. (The
    format decides what else is trained, and for which prompt the policy learns to write this.)
    """
    first: dict[str, SelfEdit] = {}
    for edit in edits:
        first.setdefault(_sameness(edit), edit)
    return list(first.values())


def _sameness(edit: SelfEdit) -> str:
    lines = sorted({_folded(line) for line in edit.lines})
    return content_hash([edit.task, edit.format, lines, dict(edit.settings)])


def _folded(line: str | Sequence) -> tuple[str, ...]:
    match line:
        case str():
            return (_plain(line),)
        case Sequence():
            return (_plain(line.prompt), _plain(line.completion), repr(float(line.weight)))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
