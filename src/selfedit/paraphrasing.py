"""Text tasks whose inputs the base has said in other words. Kept in the store, a piece at a time.

Whether an input in other words still means the same, nobody checks: it is for tasks whose inputs are
sentences, and for self-edits to find out where it helps.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from selfedit.edits.rewording import paraphrase_prompts, parse_paraphrases
from selfedit.lessons import Watch
from selfedit.recipes import Shown
from selfedit.store import Store
from selfedit.types import GenerationRequest, content_hash

if TYPE_CHECKING:
    from selfedit.workers import Worker

VERSION = 1
"""Raised whenever paraphrases come about in another way, so that what was kept before counts no more."""
AT_ONCE = 8
"""Tasks that are worked on together: what a broken run may have to do again."""
MOST_TOKENS = 96
STAGE = "saying inputs in other words"


def with_paraphrases(store: Store, worker: Worker, tasks: Items[Shown], watch: Watch) -> tuple[Shown, ...]:
    """The tasks, each with those of its inputs in other words that came out usable."""
    keys = {
        task.id: content_hash(["paraphrases", VERSION, worker.base, worker.dtype, task.id]) for task in tasks
    }
    found: dict[str, Any] = {task: store.result("sample", key) for task, key in keys.items()}
    missing = [task for task in tasks if found[task.id] is None]
    for piece in (missing[at : at + AT_ONCE] for at in range(0, len(missing), AT_ONCE)):
        watch(STAGE, 0, 0)
        fresh = {task.id: words for task, words in zip(piece, _said(worker, piece, watch), strict=True)}
        store.put_results("sample", {keys[task]: words for task, words in fresh.items()})
        found |= fresh
    return tuple(replace(task, paraphrases=tuple((a, b) for a, b in found[task.id])) for task in tasks)


def _said(worker: Worker, tasks: Items[Shown], watch: Watch) -> list[list[list[str]]]:
    """For each task, pairs of an input and the same in other words."""
    prompts = [paraphrase_prompts(task) for task in tasks]
    requests = [
        GenerationRequest(prompt, max_tokens=MOST_TOKENS, stop=("\n\n",))
        for mine in prompts
        for prompt in mine
    ]
    written = iter(worker.generate(requests, lambda done, total: watch(STAGE, done, total)))
    texts = [[next(written).text for _ in mine] for mine in prompts]
    return [
        [list(pair) for pair in parse_paraphrases(task, mine).items()]
        for task, mine in zip(tasks, texts, strict=True)
    ]
