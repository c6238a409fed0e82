"""How often `ask` without a topic picks the title that a question is about. No model is needed.

    selfedit bench topics --data DIR

A question counts as right if the passage picked has its title, among all passages that were learned. Beside
the rule stand two that know less: the title that shares most words with the question, and the commonest one.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

from selfedit.demo import HANDBOOK, QUESTIONS
from selfedit.edits.topics import about
from selfedit.edits.words import FUNCTION_WORDS, content
from selfedit.errors import UsageError
from selfedit.rewards import bootstrap_interval
from selfedit.tasks import read, read_questions, read_squad
from selfedit.types import Task

Pick = Callable[[Items[Task], str], Task | None]
Asked = Items[tuple[str, str]]
"""Questions, each with the title that it is about."""


def by_title(tasks: Items[Task], question: str) -> Task | None:
    """The first of the titles that share most words with the question; None where none shares any."""
    wanted = {word for word in content(question) if word not in FUNCTION_WORDS}
    shared = [len(wanted.intersection(content(task.title))) for task in tasks]
    return tasks[shared.index(max(shared))] if any(shared) else None


def commonest(tasks: Items[Task], question: str) -> Task | None:
    """A passage of the title that most passages have, whatever the question."""
    ((title, _),) = Counter(task.title for task in tasks).most_common(1)
    return next(task for task in tasks if task.title == title)


RULES: Mapping[str, Pick] = {"ask": about, "words of the title": by_title, "commonest title": commonest}


def cases(data: Path) -> Iterator[tuple[str, tuple[Task, ...], Asked]]:
    """(name, what was learned, what is asked) for each case."""
    demo = read(HANDBOOK, count=lambda text: len(text.split())).tasks
    yield "demo", demo, [(probe.question, probe.topic) for probe in read_questions(QUESTIONS)]
    report, everything = (read_squad(data / "squad" / name) for name in ("val_report.json", "val.json"))
    asked = [(probe.question, task.title) for task in report for probe in task.probes]
    yield "val_report", report, asked
    yield "val_report among val", everything, asked


def measured(case: str, rule: str, learned: Items[Task], asked: Asked) -> dict[str, Any]:
    """How often the rule picks the title; the interval is over titles."""
    right: dict[str, list[float]] = defaultdict(list)
    none = 0
    began = time.perf_counter()
    for question, title in asked:
        found = RULES[rule](learned, question)
        none += found is None
        right[title].append(float(found is not None and found.title == title))
    seconds = time.perf_counter() - began
    return {
        "case": case,
        "rule": rule,
        "accuracy": sum(map(sum, right.values())) / len(asked),
        "over_titles": sum(sum(mine) / len(mine) for mine in right.values()) / len(right),
        "ci95": bootstrap_interval(right, seed=0),
        "none": none / len(asked),
        "questions": len(asked),
        "titles": len({task.title for task in learned}),
        "passages": len(learned),
        "ms": 1000 * seconds / len(asked),
    }


def command(data: Path | str | None) -> list[dict[str, Any]]:
    """Run with the command line's words."""
    if not data:
        raise UsageError("bench topics: no data; say --data FOLDER or set SELFEDIT_DATA")
    return [
        measured(case, rule, learned, asked) for case, learned, asked in cases(Path(data)) for rule in RULES
    ]


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
