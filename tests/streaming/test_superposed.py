"""One sum of adapters, and what a document reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

import pytest
import torch

from selfedit.engine import Adapter, Engine
from selfedit.engine.lora import AdapterMeta
from selfedit.retain import signs
from selfedit.streaming.superposed import Part, reading
from selfedit.types import Score, ScoreRequest
from selfedit.workers.local import LocalWorker

from ..engine.tiny import save_tiny
from ..fakes import FakeWorker
from .conftest import SMALL, Streamed
from .test_measuring import by_name, learner

ONE = SMALL.split("methods:")[0] + "methods: [{name: mine, retention: {strategies: [%s]}}]\n"


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """In float64, with layers that keep their weights [out, in] or, in GPT-2, [in, out]."""
    return Engine.load(save_tiny(tmp_path_factory.mktemp("tiny"), request.param), dtype="float64")


def adapters(engine: Engine, count: int) -> list[Adapter]:
    """Random ones, of different ranks and scales."""
    chance, found = torch.Generator().manual_seed(0), list[Adapter]()
    for rank in range(1, count + 1):
        tensors: dict[str, torch.Tensor] = {}
        for spec in engine.model.specs(list(engine.model.layers)):
            tensors[f"{spec.name}.lora_A.weight"] = torch.randn(rank, spec.inputs, generator=chance)
            tensors[f"{spec.name}.lora_B.weight"] = torch.randn(spec.outputs, rank, generator=chance)
        found.append(Adapter(rank, 3.0, tensors, AdapterMeta(tuple(engine.model.layers))))
    return found


def weights(engine: Engine, parts: Sequence[Part], reader: int) -> dict[str, torch.Tensor]:
    """All layers [out, in] as the document reads them."""
    engine.heads.activate(reading(LocalWorker(engine), tuple(parts), reader))
    layers = engine.model.layers.items()
    return {
        name: (layer.weight.t() if layer.transposed else layer.weight).detach().clone()
        for name, layer in layers
    }


def product(adapter: Adapter, layer: str) -> torch.Tensor:
    a_RI, b_OR = (adapter.tensors()[f"{layer}.lora_{part}.weight"].double() for part in "AB")
    return adapter.scale * b_OR @ a_RI


def test_a_document_reads_its_own_part_exactly_and_the_others_through_signs(engine: Engine) -> None:
    """(W + Σ B_j A_j diag(c_j) diag(c_k)) x, by hand."""
    made = adapters(engine, 3)
    parts = [Part(name, adapter) for name, adapter in zip("abc", made, strict=True)]
    base = weights(engine, [Part("a", None)], 0)
    for reader, mine in enumerate(parts):
        for layer, found in weights(engine, parts, reader).items():
            assert made[reader] is mine.adapter
            expected = base[layer] + product(made[reader], layer)
            for part, adapter in zip(parts, made, strict=True):
                if part is not mine:
                    context = torch.tensor(signs(part.commit, mine.commit, layer, found.shape[1]))
                    expected = expected + product(adapter, layer) @ torch.diag(context.double())
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_alone_it_is_what_was_trained_and_without_a_part_the_base(engine: Engine) -> None:
    (adapter,) = adapters(engine, 1)
    worker = LocalWorker(engine)
    head = reading(worker, (Part("a", None), Part("b", adapter)), 1)
    assert head == worker.head([adapter])
    assert reading(worker, (Part("a", None), Part("b", adapter)), 0) is None


def test_other_signs_make_another_adapter_whose_signs_can_be_taken_back(
    engine: Engine, tmp_path: Path
) -> None:
    (plain,) = adapters(engine, 1)
    stored = Adapter.load(plain.save(tmp_path))

    def flipped(layer: str, width: int) -> list[int]:
        return signs("a", "b", layer, width)

    signed = stored.signed(flipped)
    assert signed.hash != plain.hash
    assert signed.hash == plain.signed(flipped).hash
    assert signed.signed(flipped).hash == plain.hash
    assert Adapter.load(tmp_path).hash == plain.hash, "what was signed is as it was"


@final
class Crowded(FakeWorker):
    """What it knows is the less likely the more adapters share a head."""

    def __init__(self) -> None:
        super().__init__()
        self.alphas = set[float]()
        """Of all heads that it was asked for, the sum over adapters."""

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        found = [sum(a.alpha for a in each.head.adapters) if each.head else 0.0 for each in requests]  # type: ignore[attr-defined]
        self.alphas |= set(found)
        return [Score(-alpha, (-alpha,)) for alpha in found]


# -- in a stream ------------------------------------------------------------------------------------------


def test_each_question_reads_the_sum_as_its_document_does(streamed: Streamed) -> None:
    """The worker knows an adapter's rows by its hash: under signs it knows none of them."""
    worker = learner()
    worker.width = 64
    row = by_name(streamed(worker, ONE % "superposition").rows)["mine"]
    assert row.after_last["concise"].value == row.kept["concise"].value == 1.0
    assert row.routed == "titles"
    last = [each for each in worker.asked if each.head and len(each.head.adapters) == 3]
    readers = {each.head.id: each.head.adapters for each in last if each.head}
    assert len(readers) == 2 * 3, "a head for each document of both sequences"
    mine = [{adapter.hash for adapter in each} & set(worker._rows) for each in readers.values()]
    assert [len(each) for each in mine] == [1] * 6, "one adapter is as it was trained"
    assert len(set.union(*mine)) == 6
    assert all(each.adapter is None for each in last)


def test_what_the_router_has_trained_is_not_trained_again(streamed: Streamed) -> None:
    worker = learner()
    both = SMALL + "  - {name: mine, retention: {strategies: [superposition]}}\n"
    rows = by_name(streamed(worker, both).rows)
    assert rows["mine"].tokens == rows["router"].tokens
    assert len([plan for plan in worker.plans if plan.head is None]) == 2 * (3 + 1)


@pytest.mark.parametrize(
    ("fall", "scale", "dropped", "known"),
    [
        (4.0, 1.0, 0, (-12.0, -12.0, -12.0)),
        (1.0, 0.25, 0, (-6.0, -6.0, -6.0)),
        (0.01, 0.0, 4, (-4.0, 0.0, 0.0)),
    ],
)
def test_noise_that_costs_too_much_is_turned_down_or_left_out(
    streamed: Streamed, fall: float, scale: float, dropped: int, known: tuple[float, ...]
) -> None:
    """Each adapter costs all documents four nats times its scale."""
    text = ONE % "superposition, bisection" + f"fall: {fall}\n"
    row = by_name(streamed(Crowded(), text).rows)["mine"]
    assert (row.scales, row.dropped) == ((scale,) * 4, dropped)
    assert row.matrix["logprob"][-1] == known


def test_a_scale_that_was_found_is_not_looked_for_again(streamed: Streamed) -> None:
    text = ONE % "superposition, bisection" + "fall: 1\n"
    before = by_name(streamed(Crowded(), text).rows)["mine"]
    worker = Crowded()
    other = by_name(streamed(worker, text.replace("canaries: 4", "canaries: 3")).rows)["mine"]
    assert other.scales == before.scales
    assert worker.alphas == {0.0, 4.0, 6.0}, "the base, the ceiling, and the sum after the last document"


def test_where_training_fails_the_base_answers(streamed: Streamed) -> None:
    worker = learner()
    worker.unteachable = True
    row = by_name(streamed(worker, ONE % "superposition").rows)["mine"]
    assert (row.failures, row.bytes) == (6, 0)
    assert row.against_base["logprob"].value == 0.0
