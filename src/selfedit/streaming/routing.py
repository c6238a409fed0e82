"""Which of the documents learned so far a question is about, by rules that know words alone.

All of them see the passages with their titles; people's questions are only what is routed.
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
from selfedit.types import Probe, Task

Route = Callable[[Probe], int | None]
"""The place of the document that a question is about; None where none seems to be."""
Rule = Callable[[Items[Task], Retention], Route]


def bm25(tasks: Items[Task], settings: Retention) -> Route:
    """By the question's words, among all passages."""
    learned = [Learned(str(at), (), (headed(task.title, task.passage),)) for at, task in enumerate(tasks)]
    router = Bm25Router(learned, settings.router)

    def route(probe: Probe) -> int | None:
        found = router.route(probe.question)
        return None if found is None else int(found)

    return route


def topics(tasks: Items[Task], settings: Retention) -> Route:
    """As `ask` finds a title: by the question's rare words, those of titles twice."""
    return partial(_nearest, tasks)


def titles(tasks: Items[Task], settings: Retention) -> Route:
    """By the topic that the question is asked with; of several passages under it, by words.

    A topic that nothing was learned of has no document; a question without a topic is routed by its words.
    """

    def route(probe: Probe) -> int | None:
        under = [at for at, task in enumerate(tasks) if task.title == probe.topic]
        if not probe.topic:
            return _nearest(tasks, probe)
        if not under:
            return None
        found = _nearest([tasks[at] for at in under], probe)
        return under[found or 0]

    return route


def _nearest(tasks: Items[Task], probe: Probe) -> int | None:
    found = about(tasks, probe.question)
    return None if found is None else next(at for at, task in enumerate(tasks) if task is found)


ROUTERS: Mapping[RouterName, Rule] = {"bm25": bm25, "topics": topics, "titles": titles}


def rightly(tasks: Items[Task], rule: RouterName, settings: Retention) -> dict[str, list[float]]:
    """Id of a document → for each of its questions whether it is found among all of these."""
    route = ROUTERS[rule](tasks, settings)
    return {task.id: [float(route(probe) == at) for probe in task.probes] for at, task in enumerate(tasks)}
