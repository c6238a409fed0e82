"""A whole history on a real engine and a tiny random model: back, forward, taken out, retrained."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig

from selfedit.config import learning
from selfedit.engine import prefixes
from selfedit.memory import Memory
from selfedit.store import Store
from selfedit.types import GenerationRequest

from .engine import tiny
from .test_lifelong import NOTE, OTHER
from .test_undoing import THIRD, head

SETTINGS = learning(
    samples=1,
    probes=2,
    spans=2,
    answer_tokens=2,
    final={"rank": 2, "alpha": 4, "epochs": 2, "batch_size": 2},
    retention={"strategies": ("naive",)},
)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, three documents and a store that learned one after the other."""
    folder = tmp_path_factory.mktemp("history")
    with pytest.MonkeyPatch.context() as patch:
        wide = {**tiny.WIDE, "max_position_embeddings": 4096}
        patch.setitem(tiny.SHAPES, "long", lambda: LlamaConfig(**wide, tie_word_embeddings=True))
        tiny.save_tiny(folder / "model", "long")
    memory = Memory.open(folder / "memory", str(folder / "model"))
    for name, text in (("a.md", NOTE), ("b.md", OTHER), ("c.md", THIRD)):
        (folder / name).write_text(text, encoding="utf-8")
        assert memory.learn(folder / name, settings=SETTINGS, gate=False).commits
    return folder


@pytest.fixture
def memory(tmp_path: Path, learned: Path) -> Memory:
    """A store of one's own with that history."""
    shutil.copytree(learned / "memory", tmp_path / "memory")
    return Memory.open(tmp_path / "memory")


def weights(memory: Memory) -> dict[str, torch.Tensor]:
    """The merged weights of the head."""
    with Store.open(memory.path) as store:
        live = [each.adapter for each in memory._members(store, store.head())]
    engine = memory.worker.engine
    engine.heads.activate(engine.head(live))
    return {name: layer.weight.detach().clone() for name, layer in engine.model.layers.items()}


def state(memory: Memory) -> tuple[str, str, tuple[int, ...]]:
    """The head's id, a hash of the merged weights, and what they say greedily."""
    digest = hashlib.sha256()
    for name, weight in sorted(weights(memory).items()):
        digest.update(name.encode() + weight.contiguous().numpy().tobytes())
    with Store.open(memory.path) as store:
        merged = memory.worker.head([each.adapter for each in memory._members(store, store.head())])
    asked = GenerationRequest("Who keeps the lamp?\nAnswer:", head=merged, max_tokens=16)
    return merged.id, digest.hexdigest(), memory.worker.generate([asked])[0].tokens


def test_back_and_forward_again_is_the_same_to_the_last_bit(memory: Memory) -> None:
    three = head(memory)
    last = state(memory)
    seen = {}
    for commit in ("base", *three):
        memory.rollback(commit)
        seen[commit] = state(memory)
    assert len({each[0] for each in seen.values()}) == len({each[1] for each in seen.values()}) == 4
    assert seen[three[2]] == last
    for commit in (three[1], "base", three[0], three[2]):
        memory.rollback(commit)
        assert state(memory) == seen[commit]
    assert state(anew(memory)) == last
    memory.revert(three[1])
    assert state(memory) not in seen.values()
    memory.rollback(three[2])
    assert state(memory) == last


def anew(memory: Memory) -> Memory:
    """With the model loaded again, as another process would."""
    return Memory.open(memory.path)


def test_kept_heads_change_no_bit_and_go_with_gc(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    three, last = head(memory), state(memory)
    cache = memory.path / "heads"
    assert not cache.exists()  # folds so short are not worth it
    monkeypatch.setattr(prefixes, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(prefixes, "DISK_RATE", float("inf"))
    assert state(anew(memory)) == last
    kept = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert len(kept) == 3
    assert state(anew(memory)) == last
    assert {file.name for file in cache.iterdir()} == kept.keys()
    assert {file.name: file.stat().st_mtime_ns for file in cache.iterdir()} != kept  # its use was noted
    memory.gc()
    assert not cache.exists()
    assert state(anew(memory)) == last
    memory.revert(three[2])
    assert memory.gc(erase=[three[2]]).weights == 1
    state(anew(memory))
    assert {file.name for file in cache.iterdir()} < kept.keys()


def test_a_history_without_a_commit_is_as_if_it_had_never_been(
    tmp_path: Path, learned: Path, memory: Memory
) -> None:
    three = head(memory)
    assert memory.revert(three[0]).stale == tuple(three[1:])
    done = anew(memory).retrain()
    assert (done.failures, done.stale) == ((), ())
    assert [old for old, _ in done.retrained] == three[1:]
    assert head(memory) == [new for _, new in done.retrained]
    (proof,) = done.proofs
    assert (proof.back, proof.asked > 0, proof.others_asked > 0) == (True, True, True)
    assert memory.verify().ok
    bare = Memory.open(tmp_path / "other", str(learned / "model"))
    for name in ("b.md", "c.md"):
        bare.learn(learned / name, settings=SETTINGS, gate=False)
    torch.testing.assert_close(weights(memory), weights(bare), rtol=1e-5, atol=1e-6)
    memory.rollback(three[2])
    with pytest.raises(AssertionError):
        torch.testing.assert_close(weights(memory), weights(bare), rtol=1e-5, atol=1e-6)
