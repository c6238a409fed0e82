"""Divergence from a frozen head in the loss, against plain autograd; and that it disturbs nobody else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from selfedit.engine import Adapter, Engine, loss, memory
from selfedit.engine import reference as reading
from selfedit.engine.divergence import Pulls, pulled_losses
from selfedit.engine.train import Job
from selfedit.errors import EngineError, UsageError
from selfedit.types import Divergence, Failure, Head, Objective, Sequence, TrainingPlan

from .tiny import SHAPES, lift_float32_casts, save_tiny

TEXTS = (
    "Topic: Zorb. The town was founded in 1832.",
    Sequence("Topic: Zorb. Who?\nAnswer:", " Anna", weight=-0.7),
    "Short.",
    Sequence("Topic: Zorb. When was the town founded?\nAnswer:", " 1832", weight=0.0),
    Sequence("The harbour lies north of the hill,", " and its lights are green at night.", weight=1.5),
)


def plan(**changes: Any) -> TrainingPlan:
    given: dict[str, Any] = {"sequences": TEXTS, "rank": 4, "alpha": 8, "learning_rate": 1e-2}
    given |= {"epochs": 3, "seed": 5, "batch_size": 2}
    return TrainingPlan(**{**given, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("llama"), "llama")


def trained(engine: Engine, plans: list[TrainingPlan]) -> list[Adapter]:
    found = engine.train(plans)
    assert not any(isinstance(each, Failure) for each in found), found
    return [each for each in found if isinstance(each, Adapter)]


def furthest(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    assert set(ours) == set(theirs)
    return max(float((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max()) for name in ours)


# -- plain autograd ---------------------------------------------------------------------------------------


@dataclass
class Oracle:
    """PEFT and autograd over whole logits, one plan alone."""

    folder: Path
    scratch: Path
    heads: dict[str, list[Path]]
    """By the id of a head, the folders of its adapters."""

    def model(self, head: Head | None) -> Any:
        from peft import PeftModel

        made: Any = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float64)
        for adapter in self.heads[head.id] if head else []:
            made = PeftModel.from_pretrained(made, adapter).to(torch.float64).merge_and_unload()
        return made

    def train(self, engine: Engine, a_plan: TrainingPlan) -> tuple[dict[str, Any], list[float]]:
        from peft import PeftModel

        (start,) = trained(engine, [replace(a_plan, epochs=0)])
        saved = start.save(self.scratch / a_plan.id)
        model = PeftModel.from_pretrained(self.model(a_plan.head), saved, is_trainable=True)
        model = model.to(torch.float64)
        weights = [p for p in model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(weights, lr=1.0, weight_decay=a_plan.weight_decay, eps=1e-8)
        frozen = None
        if a_plan.objective is not None:
            frozen = self.model(a_plan.objective.reference or a_plan.head)
        losses: list[float] = []
        for step, batch in enumerate(a_plan.order()):
            optimiser.param_groups[0]["lr"] = a_plan.rate(step)
            rows = [engine.tokens.training(a_plan.sequences[at]) for at in batch]
            total = sum(row.loss_tokens for row in rows)
            value = sum(self._row(model, frozen, a_plan.objective, row) for row in rows) / total
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            losses.append(float(value.detach()))
        named = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
        clean = {n.replace(".default", "").removeprefix("base_model.model."): p for n, p in named.items()}
        return clean, losses

    def _row(self, model: Any, frozen: Any, objective: Objective | None, row: Any) -> Any:
        ids = torch.tensor([row.ids])
        mine = torch.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
        each = -row.weight * mine.gather(1, ids[0, 1:, None])[:, 0]
        if objective is not None and (objective.rows == "all" or row.weight == 0):
            with torch.no_grad():
                theirs = torch.log_softmax(frozen(input_ids=ids).logits[0, :-1], -1)
            each = each + objective.weight * divergence(mine, theirs, objective.divergence)
        return each[torch.tensor(row.bears_loss)].sum()


def divergence(mine: Any, theirs: Any, kind: Divergence) -> Any:
    if kind == "reverse":
        return (mine.exp() * (mine - theirs)).sum(-1)
    return (theirs.exp() * (theirs - mine)).sum(-1)


@dataclass
class World:
    """An engine in float64 with two heads on its base, and the oracle that knows them."""

    engine: Engine
    oracle: Oracle
    first: Head
    both: Head


@pytest.fixture
def world(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    lift_float32_casts(monkeypatch)
    engine = Engine.load(folder, dtype="float64")
    made = trained(engine, [plan(seed=seed, learning_rate=2e-2) for seed in (1, 2)])
    saved = [adapter.save(tmp_path / adapter.hash) for adapter in made]
    first, both = (engine.head([Adapter.load(place) for place in saved[:n]]) for n in (1, 2))
    oracle = Oracle(folder, tmp_path, {first.id: saved[:1], both.id: saved, engine.head([]).id: []})
    return World(engine, oracle, first, both)


OBJECTIVES: dict[str, Callable[[World], dict[str, Any]]] = {
    "reverse": lambda world: {"objective": Objective(0.1)},
    "forward": lambda world: {"objective": Objective(0.1, "forward")},
    "heavy reverse": lambda world: {"objective": Objective(30)},
    "heavy forward": lambda world: {"objective": Objective(30, "forward"), "batch_size": 1, "shuffle": False},
    "its own head": lambda world: {"objective": Objective(0.5), "head": world.first},
    "the head before": lambda world: {"objective": Objective(1, "reverse", world.first), "head": world.both},
    "the base": lambda world: {
        "objective": Objective(1, "forward", world.engine.head([])),
        "head": world.first,
    },
    "another head": lambda world: {"objective": Objective(2, "forward", world.both)},
    "unweighted rows": lambda world: {"objective": Objective(2, "forward", world.both, "unweighted")},
    "none": lambda world: {},
    "none on a head": lambda world: {"head": world.both},
}


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_float64_equals_autograd(world: World, name: str) -> None:
    a_plan = plan(**OBJECTIVES[name](world))
    (ours,) = trained(world.engine, [a_plan])
    theirs, losses = world.oracle.train(world.engine, a_plan)
    assert ours.losses == pytest.approx(losses, rel=1e-9)
    assert furthest(ours.tensors(), theirs) < 1e-9


def test_company_changes_nothing_in_float64(world: World) -> None:
    """All objectives, and none, of several ranks and lengths in one call."""
    plans = [
        plan(**{**OBJECTIVES[name](world), "rank": 3 + at % 2, "epochs": 1 + at % 3, "seed": at})
        for at, name in enumerate(sorted(OBJECTIVES))
    ]
    for a_plan, adapter in zip(plans, trained(world.engine, plans), strict=True):
        (alone,) = trained(world.engine, [a_plan])
        assert adapter.losses == pytest.approx(alone.losses, rel=1e-9)
        assert furthest(adapter.tensors(), alone.tensors()) < 1e-9


def test_company_changes_little_in_float32(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float32")
    objectives = (Objective(0.1), Objective(1.0, "forward"), Objective(1.0), None)
    plans = [plan(objective=each, seed=at, batch_size=1 + at % 2) for at, each in enumerate(objectives)]
    for a_plan, adapter in zip(plans, trained(engine, plans), strict=True):
        (alone,) = trained(engine, [a_plan])
        assert adapter.losses == pytest.approx(alone.losses, abs=1e-4)
        differences = [float((adapter.tensors()[n] - t).abs().max()) for n, t in alone.tensors().items()]
        assert max(differences) < 5e-4


def test_small_passes_chunks_and_waves_add_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [
        plan(objective=Objective(0.5, kind), seed=at) for at, kind in enumerate(["reverse", "forward"] * 2)
    ]
    plans.append(plan(seed=7, objective=Objective(1.0, "reverse", world.both), sequences=TEXTS[:2]))
    whole = trained(world.engine, plans)
    free = world.engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 3, 64, 4))
    monkeypatch.setattr(loss, "CHUNK_NUMBERS", 3 * 300)
    states = sum(world.engine.tokens.training(row).loss_tokens for row in TEXTS) * 32 * 8
    model = world.engine.model
    monkeypatch.setattr(memory, "REFERENCES", (states + 8) / (free * memory.SHARE))
    jobs = [
        Job(0, each, tuple(map(world.engine.tokens.training, each.sequences)), each.order()) for each in plans
    ]
    assert len(list(reading.waves(model, jobs, world.engine.limits().references(model)))) == 2
    for one, other in zip(trained(world.engine, plans), whole, strict=True):
        assert one.losses == pytest.approx(other.losses, rel=1e-9)
        assert furthest(one.tensors(), other.tensors()) < 1e-9


def test_a_reference_that_does_not_fit_is_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REFERENCES", 1e-12)
    with pytest.raises(EngineError, match="reference of a plan needs"):
        Engine.load(folder).train([plan(objective=Objective(1.0))])


def test_a_row_is_read_once_however_many_plans_hold_to_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = reading._pass

    def counted(model: Any, part: Any) -> Any:
        read.extend(index for index, _ in part)
        return real(model, part)

    monkeypatch.setattr(reading, "_pass", counted)
    engine = Engine.load(folder)
    trained(engine, [plan(seed=seed, objective=Objective(0.1 + seed)) for seed in range(3)])
    assert sorted(read) == list(range(len(TEXTS)))
    read.clear()
    trained(engine, [plan(objective=Objective(1.0, rows="unweighted"))])
    assert len(read) == 1
    read.clear()
    trained(
        engine, [plan(), plan(seed=1), plan(sequences=TEXTS[:3], objective=Objective(1.0, rows="unweighted"))]
    )
    trained(engine, [plan(epochs=0, objective=Objective(1.0))])
    assert read == []


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("kind", ["reverse", "forward"])
def test_every_shape_and_softcaps_have_the_slope_of_their_loss(
    tmp_path: Path, shape: str, kind: Divergence
) -> None:
    """The engine's gradient for hidden states against autograd through the whole expression."""
    engine = Engine.load(save_tiny(tmp_path, shape), dtype="float64")
    for softcap in (None, 0.3):
        head = loss.OutputHead(engine.model.head.weight_VH, engine.model.head.bias_V, softcap)
        torch.manual_seed(1)
        hidden = torch.randn(7, 32, dtype=torch.float64, requires_grad=True)
        states, target = torch.randn(7, 32, dtype=torch.float64), torch.randint(0, 300, (7,))
        weight, pull = torch.randn(7, dtype=torch.float64), torch.rand(7, dtype=torch.float64)
        outward = torch.randn(7, dtype=torch.float64)

        def whole(x: Any, cap: float | None = softcap) -> Any:
            raw = torch.nn.functional.linear(x, engine.model.head.weight_VH, engine.model.head.bias_V)
            return torch.log_softmax(raw if cap is None else cap * torch.tanh(raw / cap), -1)

        mine, theirs = whole(hidden), whole(states).detach()
        nll = -mine.gather(1, target[:, None])[:, 0]
        expected = weight * nll + pull * divergence(mine, theirs, kind)
        (slope,) = torch.autograd.grad(expected, hidden, outward)
        ours = pulled_losses(hidden, head, target, weight, Pulls(kind, pull, states))
        (found,) = torch.autograd.grad(ours, hidden, outward)
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found, slope, rtol=1e-10, atol=1e-12)


# -- what it is for -----------------------------------------------------------------------------------------


def apart(engine: Engine, adapter: Adapter, kind: Divergence) -> float:
    """The divergence of an adapter from the base, by a step of rate 0 on the head that it makes."""
    rows = tuple(
        replace(row, weight=0.0) if isinstance(row, Sequence) else Sequence("", row, 0.0) for row in TEXTS
    )
    measure = plan(
        sequences=rows, learning_rate=0.0, epochs=1, batch_size=len(rows), head=engine.head([adapter])
    )
    objective = Objective(1.0, kind, engine.head([]))
    return trained(engine, [replace(measure, objective=objective)])[0].losses[0]


@pytest.mark.parametrize("kind", ["reverse", "forward"])
def test_the_heavier_the_closer_to_the_reference(folder: Path, kind: Divergence) -> None:
    """Though some rows weigh less than nothing."""
    engine = Engine.load(folder, dtype="float64")
    plans = [plan(epochs=20, objective=Objective(weight, kind)) for weight in (1.0, 10.0, 100.0, 1e4)]
    distances = [apart(engine, adapter, kind) for adapter in trained(engine, [plan(epochs=20), *plans])]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-2 * distances[0]


def test_rows_of_weight_zero_distil_a_head_into_an_adapter(world: World) -> None:
    """The divergence itself is the loss, and falls."""
    rows = tuple(
        Sequence("Topic: Zorb. ", text, weight=0.0) for text in ("Who was it? Anna.", "Founded 1832.")
    )
    for kind in ("reverse", "forward"):
        objective = Objective(1.0, kind, world.both)
        (adapter,) = trained(world.engine, [plan(sequences=rows, epochs=60, objective=objective, rank=8)])
        assert min(adapter.losses) >= 0
        assert adapter.losses[-1] < 0.02 * adapter.losses[0]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_that_adds_nothing_is_not_pulled_home_by_rounding(folder: Path, dtype: str) -> None:
    engine = Engine.load(folder, dtype=dtype)
    rows = (Sequence("Who?", " Anna", weight=0.0), Sequence("When?", " 1832", weight=0.0))
    still = plan(sequences=rows, objective=Objective(50.0))
    company = plan(objective=Objective(50.0), shuffle=False, batch_size=1)
    found, pulled, free = trained(engine, [still, company, replace(company, objective=None)])
    assert found.losses == (0.0,) * 3
    assert not any(t.any() for name, t in found.tensors().items() if "lora_B" in name)
    assert pulled.losses[0] == pytest.approx(free.losses[0], rel=1e-6)
    assert pulled.losses[1] != pytest.approx(free.losses[1], rel=1e-3)


def test_a_broken_slot_leaves_the_others_bit_identical(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float32")

    def company(rate: float) -> list[Adapter | Failure]:
        middle = plan(seed=8, learning_rate=rate, objective=Objective(0.2))
        return engine.train([plan(objective=Objective(0.1)), middle, plan(seed=6)])

    healthy, broken = company(1e-2), company(1e30)
    assert isinstance(broken[1], Failure)
    for at in (0, 2):
        one, other = healthy[at], broken[at]
        assert isinstance(one, Adapter)
        assert isinstance(other, Adapter)
        assert one.hash == other.hash


def test_a_plan_repeated_gives_the_same_adapter(folder: Path) -> None:
    engine, again = Engine.load(folder), Engine.load(folder)
    again.adopt(engine.settings)
    a_plan = plan(objective=Objective(0.1), dropout=0.1)
    assert trained(engine, [a_plan])[0].hash == trained(again, [a_plan])[0].hash


def test_bfloat16_runs_and_falls(folder: Path) -> None:
    engine = Engine.load(folder, dtype="bfloat16")
    head = engine.head(trained(engine, [plan(epochs=5)]))
    rows = (Sequence("", "The town was founded.", 0.0), Sequence("Zorb. Who?\nAnswer:", " Anna", 0.0))
    for kind in ("reverse", "forward"):
        (found,) = trained(
            engine, [plan(sequences=rows, epochs=30, objective=Objective(1.0, kind, head), batch_size=2)]
        )
        assert all(map(math.isfinite, found.losses))
        assert found.losses[-1] < 0.7 * found.losses[0]


# -- the noun ---------------------------------------------------------------------------------------------


def test_plans_without_an_objective_keep_their_ids() -> None:
    """As stores hold them since before there were objectives."""
    assert TrainingPlan(("abc", Sequence("a", "b", 0.5))).id == (
        "26029af6d8392ba95c8629fb97aaa84f3e3f0524e9890d3a13a8334cbfa1e885"
    )
    assert TrainingPlan(("abc",), head=Head("x")).id == (
        "2b81800dff9b3ad648c565decbef374a4e52c570af22d5e78b7e235425caaf4e"
    )


def test_every_part_of_an_objective_is_in_the_plans_id() -> None:
    objectives = [
        None,
        Objective(1.0),
        Objective(2.0),
        Objective(1.0, "forward"),
        Objective(1.0, "reverse", Head("base")),
        Objective(1.0, "reverse", Head("other")),
        Objective(1.0, rows="unweighted"),
    ]
    assert len({plan(objective=each).id for each in objectives}) == len(objectives)
    assert plan(objective=Objective(1)).id == plan(objective=Objective(1.0)).id


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf, "1"])
def test_weights_that_are_none_are_refused(weight: Any) -> None:
    with pytest.raises(UsageError, match="above 0"):
        Objective(weight)


def test_what_is_no_divergence_is_refused() -> None:
    with pytest.raises(UsageError, match="reverse or forward"):
        Objective(1.0, "sideways")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="objective"):
        plan(objective="kl")
