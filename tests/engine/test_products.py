"""Grouped and padded products: the same numbers, and padding that nothing moves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from selfedit.engine import Adapter, Engine
from selfedit.engine import train as training
from selfedit.engine.adapted import Run
from selfedit.engine.bank import Bank, Spec
from selfedit.engine.layout import Slots
from selfedit.engine.products import Cells, Grouped, Padded, aligned, can_group, chosen
from selfedit.types import GenerationRequest, ScoreRequest, Sequence, TrainingPlan

from .tiny import save_tiny

CPU = torch.device("cpu")
TEXTS = ("Topic: Zorb. The town was founded in 1832.", Sequence("Who?\nAnswer:", " Anna"), "Short.")
PLANS = [
    TrainingPlan(TEXTS, rank=3, epochs=2, learning_rate=1e-2, seed=1, weight_decay=0.1),
    TrainingPlan(TEXTS[1:], rank=4, epochs=3, learning_rate=1e-2, seed=2, batch_size=2),
    TrainingPlan(TEXTS[:2], rank=3, epochs=3, learning_rate=1e-2, seed=3),
]


def bank(rank: int = 8, slots: int = 4) -> Bank:
    made = Bank([Spec("q", 16, 24)], slots, rank, CPU, torch.float32)
    torch.manual_seed(0)
    made.master_AP.copy_(torch.randn_like(made.master_AP))
    made.scale_A.copy_(torch.tensor([0.5, 2.0, 1.0, 3.0][:slots]))
    return made


def forms(slots: Slots, first: int = 0) -> tuple[Padded, Grouped]:
    stacked = bank()
    stacked.enable_gradients()
    return Padded(stacked, slots, first), Grouped(stacked, slots, first)


def through(form: Padded | Grouped | Cells, x: Tensor, y: Tensor) -> Tensor:
    a, b = form.bank.values.a("q")[form.used], form.bank.values.b("q")[form.used]
    form.add(y, form.scaled(form.times(form.gather(x), a.transpose(1, 2))), b.transpose(1, 2))
    return y


@pytest.mark.parametrize(("counts", "first"), [((5, 1, 3), 1), ((2, 9), 0), ((7,), 3), ((0, 4, 0, 1), 0)])
def test_grouped_is_padded_on_packed_tokens(counts: tuple[int, ...], first: int) -> None:
    count = sum(counts)
    x, y = torch.randn(count, 16), torch.randn(count, 24)
    padded, grouped = forms(Slots(counts, CPU), first)
    assert torch.allclose(through(grouped, x, y.clone()), through(padded, x, y.clone()), atol=1e-5)


def test_grouped_is_padded_where_some_tokens_have_no_adapter() -> None:
    order = torch.tensor([6, 1, 2, 5])
    padded, grouped = forms(Slots((1, 0, 3), CPU, order))
    x, y = torch.randn(8, 16), torch.randn(8, 24)
    found = through(grouped, x, y.clone())
    assert torch.allclose(found, through(padded, x, y.clone()), atol=1e-5)
    assert torch.equal(found[[0, 3, 4, 7]], y[[0, 3, 4, 7]])


def test_grouped_gradients_are_padded_ones() -> None:
    slots = Slots((5, 1, 3), CPU)
    left, right = torch.randn(9, 24), torch.randn(9, 8)
    found: list[Tensor] = []
    for form in forms(slots):
        grad = torch.ones(3, 24, 8)
        form.outer(grad, form.gather(left), form.gather(right))
        found.append(grad)
    assert torch.allclose(found[0], found[1], atol=1e-5)
    assert torch.allclose(found[1][1], 1 + left[5:6].t() @ right[5:6], atol=1e-5)


def test_cells_are_rows_of_their_slots_and_leave_others_alone() -> None:
    stacked = bank()
    slot_of_row = [2, -1, 0, 2]
    row = torch.tensor([2, 0, 1, 0, 0, 3])  # slots 0, 1, 2 with two cells each; row 1 lies in a spare cell
    scale = torch.tensor([0.5, 0, 0, 0, 1.0, 1.0]).view(3, 2, 1)
    cells = Cells(stacked, row, scale, torch.tensor([4, 2, 0, 5]))
    x, y = torch.randn(4, 16), torch.randn(4, 24)
    found = through(cells, x, y.clone())
    for at, slot in enumerate(slot_of_row):
        expected = y[at].clone()
        if slot >= 0:
            a, b = stacked.values.a("q")[slot], stacked.values.b("q")[slot]
            expected += stacked.scale_A[slot] * (b @ (a @ x[at]))
        assert torch.allclose(found[at], expected, atol=1e-4)
    assert torch.equal(found[1], y[1])


def test_grouping_is_for_uneven_slots_that_all_learn() -> None:
    stacked = bank()
    assert isinstance(chosen(stacked, Slots((5, 1), CPU), 0, True), Grouped)
    assert isinstance(chosen(stacked, Slots((5, 1), CPU), 0, False), Padded)
    assert isinstance(chosen(stacked, Slots((3, 3), CPU), 0, True), Padded)
    assert isinstance(chosen(stacked, Slots((5, 0), CPU), 0, True), Grouped)
    stacked.enable_gradients()
    assert isinstance(chosen(stacked, Slots((5, 0), CPU), 0, True), Padded)


def test_widths_and_ranks_have_strides_of_16_bytes() -> None:
    assert aligned([Spec("a", 16, 24)])
    assert not aligned([Spec("a", 16, 24), Spec("b", 12, 24)])
    assert not can_group(torch.zeros(1, dtype=torch.bfloat16), [Spec("a", 16, 24)])
    run = Run(torch.zeros(()))
    assert [run.rounded(rank) for rank in (1, 8, 9)] == [1, 8, 9]
    run.group = True
    assert [run.rounded(rank) for rank in (1, 8, 9)] == [8, 8, 16]


# -- the whole engine, grouped on a processor --------------------------------------------------------------


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Engine]:
    """(padded, grouped)"""
    folder = save_tiny(tmp_path_factory.mktemp("llama"), "llama")
    made = (
        Engine.load(folder, device="cpu", dtype="float32"),
        Engine.load(folder, device="cpu", dtype="float32"),
    )
    made[1].model.run.group = True
    return made


def trained(engine: Engine) -> list[Adapter]:
    return [found for found in engine.train(PLANS) if isinstance(found, Adapter)]


def test_grouped_training_is_padded_training(
    engines: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    real = torch.nn.functional.grouped_mm

    def counted(left: Tensor, right: Tensor, *, offs: Tensor) -> Tensor:
        calls.append(left.dim() + right.dim())
        return real(left, right, offs=offs)

    monkeypatch.setattr("torch.nn.functional.grouped_mm", counted)
    padded = trained(engines[0])
    assert not calls
    grouped = trained(engines[1])
    assert {4, 5} <= set(calls), "weights' gradients and tokens' products are grouped"
    for one, other in zip(padded, grouped, strict=True):
        assert other.losses == pytest.approx(one.losses, abs=1e-4)
        assert (other.rank, set(other.tensors())) == (one.rank, set(one.tensors()))
        apart = [float((other.tensors()[name] - t).abs().max()) for name, t in one.tensors().items()]
        assert max(apart) < 5e-4


def test_grouped_answers_are_padded_answers(engines: tuple[Engine, Engine]) -> None:
    adapters = trained(engines[0])
    requests = [
        GenerationRequest("Topic: Zorb. Who was it?"[: 8 + 3 * i], adapter=adapter, max_tokens=6)
        for i, adapter in enumerate([*adapters, None, adapters[1]])
    ]
    scored = [ScoreRequest(str(r.prompt), " Anna, 1832", adapter=r.adapter) for r in requests]
    padded, grouped = engines
    assert [c.tokens for c in grouped.generate(requests)] == [c.tokens for c in padded.generate(requests)]
    assert [s.logprob for s in grouped.score(scored)] == pytest.approx(
        [s.logprob for s in padded.score(scored)], abs=1e-3
    )


@pytest.mark.parametrize("group", [False, True])
def test_padding_of_ranks_stays_zero(
    engines: tuple[Engine, Engine], group: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    banks: list[tuple[Bank, Tensor, Tensor]] = []
    real = training.Trainer.run

    def run(self: training.Trainer, on_step: Any) -> Any:
        banks.append((self.bank, self.first_moment_AP, self.second_moment_AP))
        return real(self, on_step)

    monkeypatch.setattr(training.Trainer, "run", run)
    trained(engines[group])
    ((stacked, *moments),) = banks
    ranks = [3, 3, 4]
    assert stacked.rank == (8 if group else 4)
    padding = {0: 0, 1: 0, 2: 0}
    for flat in (stacked.master_AP, *moments):
        views = stacked._stack(flat)
        for name in stacked.specs:
            for slot in range(3):
                held = int(views.a(name)[slot].any(1).sum())
                padding[slot] = max(padding[slot], held)
                assert not views.a(name)[slot, held:].any()
                assert not views.b(name)[slot, :, held:].any()
    assert sorted(padding.values()) == ranks
