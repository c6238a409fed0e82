"""Which of the documents learned so far a question is about.

All rules see the passages with their titles; people's questions are only what is routed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from functools import partial

from selfedit.config.retention import Retention
from selfedit.config.streaming import RouterName
from selfedit.edits.tools import headed
from selfedit.edits.topics import about
from selfedit.retain import Bm25Router, Learned
from selfedit.routing import Relevance, Router
from selfedit.types import Probe, Task

Route = Callable[[Probe], int | None]
"""The place of the document that a question is about; None where none seems to be."""
Rule = Callable[[Items[Task], Retention, Relevance | None], Route]
"""The last says which passage a question without a topic is about; None: words do."""


def bm25(tasks: Items[Task], settings: Retention, fitting: Relevance | None = None) -> Route:
    """By the question's words, among all passages."""
    learned = [Learned(str(at), (), (headed(task.title, task.passage),)) for at, task in enumerate(tasks)]
    router = Bm25Router(learned, settings.router)

    def route(probe: Probe) -> int | None:
        found = router.route(probe.question)
        return None if found is None else int(found)

    return route


def topics(tasks: Items[Task], settings: Retention, fitting: Relevance | None = None) -> Route:
    """By the question's rare words, those of titles twice, however few are shared."""
    return partial(_nearest, tasks)


def titles(tasks: Items[Task], settings: Retention, fitting: Relevance | None = None) -> Route:
    """As `ask` does: by the topic that the question is asked with; of several passages under it, by words.

    A topic that nothing was learned of has no document; a question without one is about a passage, or none.
    """
    router = Router(tasks, fitting)

    def route(probe: Probe) -> int | None:
        under = [at for at, task in enumerate(tasks) if task.title == probe.topic]
        if not probe.topic:
            return _place(tasks, router.about([probe.question])[0])
        if not under:
            return None
        found = _nearest([tasks[at] for at in under], probe)
        return under[found or 0]

    return route


def _nearest(tasks: Items[Task], probe: Probe) -> int | None:
    return _place(tasks, about(tasks, probe.question))


def _place(tasks: Items[Task], found: Task | None) -> int | None:
    return None if found is None else next(at for at, task in enumerate(tasks) if task is found)


ROUTERS: Mapping[RouterName, Rule] = {"bm25": bm25, "topics": topics, "titles": titles}


def rightly(tasks: Items[Task], rule: RouterName, settings: Retention) -> dict[str, list[float]]:
    """Id of a document → for each of its questions whether it is found among all of these."""
    route = ROUTERS[rule](tasks, settings, None)
    return {task.id: [float(route(probe) == at) for probe in task.probes] for at, task in enumerate(tasks)}
