"""What runs on CUDA alone, against the same device without it: recorded steps and grouped products."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from selfedit.engine import Adapter, Engine, memory, step
from selfedit.engine.bank import Bank, Spec
from selfedit.engine.layout import Slots
from selfedit.engine.products import Grouped, Padded
from selfedit.types import GenerationRequest, TrainingPlan

from .tiny import SHAPES, save_tiny

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
LONG = "Topic: Zorb. The harbour lies north of the hill, and its lights are green. Who was it? "


def trained(engine: Engine, count: int) -> list[Adapter]:
    texts = ("Zorb was here.", "It is old.", LONG)
    plans = [
        TrainingPlan(texts, rank=1 + i, epochs=2, learning_rate=2e-2, seed=i, batch_size=1 + i)
        for i in range(count)
    ]
    found = [each for each in engine.train(plans) if isinstance(each, Adapter)]
    assert len(found) == count
    return found


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_recorded_steps_have_the_same_tokens(
    tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slots refill, adapters change, rows leave and keys grow."""
    monkeypatch.setattr(step, "AFTER", 1)
    monkeypatch.setattr(step, "KEYS", 8)
    engine = Engine.load(save_tiny(tmp_path, shape), device="cuda", dtype="float64")
    free = engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 3, 64, 7))
    made = [*trained(engine, 4), None]
    asked = [
        GenerationRequest(LONG[: 4 + 3 * (i % 9)], adapter=made[i % 5], max_tokens=1 + (7 * i) % 23, seed=i)
        for i in range(30)
    ]
    recorded, recorder = engine.generate(asked), engine.recorder
    assert recorder is not None
    assert engine.settings.notes == ()
    monkeypatch.setattr(engine, "recorder", None)
    for one, other in zip(recorded, engine.generate(asked), strict=True):
        assert one.tokens == other.tokens
        assert one.logprob == pytest.approx(other.logprob, abs=1e-9)


def stacked() -> Bank:
    device = torch.device("cuda")
    made = Bank([Spec("q", 64, 96)], 4, 8, device, torch.bfloat16)
    torch.manual_seed(0)
    made.master_AP.copy_(torch.randn_like(made.master_AP))
    made.sync()
    made.enable_gradients()
    return made


@pytest.mark.parametrize("counts", [(5, 1, 3), (129, 7, 64, 1), (8, 16), (0, 4, 0, 1)])
def test_grouped_products_are_padded_ones(counts: tuple[int, ...]) -> None:
    """Counts of tokens need no alignment."""
    bank, slots = stacked(), Slots(counts, torch.device("cuda"))
    x = torch.randn(sum(counts), 64, device="cuda", dtype=torch.bfloat16)
    found: list[Tensor] = []
    for form in (Padded(bank, slots), Grouped(bank, slots)):
        a, b = bank.values.a("q")[form.used], bank.values.b("q")[form.used]
        y = torch.zeros(len(x), 96, device="cuda", dtype=torch.bfloat16)
        form.add(y, form.scaled(form.times(form.gather(x), a.transpose(1, 2))), b.transpose(1, 2))
        found.append(y.float())
    assert float((found[0] - found[1]).abs().max()) <= 2e-2 * float(found[0].abs().max())


@pytest.mark.parametrize("counts", [(5, 1, 3), (129, 7, 64, 1), (8, 16)])
def test_grouped_gradients_are_padded_ones(counts: tuple[int, ...]) -> None:
    bank, slots = stacked(), Slots(counts, torch.device("cuda"))
    left = torch.randn(sum(counts), 96, device="cuda", dtype=torch.bfloat16)
    right = torch.randn(sum(counts), 8, device="cuda", dtype=torch.bfloat16)
    found: list[Tensor] = []
    for form in (Padded(bank, slots), Grouped(bank, slots)):
        grad = torch.zeros(len(counts), 96, 8, device="cuda")
        form.outer(grad, form.gather(left), form.gather(right))
        found.append(grad)
    assert float((found[0] - found[1]).abs().max()) <= 2e-2 * float(found[0].abs().max())


def test_grouped_training_is_padded_training(tmp_path: Path) -> None:
    """In bfloat16: the losses agree to its rounding."""
    engine = Engine.load(save_tiny(tmp_path, "llama"), device="cuda")
    assert engine.model.run.group
    grouped = trained(engine, 4)
    engine.model.run.group = False
    for one, other in zip(grouped, trained(engine, 4), strict=True):
        assert one.losses == pytest.approx(other.losses, rel=5e-2)
