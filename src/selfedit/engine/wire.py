"""Plans, requests and results as JSON, and adapters as folders: what engine processes say to each other.

Nothing is pickled. Knows nothing of processes or pipes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence as Items
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, final

from selfedit.engine.lora import Adapter
from selfedit.engine.moments import Moments, engine_moments
from selfedit.engine.table import engine_adapter
from selfedit.types import (
    AdapterLike,
    Completion,
    Constraint,
    Elastic,
    Failure,
    GenerationRequest,
    Head,
    MomentsLike,
    NullSpace,
    Objective,
    Orthogonal,
    Score,
    ScoreRequest,
    Sequence,
    TrainingPlan,
)

Work = TrainingPlan | GenerationRequest | ScoreRequest
Found = Adapter | Failure | Completion | Score


@final
class Wire:
    """Both ends of a connection use one; `folder` is a place that both reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sent: dict[str, str] = {}
        self._read: dict[str, Adapter] = {}
        self._moments: dict[str, Moments] = {}

    # -- adapters and heads --------------------------------------------------------------------------------

    def place(self, adapter: AdapterLike | None) -> str | None:
        """The folder of an adapter, saved there once."""
        if adapter is None:
            return None
        if adapter.hash not in self._sent:
            self._sent[adapter.hash] = str(engine_adapter(adapter).save(self.folder / adapter.hash))
        return self._sent[adapter.hash]

    def adapter(self, place: str | None) -> Adapter | None:
        if place is None:
            return None
        if place not in self._read:
            self._read[place] = Adapter.load(place)
        return self._read[place]

    def _head_out(self, head: Head | None) -> Any:
        return None if head is None else [head.base, [self.place(adapter) for adapter in head.adapters]]

    def _head_in(self, told: Any) -> Head | None:
        if told is None:
            return None
        found = [self.adapter(place) for place in told[1]]
        return Head(told[0], tuple(adapter for adapter in found if adapter is not None))

    def _objective_out(self, objective: Objective | None) -> Any:
        if objective is None:
            return None
        return [objective.weight, objective.divergence, self._head_out(objective.reference), objective.rows]

    def _objective_in(self, told: Any) -> Objective | None:
        return None if told is None else Objective(told[0], told[1], self._head_in(told[2]), told[3])

    def _constraint_out(self, constraint: Constraint | None) -> Any:
        match constraint:
            case None:
                return None
            case Orthogonal(adapters, penalty):
                return ["orthogonal", [self.place(adapter) for adapter in adapters], penalty]
            case NullSpace(moments, energy):
                return ["null-space", self._moments_out(moments), energy]
            case Elastic(moments, weight):
                return ["elastic", self._moments_out(moments), weight]

    def _constraint_in(self, told: Any) -> Constraint | None:
        match told:
            case None:
                return None
            case ["orthogonal", places, penalty]:
                found = [self.adapter(place) for place in places]
                return Orthogonal(tuple(each for each in found if each is not None), penalty)
            case [kind, place, number]:
                return {"null-space": NullSpace, "elastic": Elastic}[kind](self._moments_in(place), number)
            case _:
                raise ValueError(told)

    def _moments_out(self, moments: MomentsLike) -> str:
        """The file of moments, saved there once."""
        if moments.hash not in self._sent:
            place = engine_moments(moments).save(self.folder / f"{moments.hash}.safetensors")
            self._sent[moments.hash] = str(place)
        return self._sent[moments.hash]

    def _moments_in(self, place: str) -> Moments:
        if place not in self._moments:
            self._moments[place] = Moments.load(place)
        return self._moments[place]

    # -- work ----------------------------------------------------------------------------------------------

    def work_out(self, work: Work) -> dict[str, Any]:
        fields = {name: getattr(work, name) for name in work.__dataclass_fields__}
        fields["head"] = self._head_out(work.head)
        if isinstance(work, TrainingPlan):
            fields["sequences"] = [s if isinstance(s, str) else asdict(s) for s in work.sequences]
            fields["objective"] = self._objective_out(work.objective)
            fields["constraint"] = self._constraint_out(work.constraint)
            return {"kind": "train", **fields}
        fields["adapter"] = self.place(work.adapter)
        if not isinstance(work.prompt, str):
            fields["prompt"] = [dict(message) for message in work.prompt]
        return {"kind": "generate" if isinstance(work, GenerationRequest) else "score", **fields}

    def work_in(self, told: dict[str, Any]) -> Work:
        fields: dict[str, Any] = {name: value for name, value in told.items() if name != "kind"}
        fields["head"] = self._head_in(fields["head"])
        if told["kind"] == "train":
            rows = [s if isinstance(s, str) else Sequence(**s) for s in fields["sequences"]]
            fields["sequences"] = tuple(rows)
            fields["objective"] = self._objective_in(fields["objective"])
            fields["constraint"] = self._constraint_in(fields["constraint"])
            return TrainingPlan(**fields)
        fields["adapter"] = self.adapter(fields["adapter"])
        return (GenerationRequest if told["kind"] == "generate" else ScoreRequest)(**fields)

    # -- results -------------------------------------------------------------------------------------------

    def found_out(self, found: Found) -> dict[str, Any]:
        match found:
            case Adapter():
                place = self.folder / f"made-{found.hash}"
                found.save(place)
                return {
                    "kind": "adapter",
                    "place": str(place),
                    "losses": found.losses,
                    "plan": found.meta.plan,
                }
            case Failure():
                return {"kind": "failure", **asdict(found)}
            case Completion():
                return {"kind": "completion", **asdict(found)}
            case _:
                return {"kind": "score", **asdict(found)}

    def found_in(self, told: dict[str, Any]) -> Found:
        fields: dict[str, Any] = {name: value for name, value in told.items() if name != "kind"}
        match told["kind"]:
            case "adapter":
                stored = Adapter.load(fields["place"])
                meta = replace(
                    stored.meta, losses=tuple(fields["losses"]), plan=fields["plan"], hash=stored.hash
                )
                made = Adapter(stored.rank, stored.alpha, stored.tensors(), meta)
                shutil.rmtree(fields["place"])
                return made
            case "failure":
                return Failure(**fields)
            case "completion":
                fields["tokens"] = tuple(fields["tokens"])
                return Completion(**fields)
            case _:
                return Score(fields["logprob"], tuple(fields["tokens"]))


def run(engine: Any, items: Items[Work], progress: Any) -> Any:
    """Yield (index, result) for items of one kind."""
    match items[0]:
        case TrainingPlan():
            yield from engine.train_iter(items, progress)
        case GenerationRequest():
            yield from enumerate(engine.generate(items, progress))
        case _:
            yield from enumerate(engine.score(items))
