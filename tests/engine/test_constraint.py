"""Constraints against autograd with explicit projectors; that they hold; and that they disturb nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from selfedit.engine import Adapter, Engine, Moments, constraint, memory
from selfedit.engine.holding import held_waves
from selfedit.engine.train import Job
from selfedit.errors import AdapterError, EngineError, UsageError
from selfedit.types import (
    Elastic,
    Failure,
    Head,
    NullSpace,
    Objective,
    Orthogonal,
    ScoreRequest,
    Sequence,
    TrainingPlan,
)

from .test_moments import inputs_by_hooks, second
from .tiny import SHAPES, lift_float32_casts, save_tiny

OLD = (
    "Topic: Zorb. The town was founded in 1832.",
    Sequence("Topic: Zorb. Who?\nAnswer:", " Anna"),
    Sequence("The harbour lies north of the hill,", " and its lights are green at night."),
)
NEW = (
    "Topic: Quill. The limit is 700 euros.",
    Sequence("Topic: Quill. Which limit?\nAnswer:", " 700 euros", weight=1.5),
    "Short.",
    Sequence("Travel above that", " is signed off by Isaura."),
)


def plan(**changes: Any) -> TrainingPlan:
    given: dict[str, Any] = {"sequences": NEW, "rank": 4, "alpha": 8, "learning_rate": 1e-2}
    given |= {"epochs": 3, "seed": 5, "batch_size": 2}
    return TrainingPlan(**{**given, **changes})


def trained(engine: Engine, plans: list[TrainingPlan]) -> list[Adapter]:
    found = engine.train(plans)
    assert not any(isinstance(each, Failure) for each in found), found
    return [each for each in found if isinstance(each, Adapter)]


def furthest(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    assert set(ours) == set(theirs)
    return max(
        float((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max().clamp(min=1e-9))
        for name in ours
    )


@dataclass
class World:
    """An engine in float64, what it learned before, and what its layers read of that."""

    engine: Engine
    folder: Path
    scratch: Path
    earlier: tuple[Adapter, ...]
    saved: tuple[Path, ...]
    head: Head
    moments: Moments
    inputs: dict[str, Any]
    """Activations [N, I] of the old texts on the bare base, by layer."""


def make_world(folder: Path, scratch: Path) -> World:
    engine = Engine.load(folder, dtype="float64")
    made = trained(engine, [plan(sequences=OLD, seed=seed, learning_rate=2e-2) for seed in (1, 2)])
    saved = tuple(adapter.save(scratch / adapter.hash) for adapter in made)
    earlier = tuple(map(Adapter.load, saved))
    moments = engine.moments(OLD, rank=128)
    inputs = inputs_by_hooks(folder, engine, OLD)
    return World(engine, folder, scratch, earlier, saved, engine.head(earlier), moments, inputs)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        lift_float32_casts(patch)
        folder = save_tiny(tmp_path_factory.mktemp("llama"), "llama")
        yield make_world(folder, tmp_path_factory.mktemp("scratch"))


# -- plain autograd ---------------------------------------------------------------------------------------


def oracle(world: World, a_plan: TrainingPlan) -> tuple[dict[str, Any], list[float]]:
    """PEFT and autograd, one plan alone; weights put back by explicit projectors after each step."""
    from peft import PeftModel

    engine = world.engine
    (start,) = trained(engine, [replace(a_plan, epochs=0, constraint=None)])
    model: Any = AutoModelForCausalLM.from_pretrained(world.folder, dtype=torch.float64)
    for saved in world.saved if a_plan.head else ():
        model = PeftModel.from_pretrained(model, saved).to(torch.float64).merge_and_unload()
    begun = start.save(world.scratch / f"start-{a_plan.id}")
    model = PeftModel.from_pretrained(model, begun, is_trainable=True).to(torch.float64)
    named = {
        name.replace(".default", "").removeprefix("base_model.model."): p
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    keep(world, a_plan, named)
    optimiser = torch.optim.AdamW(named.values(), lr=1.0, weight_decay=a_plan.weight_decay, eps=1e-8)
    losses: list[float] = []
    for step, batch in enumerate(a_plan.order()):
        optimiser.param_groups[0]["lr"] = a_plan.rate(step)
        rows = [engine.tokens.training(a_plan.sequences[at]) for at in batch]
        value = sum(row_loss(model, row) for row in rows) / sum(row.loss_tokens for row in rows)
        value = value + penalty(world, a_plan, named)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        keep(world, a_plan, named)
        losses.append(float(value.detach()))
    return {name: p.detach() for name, p in named.items()}, losses


def row_loss(model: Any, row: Any) -> Any:
    mine = torch.log_softmax(model(input_ids=torch.tensor([row.ids])).logits[0, :-1], -1)
    each = -row.weight * mine.gather(1, torch.tensor(row.ids[1:])[:, None])[:, 0]
    return each[torch.tensor(row.bears_loss)].sum()


@torch.no_grad()
def keep(world: World, a_plan: TrainingPlan, named: dict[str, Any]) -> None:
    """A ← A P for the projector P [I, I] of the layer, made without the engine."""
    for name in [name for name in named if name.endswith("lora_A.weight")]:
        match a_plan.constraint:
            case Orthogonal(adapters, None):
                rows = torch.cat([a.tensors()[name].double() for a in adapters if isinstance(a, Adapter)])
                away = torch.linalg.pinv(rows) @ rows
            case NullSpace(_, energy):
                away = leading_projector(world.inputs[name.removesuffix(".lora_A.weight")], energy)
            case _:
                continue
        named[name].copy_(named[name] - named[name] @ away)


def leading_projector(x: Any, energy: float) -> Any:
    values, vectors = torch.linalg.eigh(second(x))
    values, vectors = values.flip(0), vectors.flip(1)
    count = int((torch.cumsum(values, 0) < energy * values.sum()).sum()) + 1
    return vectors[:, :count] @ vectors[:, :count].t()


def penalty(world: World, a_plan: TrainingPlan, named: dict[str, Any]) -> Any:
    total: Any = 0.0
    for name in [name for name in named if name.endswith("lora_A.weight")]:
        layer, a = name.removesuffix(".lora_A.weight"), named[name]
        match a_plan.constraint:
            case Orthogonal(adapters, float(weight)):
                for each in adapters:
                    assert isinstance(each, Adapter)
                    total = total + weight * (a @ each.tensors()[name].double().t()).square().sum()
            case Elastic(_, weight):
                change = a_plan.alpha / a_plan.rank * named[f"{layer}.lora_B.weight"] @ a
                total = total + weight * (world.inputs[layer] @ change.t()).square().sum(-1).mean()
            case _:
                pass
    return total


CONSTRAINTS: dict[str, Callable[[World], dict[str, Any]]] = {
    "orthogonal": lambda world: {"constraint": Orthogonal(world.earlier)},
    "orthogonal on the head": lambda world: {"constraint": Orthogonal(world.earlier), "head": world.head},
    "orthogonal to one": lambda world: {"constraint": Orthogonal(world.earlier[:1]), "weight_decay": 0.1},
    "penalty": lambda world: {"constraint": Orthogonal(world.earlier, 0.5)},
    "heavy penalty": lambda world: {"constraint": Orthogonal(world.earlier, 50.0), "batch_size": 1},
    "null space": lambda world: {"constraint": NullSpace(world.moments, 0.9)},
    "narrow null space": lambda world: {"constraint": NullSpace(world.moments, 0.5), "head": world.head},
    "elastic": lambda world: {"constraint": Elastic(world.moments, 0.05)},
    "heavy elastic": lambda world: {"constraint": Elastic(world.moments, 100.0), "weight_decay": 0.1},
    "none": lambda world: {},
    "none on the head": lambda world: {"head": world.head},
}


@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_float64_equals_autograd(world: World, name: str) -> None:
    a_plan = plan(**CONSTRAINTS[name](world))
    (ours,) = trained(world.engine, [a_plan])
    theirs, losses = oracle(world, a_plan)
    assert ours.losses == pytest.approx(losses, rel=1e-9)
    assert furthest(ours.tensors(), theirs) < 1e-9


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"llama"}))
def test_every_shape_equals_autograd(tmp_path: Path, shape: str) -> None:
    """These shapes cast to float32 inside, in the same places here and there."""
    (tmp_path / "base").mkdir()
    world = make_world(save_tiny(tmp_path / "base", shape), tmp_path)
    for name in ("orthogonal", "penalty", "null space", "elastic"):
        a_plan = plan(**CONSTRAINTS[name](world), epochs=2)
        (ours,) = trained(world.engine, [a_plan])
        theirs, losses = oracle(world, a_plan)
        assert ours.losses == pytest.approx(losses, rel=1e-5)
        assert furthest(ours.tensors(), theirs) < 1e-2


def test_company_changes_nothing_in_float64(world: World) -> None:
    """All constraints, an objective and none, of several ranks, lengths and layers in one call."""
    plans = [
        plan(**{**CONSTRAINTS[name](world), "rank": 3 + at % 2, "epochs": 1 + at % 3, "seed": at})
        for at, name in enumerate(sorted(CONSTRAINTS))
    ]
    plans += [replace(plans[0], seed=50), replace(plans[1], objective=Objective(0.5)), plan(epochs=0)]
    plans += [replace(plans[at], target_modules=("q_proj", "v_proj")) for at in (2, 5, 6)]
    for a_plan, adapter in zip(plans, trained(world.engine, plans), strict=True):
        (alone,) = trained(world.engine, [a_plan])
        assert adapter.losses == pytest.approx(alone.losses, rel=1e-9)
        assert furthest(adapter.tensors(), alone.tensors()) < 1e-9


def test_company_changes_little_in_float32(world: World) -> None:
    engine = Engine.load(world.folder, dtype="float32")
    moments = engine.moments(OLD, rank=8)
    constraints = (Orthogonal(world.earlier), NullSpace(moments, 0.9), Elastic(moments, 0.1), None)
    plans = [plan(constraint=each, seed=at) for at, each in enumerate(constraints)]
    for a_plan, adapter in zip(plans, trained(engine, plans), strict=True):
        (alone,) = trained(engine, [a_plan])
        assert adapter.losses == pytest.approx(alone.losses, abs=1e-4)
        differences = [float((adapter.tensors()[n] - t).abs().max()) for n, t in alone.tensors().items()]
        assert max(differences) < 5e-4


def test_few_slots_and_small_passes_add_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots are handed on and move up with their constraints."""
    names = ("orthogonal", "none", "elastic", "null space", "penalty", "null space")
    plans = [
        plan(**{**CONSTRAINTS[name](world), "seed": at, "epochs": 1 + at % 3})
        for at, name in enumerate(names)
    ]
    whole = trained(world.engine, plans)
    free = world.engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 2, 64, 4))
    for one, other in zip(trained(world.engine, plans), whole, strict=True):
        assert one.losses == pytest.approx(other.losses, rel=1e-9)
        assert furthest(one.tensors(), other.tensors()) < 1e-9


def test_a_broken_slot_leaves_the_others_bit_identical(world: World) -> None:
    engine = Engine.load(world.folder, dtype="float32")
    moments = engine.moments(OLD, rank=8)
    for a_constraint in (Orthogonal(world.earlier), NullSpace(moments), Elastic(moments, 1.0)):
        shared = plan(constraint=a_constraint)

        def company(rate: float, shared: TrainingPlan = shared) -> list[Adapter | Failure]:
            return engine.train([shared, replace(shared, seed=8, learning_rate=rate), plan(seed=6)])

        healthy, broken = company(1e-2), company(1e30)
        assert isinstance(broken[1], Failure)
        for at in (0, 2):
            one, other = healthy[at], broken[at]
            assert isinstance(one, Adapter)
            assert isinstance(other, Adapter)
            assert one.hash == other.hash


def test_a_plan_repeated_gives_the_same_adapter(world: World) -> None:
    engine, again = (Engine.load(world.folder, dtype="float32") for _ in range(2))
    again.adopt(engine.settings)
    hashes = [
        [
            each.hash
            for a_constraint in (Orthogonal(world.earlier), NullSpace(one.moments(OLD)))
            for each in trained(one, [plan(constraint=a_constraint, dropout=0.1)])
        ]
        for one in (engine, again)
    ]
    assert hashes[0] == hashes[1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_does_the_same(world: World) -> None:
    engine = Engine.load(world.folder, device="cuda", dtype="float64")
    moments = engine.moments(OLD, rank=128)
    for name in moments.inputs:
        one, other = moments.leading(name), world.moments.leading(name)
        torch.testing.assert_close(one.values_K, other.values_K, rtol=1e-6, atol=1e-9)
    constraints = (Orthogonal(world.earlier), NullSpace(world.moments, 0.9), Elastic(moments, 0.05), None)
    plans = [plan(constraint=each, epochs=1) for each in constraints]
    for one, other in zip(trained(engine, plans), trained(world.engine, plans), strict=True):
        assert one.losses == pytest.approx(other.losses, rel=1e-6)
        assert furthest(one.tensors(), other.tensors()) < 1e-4


# -- what it is for ---------------------------------------------------------------------------------------


def overlap(adapter: Adapter, rows: Callable[[str], Any]) -> float:
    """The largest |A v| / ‖A‖ over layers, for unit rows v that A is to be kept away from."""
    return max(
        float((t.double() @ rows(name).t()).norm() / t.double().norm())
        for name, t in adapter.tensors().items()
        if "lora_A" in name
    )


@pytest.mark.parametrize("epochs", [0, 1, 20])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_projections_hold_from_the_first_step_to_the_last(world: World, epochs: int, dtype: str) -> None:
    engine = Engine.load(world.folder, dtype=dtype)
    moments = engine.moments(OLD, rank=16)
    away, aside, free = trained(
        engine,
        [
            plan(epochs=epochs, constraint=each)
            for each in (Orthogonal(world.earlier), NullSpace(moments, 0.9), None)
        ],
    )

    def earlier(name: str) -> Any:
        rows = torch.cat([each.tensors()[name] for each in world.earlier]).double()
        return rows / rows.norm(dim=1, keepdim=True)

    def old_texts(name: str) -> Any:
        layer = engine.model.layers[name.removesuffix(".lora_A.weight")]
        return moments.leading(layer.spec.group).holding(0.9)

    close = 1e-12 if dtype == "float64" else 1e-5
    assert overlap(away, earlier) < close < 0.1 < overlap(free, earlier)
    assert overlap(aside, old_texts) < close < 0.1 < overlap(free, old_texts)
    assert all(bool(t.any()) == bool(epochs) for name, t in aside.tensors().items() if "lora_B" in name)


def moved(engine: Engine, adapter: Adapter, texts: Any) -> float:
    """How far log-probabilities of texts go, in nats a token (root of the mean square)."""
    told = [(text, "") if isinstance(text, str) else (text.prompt, text.completion) for text in texts]
    requests = [ScoreRequest(a[:4], a[4:] + b) for a, b in told]
    before = engine.score(requests)
    after = engine.score([replace(each, adapter=adapter) for each in requests])
    pairs_of_tokens = (
        zip(one.tokens, two.tokens, strict=True) for one, two in zip(before, after, strict=True)
    )
    changes = [y - x for pairs in pairs_of_tokens for x, y in pairs]
    return (sum(change**2 for change in changes) / len(changes)) ** 0.5


def test_old_texts_move_less_the_more_of_their_space_is_kept_out_of(world: World) -> None:
    plans = [plan(epochs=15)]
    plans += [plan(epochs=15, constraint=NullSpace(world.moments, each)) for each in (0.5, 0.9, 0.99)]
    found = trained(world.engine, plans)
    old = [moved(world.engine, adapter, OLD) for adapter in found]
    assert old == sorted(old, reverse=True)
    assert old[-1] < 0.3 * old[0]
    assert all(sum(each.losses[-2:]) < 0.95 * sum(each.losses[:2]) for each in found)


def test_old_texts_move_less_the_heavier_the_elastic(world: World) -> None:
    plans = [plan(epochs=15)]
    plans += [plan(epochs=15, constraint=Elastic(world.moments, each)) for each in (0.01, 1.0, 100.0)]
    found = trained(world.engine, plans)
    old = [moved(world.engine, adapter, OLD) for adapter in found]
    assert old == sorted(old, reverse=True)
    assert old[-1] < 0.2 * old[0]


def test_a_heavier_penalty_comes_nearer_to_orthogonal(world: World) -> None:
    weights = (0.01, 0.1, 10.0)
    plans = [plan(epochs=15, constraint=Orthogonal(world.earlier, each)) for each in weights]

    def earlier(name: str) -> Any:
        return torch.cat([each.tensors()[name] for each in world.earlier]).double()

    found = trained(world.engine, [plan(epochs=15), *plans])
    apart = [overlap(adapter, earlier) for adapter in found]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.2 * apart[0]


def test_a_layer_that_earlier_adapters_left_alone_is_free(world: World) -> None:
    some = trained(world.engine, [plan(sequences=OLD, target_modules=("q_proj",))])
    bound, free = trained(world.engine, [plan(constraint=Orthogonal(tuple(some)), epochs=0), plan(epochs=0)])
    for name, tensor in bound.tensors().items():
        same = tensor.equal(free.tensors()[name])
        assert same == ("lora_B" in name or "q_proj" not in name)


def test_copies_of_an_adapter_bind_as_one(world: World) -> None:
    once, thrice = trained(
        world.engine,
        [plan(constraint=Orthogonal(world.earlier[:1] * times), epochs=2) for times in (1, 3)],
    )
    assert furthest(once.tensors(), thrice.tensors()) < 1e-5


# -- memory, and what does not fit -------------------------------------------------------------------------


def test_constraints_are_counted_and_told(world: World) -> None:
    engine = world.engine
    names = tuple(engine.model.layers)
    shared = [plan(constraint=NullSpace(world.moments), seed=seed) for seed in range(3)]
    size = constraint.hold_bytes([each.constraint for each in shared], engine.model, names)
    assert size == 8 * 2 * (3 * 32 * 32 + 56 * 56)
    more = [*shared, plan(constraint=Orthogonal(world.earlier))]
    layers = [engine.model.layers[name] for name in names]
    rows = sum(8 * layer.in_features for layer in layers)
    assert constraint.hold_bytes([each.constraint for each in more], engine.model, names) == size + 8 * rows
    assert "MiB of constraints" in engine.describe(more)
    assert "constraints" not in engine.describe([plan()])
    tokens = memory.token_bytes(engine.model)
    slots = 3 * memory.slot_bytes(engine.model, names, 4)
    tight = memory.Limits(int((size + 2 * slots + 200 * tokens) / memory.SHARE), 16, 10**6, 4)
    free = [replace(each, constraint=None) for each in shared]
    bound, unbound = (tight.training(engine.model, names, plans).tokens for plans in (shared, free))
    assert unbound - bound == pytest.approx(size / tokens, abs=2)


def test_plans_wait_where_their_constraints_do_not_fit_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = world.engine
    constraints = [NullSpace(world.moments, each) for each in (0.3, 0.5, 0.7)]
    plans = [plan(constraint=each, seed=at) for at, each in enumerate(constraints * 2)] + [plan()]
    whole = trained(engine, plans)
    free = engine.limits().free
    names = tuple(engine.model.layers)
    alone = constraint.hold_bytes(constraints[:1], engine.model, names)
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 9, 64, 4))
    monkeypatch.setattr(memory, "CONSTRAINTS", (2 * alone + 9) / (free * memory.SHARE))
    jobs = [Job(0, each, tuple(map(engine.tokens.training, NEW)), each.order()) for each in plans]
    assert len(list(held_waves(engine.model, names, jobs, engine.limits().constraints))) > 1
    for one, other in zip(trained(engine, plans), whole, strict=True):
        assert one.losses == pytest.approx(other.losses, rel=1e-9)
        assert furthest(one.tensors(), other.tensors()) < 1e-9
    monkeypatch.setattr(memory, "CONSTRAINTS", 1e-12)
    with pytest.raises(EngineError, match="constraint of a plan needs"):
        engine.train(plans)


def test_a_plan_that_is_left_no_room_is_a_failure_and_its_company_is_not(world: World) -> None:
    wide = tuple(trained(world.engine, [plan(sequences=OLD, rank=56, seed=seed) for seed in range(2)]))
    plans = [plan(constraint=Orthogonal(wide)), plan(), plan(constraint=NullSpace(world.moments, 1.0))]
    first, second_, third = world.engine.train(plans)
    assert isinstance(first, Failure)
    assert "no direction of any layer" in first.what
    assert "fewer adapters" in first.what
    assert isinstance(third, Failure)
    assert "less energy" in third.what
    assert isinstance(second_, Adapter)
    assert second_.losses == pytest.approx(trained(world.engine, [plan()])[0].losses, rel=1e-9)
    assert world.engine.train([plans[0]]) == [first]


@dataclass(frozen=True)
class Name:
    hash: str


def test_what_does_not_fit_the_base_is_a_line(world: World, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="only a name; load them"):
        world.engine.train([plan(constraint=NullSpace(Name("m")))])
    with pytest.raises(AdapterError, match="only a name; load it"):
        world.engine.train([plan(constraint=Orthogonal((Name("a"),)))])
    foreign = Moments("x", 4, 1, {}, {})
    with pytest.raises(EngineError, match="of another base"):
        world.engine.train([plan(constraint=Elastic(foreign, 1.0))])
    with pytest.raises(EngineError, match="another shape here"):
        world.engine.train([plan(constraint=Elastic(Moments(world.engine.base, 4, 1, {}, {}), 1.0))])


# -- the nouns --------------------------------------------------------------------------------------------


def test_plans_without_a_constraint_keep_their_ids() -> None:
    """As stores hold them since before there were constraints."""
    assert TrainingPlan(("abc", Sequence("a", "b", 0.5))).id == (
        "26029af6d8392ba95c8629fb97aaa84f3e3f0524e9890d3a13a8334cbfa1e885"
    )
    assert Objective(0.5, "forward").id == (
        "dc76d9e2e790ad2170d1904e05480c86b82aaa142481bb5174238f4e2e38d3e3"
    )


def test_every_part_of_a_constraint_is_in_the_plans_id() -> None:
    constraints = [
        None,
        Orthogonal((Name("a"),)),
        Orthogonal((Name("a"), Name("b"))),
        Orthogonal((Name("a"),), 1.0),
        NullSpace(Name("a")),
        NullSpace(Name("b")),
        NullSpace(Name("a"), 0.5),
        Elastic(Name("a"), 1.0),
        Elastic(Name("a"), 2.0),
    ]
    assert len({plan(constraint=each).id for each in constraints}) == len(constraints)
    assert plan(constraint=Elastic(Name("a"), 1)).id == plan(constraint=Elastic(Name("a"), 1.0)).id


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Orthogonal(()), "no earlier adapters"),
        (lambda: Orthogonal((Name("a"),), 0.0), "penalty is 0.0"),
        (lambda: NullSpace(Name("a"), 0.0), "energy is 0.0"),
        (lambda: NullSpace(Name("a"), 1.1), "energy is 1.1"),
        (lambda: Elastic(Name("a"), float("nan")), "weight is nan"),
        (lambda: plan(constraint="elastic"), "give Orthogonal, NullSpace or Elastic"),
        (lambda: Objective(1.0, rows="some"), "rows is 'some'"),  # type: ignore[arg-type]
    ],
)
def test_bounds_are_lines(make: Callable[[], Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        make()
