"""How often `ask` without a topic picks the title that a question is about.

    selfedit bench topics --data DIR --base smollm2-135m

A question counts as right if the passage picked has its title, among all passages that were learned; a
general question (a canary) and one about what there is not are, if none is picked. Beside the rule stand
what `ask` does on a base without a writer, which needs no model, the nearest passage however far it is, and
two that know less: the title that shares most words, and the commonest one.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

from selfedit.canaries import canaries, unknowns
from selfedit.demo import HANDBOOK, QUESTIONS
from selfedit.edits.topics import Finder
from selfedit.edits.words import FUNCTION_WORDS, content
from selfedit.errors import UsageError
from selfedit.opening import loader
from selfedit.rewards import bootstrap_interval, wilson
from selfedit.routing import Relevance, Router, relevance
from selfedit.tasks import read, read_questions, read_squad
from selfedit.types import Task

Pick = Callable[[str], Task | None]
Rule = Callable[[Items[Task]], Pick]
Asked = Items[tuple[str, str]]
"""Questions, each with the title that it is about; empty where it is about none."""


def by_words(tasks: Items[Task]) -> Pick:
    """As `ask` does without a writer."""
    router = Router(tasks)
    return lambda question: router.about([question])[0]


def asked_of(fitting: Relevance) -> Rule:
    """The rule itself."""

    def rule(tasks: Items[Task]) -> Pick:
        router = Router(tasks, fitting)
        return lambda question: router.about([question])[0]

    return rule


def nearest(tasks: Items[Task]) -> Pick:
    """The nearest in words, as long as one is shared."""
    return Finder(tasks).about


def by_title(tasks: Items[Task]) -> Pick:
    """The first of the titles that share most words with the question; None where none shares any."""

    def pick(question: str) -> Task | None:
        wanted = {word for word in content(question) if word not in FUNCTION_WORDS}
        shared = [len(wanted.intersection(content(task.title))) for task in tasks]
        return tasks[shared.index(max(shared))] if any(shared) else None

    return pick


def commonest(tasks: Items[Task]) -> Pick:
    """A passage of the title that most passages have, whatever the question."""
    ((title, _),) = Counter(task.title for task in tasks).most_common(1)
    return lambda question: next(task for task in tasks if task.title == title)


RULES: Mapping[str, Rule] = {
    "words": by_words,
    "nearest": nearest,
    "words of the title": by_title,
    "commonest title": commonest,
}


def cases(data: Path) -> Iterator[tuple[str, tuple[Task, ...], Asked]]:
    """(name, what was learned, what is asked) for each case."""
    demo = read(HANDBOOK, count=lambda text: len(text.split())).tasks
    yield "demo", demo, [(probe.question, probe.topic) for probe in read_questions(QUESTIONS)]
    report, everything = (read_squad(data / "squad" / name) for name in ("val_report.json", "val.json"))
    asked = [(probe.question, task.title) for task in report for probe in task.probes]
    yield "val_report", report, asked
    yield "val_report among val", everything, asked
    general = [(canary.question, "") for canary in canaries()[1::2]]  # the others chose the rule
    unknown = [(each.question, "") for each in unknowns("report")]
    for learned in (demo, report):
        yield "general questions", learned, general
        yield "what there is not", learned, unknown


def measured(case: str, name: str, rule: Rule, learned: Items[Task], asked: Asked) -> dict[str, Any]:
    """How often the rule picks the title; the interval is over titles, Wilson's where there is only one."""
    right: dict[str, list[float]] = defaultdict(list)
    none = 0
    began = time.perf_counter()
    pick = rule(learned)
    for question, title in asked:
        found = pick(question)
        none += found is None
        right[title].append(float((found.title if found else "") == title))
    seconds, hits = time.perf_counter() - began, int(sum(map(sum, right.values())))
    return {
        "case": case,
        "rule": name,
        "accuracy": hits / len(asked),
        "over_titles": sum(sum(mine) / len(mine) for mine in right.values()) / len(right),
        "ci95": bootstrap_interval(right, seed=0) if len(right) > 1 else wilson(hits, len(asked)),
        "none": none / len(asked),
        "questions": len(asked),
        "titles": len({task.title for task in learned}),
        "passages": len(learned),
        "ms": 1000 * seconds / len(asked),
    }


def command(data: Path | str | None, base: str | None = None) -> list[dict[str, Any]]:
    """Run with the command line's words; with `base` also by the writer that ships for it."""
    if not data:
        raise UsageError("bench topics: no data; say --data FOLDER or set SELFEDIT_DATA")
    rules = {"ask": asked_of(_fitting(base)), **RULES} if base else RULES
    return [
        measured(case, name, rule, learned, asked)
        for case, learned, asked in cases(Path(data))
        for name, rule in rules.items()
    ]


def _fitting(base: str) -> Relevance:
    found = relevance(loader(base, "cpu", "float32")())
    if found is None:
        raise UsageError(f"bench topics: no writer ships for {base}; leave --base out, or name smollm2-135m")
    return found


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """A row for each case and rule."""
    heads = (
        "asked (learned: titles, passages)",
        "rule",
        "right",
        "mean over titles [95%]",
        "none picked",
        "questions",
        "ms a question",
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        low, high = row["ci95"] or (float("nan"), float("nan"))
        cells = (
            f"{row['case']} ({row['titles']}, {row['passages']})",
            row["rule"],
            f"{row['accuracy']:.3f}",
            f"{row['over_titles']:.3f} [{low:.3f}, {high:.3f}]",
            f"{row['none']:.3f}",
            str(row["questions"]),
            f"{row['ms']:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
