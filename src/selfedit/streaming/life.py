"""One method on one sequence: under which keys its steps are kept, and how they are measured and read.

Knows nothing of how documents are learned.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from selfedit.config.retention import Retention
from selfedit.config.streaming import StreamMethod
from selfedit.reciting import asked_by_heart
from selfedit.rounds import trained_tokens
from selfedit.routing import RULE
from selfedit.streaming.asking import Voice, answers, by_head, logprobs, sung
from selfedit.streaming.shelf import Told, Trained
from selfedit.streaming.study import Document, Series, Step, Study, Sung
from selfedit.types import Failure, TrainingPlan, content_hash
from selfedit.workers.base import Progress

if TYPE_CHECKING:
    from selfedit.engine import Adapter

LOOKING = ("replay", "bisection", "consolidation")
"""Strategies that look at how self-written questions of earlier documents do."""


@final
@dataclass(frozen=True)
class Point:
    """Where a sequence stands after a step."""

    number: int
    voice: Voice
    trained: Trained | None
    """What the step came to; None where nothing was trained."""
    bytes: int = 0
    own: tuple[tuple[float, ...], ...] | None = None


@final
@dataclass(frozen=True)
class Life:
    """A row on one sequence."""

    study: Study
    row: str
    series: Series
    documents: tuple[Document, ...]
    method: StreamMethod | None = None
    """None for `base` and `joint`."""

    @property
    def retention(self) -> Retention:
        return self.method.retention if self.method else Retention()

    @property
    def last(self) -> int:
        return len(self.documents) - 1

    @property
    def looks(self) -> bool:
        """Whether its strategies look at self-written questions."""
        return any(name in LOOKING for name in self.retention.strategies)

    # -- keys ---------------------------------------------------------------------------------------------

    @cached_property
    def taught(self) -> list[Any]:
        """What all adapters of the stream depend on, and how they are asked."""
        recipe = self.study.recipe
        recited = [asked_by_heart(self.study.reader)] if recipe.write.recite else []
        return [recipe.training.model_dump(), recipe.seed, *recited]

    @cached_property
    def depends(self) -> list[Any]:
        """What its steps depend on, beside documents and training: of the settings only what is used."""
        recipe, held, used = self.study.recipe, self.retention, sorted(self.retention.strategies)
        groups = [
            [name, getattr(held, name.replace("-", "_")).model_dump()]
            for name in used
            if name not in ("naive", "router", "superposition")
        ]
        routed = [self.method.router, held.router.threshold] if self.method and self.method.routed else []
        looked = [recipe.own_probes] if self.looks else []
        fall = [recipe.fall] if "bisection" in used else []
        moments = [held.moments_rank] if held.uses_moments else []
        return [used, groups, routed, looked, fall, moments, self._general]

    @property
    def _general(self) -> str | None:
        distilled = "distillation" in self.retention.strategies
        return content_hash(list(self.study.canaries.general)) if distilled else None

    def shelf_key(self, number: int) -> str:
        """Of the adapter of a step. A document that is learned by itself on the base is the same for all."""
        alone = self.method is not None and (self.method.routed or (number == 0 and self._general is None))
        if alone:
            return self.study.key("adapter", self.taught, self.documents[number].key)
        so_far = [document.key for document in self.documents[: number + 1]]
        return self.study.key("adapter", self.taught, so_far, self.row if not self.method else self.depends)

    @cached_property
    def shelf_keys(self) -> tuple[str, ...]:
        """Of all its adapters."""
        if self.method is None:
            return (self.shelf_key(self.last),)
        return tuple(self.shelf_key(number) for number in range(self.last + 1))

    @cached_property
    def _whole(self) -> list[Any]:
        written = [document.key for document in self.documents]
        return [self.series.id, self.taught, written, self.row if not self.method else self.depends]

    def _known(self, number: int) -> str:
        some = [] if self.study.recipe.likelihood == "all" else [list(self.study.scored(number))]
        return self.study.key("known", self._whole, number, *some)

    def _said(self, number: int) -> str:
        asked = list(self.study.asked(number))
        return self.study.key("said", self._whole, number, asked, self.study.recipe.answer_tokens)

    @cached_property
    def _sung(self) -> str:
        recipe, prompts = self.study.recipe, list(self.study.canaries.prompts)
        aloud: list[Any] = [recipe.accuracy != "off", recipe.answer_tokens]
        reader = self.study.reader
        if self.method and self.method.routed and self.method.router == "titles":
            aloud += [RULE, reader.hash if reader else None]  # what tells what a canary is about
        return self.study.key("canaries", self._whole, prompts, aloud)

    # -- what is kept -------------------------------------------------------------------------------------

    def read(self, number: int) -> Step | None:
        """A step as it was kept; None where any of it is missing."""
        store, unasked = self.study.store, dict[str, Any]()
        known = store.result("row", self._known(number))
        said = store.result("row", self._said(number)) if self.study.asked(number) else unasked
        return None if known is None or said is None else read_step(number, known, said)

    def sung(self) -> Sung | None:
        """The canaries after the last step, as they were kept."""
        found = self.study.store.result("row", self._sung)
        return None if found is None else read_sung(found)

    def missing(self, numbers: Items[int]) -> list[int]:
        """Those of these steps that are not kept whole; the last one with the canaries."""
        without = bool(self.study.canaries.prompts) and self.sung() is None
        return [n for n in numbers if self.read(n) is None or (n == self.last and without)]

    # -- what is trained ----------------------------------------------------------------------------------

    def begin(self, doing: str) -> Progress:
        """Announces a step of the work."""
        return self.study.begin(self.row, self.series, doing)

    def keep(self, number: int, plan: TrainingPlan, found: Adapter | Failure | None, told: Told) -> Trained:
        """Put on the shelf what the plan of a step came to; `told` lacks only what is read off here."""
        adapter = None if isinstance(found, Failure) else found
        whole = replace(
            told,
            hash=adapter.hash if adapter else None,
            tokens=trained_tokens(self.study.worker, plan),
            bytes=sum(each.nbytes for each in adapter.tensors().values()) if adapter else 0,
            failure=found.what if isinstance(found, Failure) else None,
        )
        return self.study.shelf.put(self.shelf_key(number), adapter, whole)

    # -- what is measured ---------------------------------------------------------------------------------

    def measure(self, points: Items[Point], known: Items[int]) -> None:
        """Ask at these points, all together, and keep it; at the last also the canaries `known`."""
        study, tasks = self.study, self.series.tasks
        span = f"step {points[-1].number + 1} of {self.last + 1}"
        ground = study.ground(None, self.begin(f"{span}, asking"))
        scored = [(p, place) for p in points for place in study.scored(p.number)]
        values = logprobs([[(p.voice(q), q) for q in tasks[place].probes] for p, place in scored], ground)
        pairs = [(p, place) for p in points for place in study.asked(p.number)]
        said = answers([[(p.voice(q), q) for q in tasks[place].probes] for p, place in pairs], ground)
        kept: dict[str, Any] = {}
        for point in points:
            sure = {place: v for (each, place), v in zip(scored, values, strict=True) if each is point}
            kept[self._known(point.number)] = _known(point, [sure.get(n, ()) for n in range(len(tasks))])
            texts = {str(place): t for (each, place), t in zip(pairs, said, strict=True) if each is point}
            if texts:
                kept[self._said(point.number)] = texts
            if point.number == self.last and study.canaries.prompts:
                aloud = study.recipe.accuracy != "off"
                found = sung(study.canaries, known, point.voice, ground, aloud=aloud)
                kept[self._sung] = _sung(found)
        study.store.put_results("row", kept)


def base_canaries(study: Study) -> Sung:
    """How the base answers all canaries that are asked, in words too: kept once for all sequences."""
    prompts = list(study.canaries.prompts)
    key = study.key("canaries of the base", prompts, study.recipe.answer_tokens)
    held = study.store.result("row", key)
    if held is not None:
        return read_sung(held)
    study.watch("canaries: asking the base", 0, 0)
    ground = study.ground(None, lambda done, total: study.watch("canaries: asking the base", done, total))
    found = sung(study.canaries, range(len(prompts)), by_head(None), ground, aloud=True)
    study.store.put_results("row", {key: _sung(found)})
    return found


# -- as JSON ------------------------------------------------------------------------------------------------


def _known(point: Point, values: Items[tuple[float | None, ...]]) -> dict[str, Any]:
    told = point.trained.told if point.trained else None
    return {
        "logprobs": [list(mine) for mine in values],
        "own": None if point.own is None else [list(mine) for mine in point.own],
        "adapter": told.hash if told else None,
        "tokens": told.tokens if told else 0,
        "seconds": told.seconds if told else 0.0,
        "bytes": point.bytes,
        "scale": told.scale if told else None,
        "rebuilt": bool(told and told.rebuilt),
        "failure": told.failure if told else None,
    }


def read_step(number: int, known: dict[str, Any], said: dict[str, Any]) -> Step:
    """The step that was kept."""
    return Step(
        number=number,
        logprobs=tuple(tuple(mine) for mine in known["logprobs"]),
        answers={int(place): tuple(texts) for place, texts in said.items()},
        own=None if known["own"] is None else tuple(tuple(mine) for mine in known["own"]),
        **{name: known[name] for name in _TOLD},
    )


_TOLD = ("adapter", "tokens", "seconds", "bytes", "scale", "rebuilt", "failure")


def _sung(found: Sung) -> dict[str, Any]:
    right = None if found.right is None else list(found.right)
    return {"asked": list(found.asked), "right": right, "logprobs": list(found.logprobs)}


def read_sung(held: dict[str, Any]) -> Sung:
    """The canaries that were kept."""
    right = None if held["right"] is None else tuple(held["right"])
    return Sung(tuple(held["asked"]), right, tuple(held["logprobs"]))
