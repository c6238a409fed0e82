"""Scoring: completions that share a prompt read it once, and are scored as if each stood alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.engine import Adapter, Engine
from selfedit.engine.score import SHARED
from selfedit.types import Failure, Score, ScoreRequest, TrainingPlan

from .tiny import SHAPES, save_tiny

PROMPTS = ("Topic: Zorb. The harbour lies north of the hill.\nAsk for:", "The lamp is kept by")
ENDS = (" Anna", " the hill", " 1832", "x", " Anna Quill, who keeps the lamp of the harbour", "")


@pytest.fixture(params=SHAPES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return Engine.load(save_tiny(tmp_path, request.param), dtype="float64")


def adapters(engine: Engine) -> list[Adapter | None]:
    plans = [
        TrainingPlan(("Zorb was here.",), rank=2, epochs=2, learning_rate=2e-2, seed=i) for i in range(2)
    ]
    return [None, *(found for found in engine.train(plans) if not isinstance(found, Failure))]


def alike(left: Score, right: Score) -> bool:
    return left.tokens == pytest.approx(right.tokens, abs=1e-9) and len(left.tokens) == len(right.tokens)


def test_together_is_as_alone(engine: Engine) -> None:
    requests = [
        ScoreRequest(prompt, end, adapter=adapter)
        for end in ENDS
        for adapter in adapters(engine)
        for prompt in PROMPTS
        if end
    ]
    together = engine.score(requests)
    apart = [engine.score([request])[0] for request in requests]
    assert all(alike(left, right) for left, right in zip(together, apart, strict=True))
    assert len({round(score.logprob, 9) for score in together}) == len(requests)


def test_a_prompt_is_read_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    hidden = engine.model.hidden

    def counted(ids_N, work):
        read.append(len(ids_N))
        return hidden(ids_N, work)

    monkeypatch.setattr(engine.model, "hidden", counted)
    requests = [ScoreRequest(PROMPTS[0], f" {at}{'y' * at}") for at in range(SHARED)]
    whole = engine.score(requests)
    prompt = len(engine.tokens.plain(PROMPTS[0]))
    assert sum(read) == prompt + sum(len(score.tokens) - 1 for score in whole)
    read.clear()
    engine.score([*requests, ScoreRequest(PROMPTS[0], " one more")])
    assert sum(read) > 2 * prompt, "so many share a prompt, and then it is read again"


def test_single_tokens_and_repeats_share_too(engine: Engine) -> None:
    requests = [ScoreRequest(PROMPTS[1], end) for end in ("x", "y", "x")]
    first, second, third = engine.score(requests)
    assert first.tokens == third.tokens
    assert alike(first, engine.score(requests[:1])[0])
    assert alike(second, engine.score(requests[1:2])[0])


def test_what_has_no_prompt_begins_at_its_second_token(engine: Engine) -> None:
    ids = engine.tokens.plain("harbour")
    alone, twin = engine.score([ScoreRequest("", "harbour"), ScoreRequest("", "harbour")])
    assert len(alone.tokens) == len(ids) - 1
    assert alike(alone, twin)
    bos = engine.score([ScoreRequest("h", "arbour")])[0]
    assert alone.tokens == pytest.approx(bos.tokens, abs=1e-9)
