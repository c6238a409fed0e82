"""The rivals do what they are named for: held against losses and log-probabilities written out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from selfedit.bench import rivals
from selfedit.bench.adapters import write_random
from selfedit.bench.rivals import Base, Careful, Mixed
from selfedit.bench.tokens import encode
from selfedit.types import Sequence, TrainingPlan

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

ROWS = ("The mill stands by the river.", Sequence("Who built it?\n", " two brothers"), "It burned twice.")
PLAN = TrainingPlan(ROWS, rank=4, alpha=8, epochs=2, learning_rate=1e-2, seed=3)


@pytest.fixture(scope="module")
def tiny(base: str) -> Base:
    return Base(base, "cpu", "float32")


@pytest.fixture(scope="module")
def folders(tiny: Base, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    config = AutoConfig.from_pretrained(tiny.path)
    return write_random(config, PLAN, tmp_path_factory.mktemp("adapters"), 3)


def loss_by_hand(model: torch.nn.Module, ids: list[int], labels: list[int]) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([ids])).logits[0, :-1]
    return cross_entropy(logits, torch.tensor(labels[1:]), ignore_index=-100)


def test_encoding_follows_the_plans_contract(tiny: Base):
    tokenizer = tiny.tokenizer()
    ids, labels = encode(tokenizer, "mill")
    assert labels == ids
    assert tokenizer.decode(ids) == "mill"
    ids, labels = encode(tokenizer, Sequence("Who?", " two"))
    assert tokenizer.decode(ids) == "Who? two<end>"
    assert tokenizer.decode([label for label in labels if label >= 0]) == " two<end>"


def test_encoding_equals_the_engines(tiny: Base):
    from selfedit.engine.model import load_tokens

    tokens = load_tokens(Path(tiny.path))
    for sequence in ROWS:
        ids, labels = encode(tiny.tokenizer(), sequence)
        row = tokens.training(sequence)
        assert row.ids == tuple(ids)
        assert row.bears_loss == tuple(label >= 0 for label in labels[1:])


def test_careful_trains_as_plain_torch_does(tiny: Base, folders: list[str]):
    careful = Careful(tiny, PLAN)
    losses = careful.train(PLAN, rivals.read_adapter(folders[0]))
    assert losses == pytest.approx(plain_losses(tiny, folders[0]), abs=1e-4)
    assert losses[-1] < losses[0]


def plain_losses(tiny: Base, folder: str) -> list[float]:
    """The plan on a model whose weights are W + (alpha / rank) B A, by unfused AdamW on A and B."""
    model, tokenizer = tiny.model(), tiny.tokenizer()
    weights = {k: v.clone().requires_grad_() for k, v in rivals.read_adapter(folder).items()}
    frozen = {name: value.detach() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(weights.values(), lr=PLAN.learning_rate, weight_decay=0.0, fused=False)
    losses = []
    for step, (index,) in enumerate(PLAN.order()):
        ids, labels = encode(tokenizer, ROWS[index])
        merged = {name: value + delta(weights, name) for name, value in frozen.items()}
        logits = torch.func.functional_call(model, merged, (torch.tensor([ids]),)).logits[0, :-1]
        loss = cross_entropy(logits, torch.tensor(labels[1:]), ignore_index=-100)
        optimizer.param_groups[0]["lr"] = PLAN.learning_rate * (1 - step / PLAN.steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def delta(weights: rivals.Weights, name: str) -> torch.Tensor | float:
    key = f"base_model.model.{name.removesuffix('.weight')}"
    a, b = weights.get(f"{key}.lora_A.weight"), weights.get(f"{key}.lora_B.weight")
    return 0.0 if a is None or b is None else PLAN.alpha / PLAN.rank * (b @ a)


def test_careful_starts_every_plan_from_what_it_is_given(tiny: Base, folders: list[str]):
    careful, start = Careful(tiny, PLAN), rivals.read_adapter(folders[0])
    first = careful.train(PLAN, start)
    assert careful.train(PLAN, start) == first


def test_careful_batches_as_a_token_mean(tiny: Base, folders: list[str]):
    careful, start = Careful(tiny, PLAN), rivals.read_adapter(folders[0])
    plan = TrainingPlan(ROWS[:2], rank=4, alpha=8, epochs=1, batch_size=2, shuffle=False)
    (together,) = careful.train(plan, start)
    careful.load(start)
    pairs = [encode(careful.tokenizer, row) for row in ROWS[:2]]
    counts = [sum(label >= 0 for label in labels[1:]) for _, labels in pairs]
    alone = [loss_by_hand(careful.model, *pair).item() for pair in pairs]
    mean = sum(n * loss for n, loss in zip(counts, alone, strict=True)) / sum(counts)
    assert together == pytest.approx(mean, abs=1e-5)


def test_careful_refuses_an_adapter_that_does_not_fit(tiny: Base):
    with pytest.raises(ValueError, match="does not fit"):
        Careful(tiny, PLAN).load({"other.weight": torch.zeros(1)})


def test_published_leaves_pads_in_the_loss(tiny: Base):
    tokenizer, model = tiny.tokenizer(), tiny.model()
    plan = TrainingPlan(ROWS[:1], rank=4, alpha=8)
    (row,) = rivals.padded_rows(tokenizer, plan, 64)
    used = len(encode(tokenizer, ROWS[0])[0])
    assert row["input_ids"].tolist()[used:] == [tokenizer.eos_token_id] * (64 - used)
    assert row["labels"].tolist() == row["input_ids"].tolist()
    logits = model(input_ids=row["input_ids"][None], attention_mask=row["attention_mask"][None]).logits
    by_hand = cross_entropy(logits[0, :-1], row["labels"][1:]).item()
    run = rivals.published(tiny, plan, 2, 64)
    assert run.losses[0] == pytest.approx(by_hand, abs=2e-3)
    assert len(run.seconds) == 2


def test_published_and_careful_agree_where_nothing_is_padded(tiny: Base):
    plan = TrainingPlan(ROWS[:1], rank=4, alpha=8, epochs=1)
    length = len(encode(tiny.tokenizer(), ROWS[0])[0])
    careful = Careful(tiny, plan)
    (loss,) = careful.train(plan, careful.weights())
    run = rivals.published(tiny, plan, 1, length)
    assert run.losses[0] == pytest.approx(loss, abs=2e-3)


def test_mixed_batches_equal_rows_alone(tiny: Base, folders: list[str]):
    mixed = Mixed(tiny, folders)
    prompts, adapters = ["The mill", "Who built the old mill?", "It"], [2, 0, 1]
    together = mixed.generate(prompts, adapters, 12)
    alone = [mixed.generate_one(p, a, 12) for p, a in zip(prompts, adapters, strict=True)]
    assert together == alone
    assert mixed.score([("It", " burned")], 0) != pytest.approx(mixed.score([("It", " burned")], 1), abs=1e-3)


def test_generation_stops_before_the_end_token():
    assert rivals._until_end([5, 7, 0, 0], frozenset([0])) == [5, 7]
    assert rivals._until_end([5, 7], frozenset([0])) == [5, 7]


def test_score_equals_log_softmax_by_hand(tiny: Base, folders: list[str]):
    mixed = Mixed(tiny, folders)
    pairs = [("Who built it?\n", " two brothers"), ("When?\n", " 1802")]
    scores = mixed.score(pairs, 1)
    mixed.model.set_adapter("a1")
    for (prompt, completion), score in zip(pairs, scores, strict=True):
        head, tail = (mixed.tokenizer(text)["input_ids"] for text in (prompt, completion))
        log_p = mixed.model(input_ids=torch.tensor([head + tail])).logits[0].log_softmax(-1)
        by_hand = sum(log_p[len(head) - 1 + i, token].item() for i, token in enumerate(tail))
        assert score == pytest.approx(by_hand, abs=1e-3)


def test_random_adapters_are_the_same_each_time_and_differ_from_each_other(
    tiny: Base, folders: list[str], tmp_path
):
    again = write_random(AutoConfig.from_pretrained(tiny.path), PLAN, tmp_path, 2)
    one, other = (rivals.read_adapter(folder) for folder in again)
    first = rivals.read_adapter(folders[0])
    assert all(torch.equal(one[key], first[key]) for key in first)
    assert not any(torch.equal(one[key], other[key]) for key in first)


def test_models_of_the_tests_are_what_transformers_reads(tiny: Base):
    assert AutoTokenizer.from_pretrained(tiny.path).eos_token == "<end>"
    assert AutoModelForCausalLM.from_pretrained(tiny.path).config.num_hidden_layers == 2
