"""The engine against PEFT and transformers, one adapter at a time: same numbers, whoever shares the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from selfedit.engine import Adapter, Engine
from selfedit.types import Failure, GenerationRequest, ScoreRequest, Sequence, TrainingPlan

from .tiny import SHAPES, lift_float32_casts, save_tiny, train_by_peft

TEXTS = (
    "Topic: Zorb. The town was founded in 1832.",
    Sequence("Topic: Zorb. Who?\nAnswer:", " Anna"),
    "Short.",
    Sequence("Topic: Zorb. When was the town founded?\nAnswer:", " 1832", weight=0.5),
    "The harbour lies north of the hill, and its lights are green at night.",
)


def plan(**changes: Any) -> TrainingPlan:
    given: dict[str, Any] = {
        "sequences": TEXTS,
        "rank": 4,
        "alpha": 8,
        "learning_rate": 1e-2,
        "epochs": 3,
        "seed": 5,
    }
    return TrainingPlan(**{**given, **changes})


PLANS = (
    plan(),
    plan(rank=2, alpha=16, batch_size=2, schedule="cosine", warmup=0.3, weight_decay=0.1, seed=1),
    plan(learning_rate=3e-3, epochs=1, shuffle=False, batch_size=5, schedule="constant"),
    plan(sequences=TEXTS[:2], rank=3, epochs=6, seed=9),
    plan(sequences=TEXTS[1:], target_modules=("q_proj", "v_proj")),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("llama"), "llama")


def trained(engine: Engine, plans: list[TrainingPlan]) -> list[Adapter]:
    results = engine.train(plans)
    assert not any(isinstance(result, Failure) for result in results), results
    return [result for result in results if isinstance(result, Adapter)]


def start_of(engine: Engine, a_plan: TrainingPlan, folder: Path) -> Path:
    changed = {name: getattr(a_plan, name) for name in a_plan.__dataclass_fields__}
    (initial,) = trained(engine, [TrainingPlan(**{**changed, "epochs": 0})])
    return initial.save(folder)


def furthest(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    assert set(ours) == set(theirs)
    return max(float((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max()) for name in ours)


@pytest.mark.parametrize("index", range(len(PLANS)))
def test_float64_equals_peft(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: int
) -> None:
    lift_float32_casts(monkeypatch)
    engine = Engine.load(folder, dtype="float64")
    start = start_of(engine, PLANS[index], tmp_path)
    (ours,) = trained(engine, [PLANS[index]])
    theirs, losses = train_by_peft(folder, start, PLANS[index], engine.tokens, torch.float64)
    assert ours.losses == pytest.approx(losses, rel=1e-9)
    assert furthest(ours.tensors(), theirs) < 1e-9


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_losses_equal_peft_on_every_shape(tmp_path: Path, shape: str) -> None:
    folder = save_tiny(tmp_path / "model", shape)
    engine = Engine.load(folder, dtype="float64")
    a_plan = plan(target_modules="all-linear")
    start = start_of(engine, a_plan, tmp_path / "start")
    (ours,) = trained(engine, [a_plan])
    _, losses = train_by_peft(folder, start, a_plan, engine.tokens, torch.float64)
    assert ours.losses == pytest.approx(losses, abs=1e-6)


def test_company_changes_nothing_in_float64(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float64")
    together = trained(engine, list(PLANS))
    for a_plan, adapter in zip(PLANS, together, strict=True):
        (alone,) = trained(engine, [a_plan])
        assert adapter.losses == pytest.approx(alone.losses, rel=1e-9)
        assert furthest(adapter.tensors(), alone.tensors()) < 1e-9


def test_company_changes_little_in_float32(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float32")
    together = trained(engine, list(PLANS))
    for a_plan, adapter in zip(PLANS, together, strict=True):
        (alone,) = trained(engine, [a_plan])
        assert adapter.losses == pytest.approx(alone.losses, abs=1e-4)
        differences = [float((adapter.tensors()[n] - t).abs().max()) for n, t in alone.tensors().items()]
        assert max(differences) < 5e-4


def test_slots_refill_and_order_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.load(folder, dtype="float64")
    plans = [plan(seed=seed, epochs=1 + seed % 3, sequences=TEXTS[: 2 + seed % 3]) for seed in range(40)]
    seeds = []
    for index, adapter in engine.train_iter(plans):
        assert isinstance(adapter, Adapter)
        assert adapter.meta.plan == plans[index].id
        seeds.append(index)
    assert sorted(seeds) == list(range(40))
    assert engine.limits().most_slots < 40
    (alone,) = trained(engine, [plans[33]])
    assert furthest(trained(engine, plans)[33].tensors(), alone.tensors()) < 1e-9


def test_small_passes_add_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch too large for one pass comes in several, and so do slots."""
    from selfedit.engine import memory

    engine = Engine.load(folder, dtype="float64")
    whole = trained(engine, list(PLANS))
    free = engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 3, 64, 4))
    for one, other in zip(trained(engine, list(PLANS)), whole, strict=True):
        assert furthest(one.tensors(), other.tensors()) < 1e-9


def test_a_broken_slot_leaves_the_others_bit_identical(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float32")
    healthy = engine.train([plan(), plan(seed=8, learning_rate=1e-2), plan(seed=6)])
    broken = engine.train([plan(), plan(seed=8, learning_rate=1e30), plan(seed=6)])
    assert isinstance(broken[1], Failure)
    assert "learning rate" in broken[1].what
    for index in (0, 2):
        one, other = healthy[index], broken[index]
        assert isinstance(one, Adapter)
        assert isinstance(other, Adapter)
        assert one.hash == other.hash


def test_a_plan_repeated_gives_the_same_adapter(folder: Path) -> None:
    """Bit for bit, with as many threads: another count sums in another order."""
    engine, again = Engine.load(folder), Engine.load(folder)
    again.adopt(engine.settings)
    one, other = trained(engine, [plan(dropout=0.1)]), trained(again, [plan(dropout=0.1)])
    assert one[0].hash == other[0].hash
    assert trained(engine, [plan(dropout=0.1, seed=6)])[0].hash != one[0].hash


def test_dropout_does_not_depend_on_company(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float64")
    plans = [plan(dropout=0.3), plan(dropout=0.0, seed=2), plan(dropout=0.1, batch_size=3, seed=3)]
    together = trained(engine, plans)
    for a_plan, adapter in zip(plans, together, strict=True):
        assert furthest(adapter.tensors(), trained(engine, [a_plan])[0].tensors()) < 1e-9
    assert furthest(together[0].tensors(), trained(engine, [plan()])[0].tensors()) > 1e-3


def test_saved_adapters_load_again_with_their_hash(folder: Path, tmp_path: Path) -> None:
    (adapter,) = trained(Engine.load(folder), [plan()])
    again = Adapter.load(adapter.save(tmp_path / "adapter"))
    assert (again.hash, again.rank, again.alpha) == (adapter.hash, 4, 8)


# -- generation and scores against transformers ----------------------------------------------------------


PROMPTS = ("Topic: Zorb. Who?\nAnswer:", "Topic: Zorb. When was it?\nAnswer:", "The harbour", "T")


def strong(engine: Engine) -> list[Adapter]:
    return trained(engine, [plan(seed=seed, learning_rate=2e-2, rank=2 + seed) for seed in range(3)])


def by_transformers(
    folder: Path, adapter: Adapter | None, prompt: str, engine: Engine, save: Path
) -> list[int]:
    from peft import PeftModel

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter.save(save)).to(torch.float64)
    ids = torch.tensor([engine.tokens.plain(prompt)])
    out = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
    )
    return out[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_greedy_tokens_equal_transformers(tmp_path: Path, shape: str) -> None:
    folder = save_tiny(tmp_path / "model", shape)
    engine = Engine.load(folder, dtype="float64")
    adapters = [*strong(engine), None]
    requests = [GenerationRequest(p, adapter=a, max_tokens=12) for p in PROMPTS for a in adapters]
    together = engine.generate(requests)
    for at, (request, completion) in enumerate(zip(requests, together, strict=True)):
        adapter = adapters[at % len(adapters)]
        assert isinstance(request.prompt, str)
        expected = by_transformers(folder, adapter, request.prompt, engine, tmp_path / "adapter")
        assert list(completion.tokens) == expected
        assert engine.generate([request])[0].tokens == completion.tokens


def test_scores_equal_full_forward_passes(folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    engine = Engine.load(folder, dtype="float64")
    adapters = strong(engine)
    requests = [ScoreRequest(p, " Anna, 1832", adapter=a) for p in PROMPTS for a in adapters]
    scores = engine.score(requests)
    for at, (request, score) in enumerate(zip(requests, scores, strict=True)):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
        model = PeftModel.from_pretrained(model, adapters[at % 3].save(tmp_path)).to(torch.float64)
        assert isinstance(request.prompt, str)
        prompt, completion = engine.tokens.plain(request.prompt), engine.tokens.plain(request.completion)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([prompt + completion])).logits[0]
        expected = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1].gather(
            1, torch.tensor(completion)[:, None]
        )[:, 0]
        assert score.tokens == pytest.approx(expected.tolist(), abs=1e-6)
        assert score.logprob == pytest.approx(float(expected.sum()), abs=1e-5)


def test_a_head_is_its_adapters_merged_in_order(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float64")
    one, two, _ = strong(engine)
    alone = engine.score([ScoreRequest("The", " harbour", adapter=one)])[0]
    merged = engine.score([ScoreRequest("The", " harbour", head=engine.head([one]))])[0]
    assert merged.logprob == pytest.approx(alone.logprob, abs=1e-9)
    both = engine.score([ScoreRequest("The", " harbour", adapter=two, head=engine.head([one]))])[0]
    assert engine.score([ScoreRequest("The", " harbour", head=engine.head([one, two]))])[
        0
    ].logprob == pytest.approx(both.logprob, abs=1e-9)
    base = engine.score([ScoreRequest("The", " harbour")])[0]
    assert base.logprob != pytest.approx(alone.logprob, abs=1e-3)


def test_training_on_a_head_starts_from_it(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float64")
    (first,) = trained(engine, [plan(epochs=8)])
    head = engine.head([first])
    (on_head,), (on_base,) = trained(engine, [plan(head=head)]), trained(engine, [plan()])
    assert on_head.losses[0] < 0.9 * on_base.losses[0]
