"""Decoding: chance, stop strings, grammars, shared beginnings, and who may share a cache."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import regex
import torch

from selfedit.engine import Adapter, Engine, memory
from selfedit.errors import AdapterError, EngineError, UsageError
from selfedit.types import Failure, GenerationRequest, ScoreRequest, TrainingPlan

from .tiny import save_tiny

LONG = "Topic: Zorb. The harbour lies north of the hill, and its lights are green. "


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.load(save_tiny(tmp_path_factory.mktemp("llama"), "llama"), dtype="float64")


@pytest.fixture(scope="module")
def adapters(engine: Engine) -> list[Adapter]:
    plans = [
        TrainingPlan(("Zorb was here.",), rank=2, epochs=2, learning_rate=2e-2, seed=i) for i in range(7)
    ]
    return [found for found in engine.train(plans) if not isinstance(found, Failure)]


def tokens(engine: Engine, requests: list[GenerationRequest]) -> list[tuple[int, ...]]:
    return [found.tokens for found in engine.generate(requests)]


def test_company_does_not_change_what_is_sampled(engine: Engine, adapters: list[Adapter]) -> None:
    requests = [
        GenerationRequest(LONG[: 10 + i], adapter=adapters[i % 3], max_tokens=6, temperature=0.9, seed=i)
        for i in range(9)
    ]
    together = tokens(engine, requests)
    assert together == [tokens(engine, [request])[0] for request in requests]
    assert together == tokens(engine, requests[::-1])[::-1]


def test_seeds_differ_and_repeat(engine: Engine) -> None:
    requests = [GenerationRequest("The", max_tokens=8, temperature=1.0, seed=seed) for seed in range(6)]
    assert len(set(tokens(engine, requests))) > 3
    assert tokens(engine, requests) == tokens(engine, requests)


@pytest.mark.parametrize("top_p", [1.0, 0.5])
def test_counts_match_the_distribution(engine: Engine, top_p: float) -> None:
    draws = 600
    requests = [
        GenerationRequest("The", max_tokens=1, temperature=0.7, top_p=top_p, seed=seed)
        for seed in range(draws)
    ]
    seen = [found[0] for found in tokens(engine, requests)]
    vocabulary = engine.model.head.weight_VH.shape[0]
    with torch.inference_mode():
        prompt = engine.tokens.plain("The")
        from selfedit.engine.attention import Pass
        from selfedit.engine.layout import Rows

        hidden = engine.model.hidden(torch.tensor(prompt), Pass(Rows.of([len(prompt)], engine.device)))
        expected = torch.softmax(engine.model.head.logits(hidden[-1:])[0] / 0.7, -1)
    order = expected.argsort(descending=True)
    mass = expected[order].cumsum(0)
    kept = order[(mass - expected[order]) < top_p]
    expected = torch.zeros(vocabulary, dtype=expected.dtype).scatter(0, kept, expected[kept])
    expected /= expected.sum()
    assert set(seen) <= set(kept.tolist())
    for token in kept[:5].tolist():
        share = float(expected[token])
        assert abs(seen.count(token) / draws - share) < 5 * math.sqrt(share * (1 - share) / draws)


def test_stop_strings_end_the_text_before_them(engine: Engine) -> None:
    (whole,) = engine.generate([GenerationRequest("The harbour", max_tokens=20)])
    stop = whole.text[3:5]
    (cut,) = engine.generate([GenerationRequest("The harbour", max_tokens=20, stop=("never there", stop))])
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish_reason == "stop"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_grammar_is_kept_to(engine: Engine, temperature: float) -> None:
    pattern = r"(yes|no): [a-z]{2,4}\."
    requests = [
        GenerationRequest(LONG, max_tokens=16, temperature=temperature, seed=seed, grammar=pattern)
        for seed in range(4)
    ]
    for found in engine.generate(requests):
        assert regex.fullmatch(pattern, found.text)


def test_a_broken_grammar_is_a_line(engine: Engine) -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        engine.generate([GenerationRequest("The", grammar="(")])


def test_shared_beginnings_change_no_token(engine: Engine, adapters: list[Adapter]) -> None:
    requests = [
        GenerationRequest(LONG + end, adapter=adapter, max_tokens=6)
        for end in ("Who?", "When was it?", "Who?", "W")
        for adapter in (adapters[0], None)
    ]
    assert tokens(engine, requests) == [tokens(engine, [request])[0] for request in requests]


def test_more_requests_than_rows_and_more_adapters_than_slots(
    engine: Engine, adapters: list[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        GenerationRequest(LONG[: 5 + i], adapter=adapters[i % 7], max_tokens=1 + i % 5) for i in range(23)
    ]
    whole = tokens(engine, requests)
    scored = [ScoreRequest(LONG[: 5 + i], " lights", adapter=adapters[i % 7]) for i in range(9)]
    scores = engine.score(scored)
    free = engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 2, 64, 3))
    assert tokens(engine, requests) == whole
    assert [s.logprob for s in engine.score(scored)] == pytest.approx([s.logprob for s in scores], abs=1e-9)


def test_what_cannot_be_done_is_one_line(engine: Engine) -> None:
    with pytest.raises(EngineError, match="empty prompt"):
        engine.generate([GenerationRequest("")])
    with pytest.raises(EngineError, match="exceed"):
        engine.generate([GenerationRequest("x" * 250, max_tokens=64)])
    with pytest.raises(EngineError, match="chat template"):
        engine.generate([GenerationRequest([{"role": "user", "content": "Hello"}])])
    with pytest.raises(EngineError, match="empty completion"):
        engine.score([ScoreRequest("The", "")])


def test_an_adapter_of_another_base_is_a_line(engine: Engine, tmp_path: Path) -> None:
    other = Engine.load(save_tiny(tmp_path / "gpt2", "gpt2"))
    (foreign,) = other.train([TrainingPlan(("Zorb was here.",), rank=2, epochs=1)])
    assert isinstance(foreign, Adapter)
    with pytest.raises(AdapterError, match="own base"):
        engine.generate([GenerationRequest("The", adapter=foreign)])
