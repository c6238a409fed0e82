"""A text and a policy → what was found, what is left, and whether it is let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.config import Policy
from selfedit.screening.copies import copies
from selfedit.screening.encodings import encodings
from selfedit.screening.findings import Check, Finding
from selfedit.screening.folding import Page
from selfedit.screening.gibberish import gibberish
from selfedit.screening.hiding import hiding
from selfedit.screening.instructions import instructions
from selfedit.screening.keys import keys
from selfedit.screening.lookalikes import lookalikes
from selfedit.screening.persons import persons
from selfedit.screening.spoofs import spoofs
from selfedit.screening.tables import tables
from selfedit.screening.triggers import triggers
from selfedit.screening.unseen import unseen
from selfedit.types import Sequence

CHECKS: Mapping[str, Check] = {
    "instructions": instructions,
    "spoofs": spoofs,
    "triggers": triggers,
    "encodings": encodings,
    "lookalikes": lookalikes,
    "gibberish": gibberish,
    "keys": keys,
    "persons": persons,
    "unseen": unseen,
    "hiding": hiding,
    "copies": copies,
    "tables": tables,
}
ROW_CHECKS = ("instructions", "spoofs", "encodings", "lookalikes", "keys", "persons", "unseen", "hiding")
"""What a row of training is asked; the others need a whole document, and rows repeat each other by design."""


@final
@dataclass(frozen=True, slots=True)
class Screened:
    """What came of a text. `text` is what may be learned: empty where it is refused."""

    text: str
    refused: tuple[Finding, ...] = ()
    redacted: tuple[Finding, ...] = ()
    warned: tuple[Finding, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.refused

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was refused: each kind of reason once, with its first place and the remedy."""
        first: dict[tuple[str, str], Finding] = {}
        for finding in self.refused:
            first.setdefault((finding.kind, finding.what), finding)
        return tuple(f"{f.kind}: {f.what}, at {f.start}: {f.quote!r}; {f.remedy}" for f in first.values())


def findings(text: str, policy: Policy | None = None) -> tuple[Finding, ...]:
    """All that the checks find, in order of place, whatever the policy does about it."""
    return tuple(sorted(_found(text, policy or Policy(), tuple(CHECKS)), key=lambda f: (f.start, f.end)))


def screen(text: str, policy: Policy | None = None) -> Screened:
    """A document against a policy."""
    return _screened(text, policy or Policy(), tuple(CHECKS))


def screen_rows(
    rows: Items[str | Sequence], policy: Policy | None = None
) -> tuple[tuple[str | Sequence, Screened], ...]:
    """Each row of training with what was found in it. A row is not mended: better leave it out.

    The form of a question (`Topic: …` and `Answer:` or `Text:`) is proper in a row's prompt, so that only
    what stands within it is looked at.
    """
    policy = policy or Policy()
    return tuple((row, _screened(_content(row), policy, ROW_CHECKS)) for row in rows)


def _content(row: str | Sequence) -> str:
    if isinstance(row, str):
        return row
    prompt = row.prompt.removesuffix("Answer:").removesuffix("Text:")
    return f"{prompt.rstrip()}\n{row.completion.strip()}"


def _found(text: str, policy: Policy, names: Items[str]) -> Iterator[Finding]:
    page = Page(text)
    for name in names:
        yield from CHECKS[name](page, policy)


def _screened(text: str, policy: Policy, names: Items[str]) -> Screened:
    sorted_out: dict[str, list[Finding]] = {"refuse": [], "redact": [], "warn": [], "allow": []}
    for finding in _found(text, policy, names):
        sorted_out[policy.action(finding.kind, finding.sure)].append(finding)
    refused, redacted, warned = (tuple(sorted_out[name]) for name in ("refuse", "redact", "warn"))
    return Screened("" if refused else _without(text, redacted), refused, redacted, warned)


def _without(text: str, taken: Items[Finding]) -> str:
    """The text with each place taken out or masked; of places that overlap the longest counts."""
    kept: list[str] = []
    at = 0
    for finding in sorted(taken, key=lambda f: (f.start, -f.end)):
        if finding.end <= at:
            continue
        if finding.start >= at:
            kept += [text[at : finding.start], finding.instead]
        at = finding.end
    return "".join([*kept, text[at:]])
