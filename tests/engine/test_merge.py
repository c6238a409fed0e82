"""Heads: one left fold, bit for bit, whatever it was read from, continued from or how it was cut up."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from selfedit.engine import Adapter, Engine, merge, prefixes, states, streaming
from selfedit.engine.lora import AdapterMeta
from selfedit.errors import AdapterError, EngineError
from selfedit.types import GenerationRequest, Head

from .tiny import save_tiny

COUNT = 7


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture(scope="module")
def engine(base: Path) -> Engine:
    return Engine.load(base, dtype="float32")


@pytest.fixture(scope="module")
def adapters(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[Adapter]:
    folder = tmp_path_factory.mktemp("adapters")
    return [Adapter.load(adapter.save(folder / str(i))) for i, adapter in enumerate(some(engine, COUNT))]


@pytest.fixture
def keen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every state is worth keeping."""
    monkeypatch.setattr(prefixes, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(prefixes, "DISK_RATE", float("inf"))


def some(engine: Engine, count: int, first: int = 0) -> list[Adapter]:
    """Random adapters of different ranks, the odd ones on some layers only."""
    return [_random(engine, seed) for seed in range(first, first + count)]


def _random(engine: Engine, seed: int) -> Adapter:
    chance = torch.Generator().manual_seed(seed)
    names = list(engine.model.layers)[seed % 2 * 3 :]
    rank = 1 + seed % 4
    tensors: dict[str, torch.Tensor] = {}
    for spec in engine.model.specs(names):
        tensors[f"{spec.name}.lora_A.weight"] = torch.randn(rank, spec.inputs, generator=chance)
        tensors[f"{spec.name}.lora_B.weight"] = torch.randn(spec.outputs, rank, generator=chance) * 0.05
    return Adapter(rank, 2.0 * rank + seed, tensors, AdapterMeta(tuple(names)))


def again(engine: Engine, folder: Path | None = None, **limit: int) -> Engine:
    """A new engine on the same base, as a new process would have it."""
    found = Engine.load(engine.path, dtype=engine.dtype)
    if folder is not None:
        found.keep_heads(folder, **limit)
    return found


def weights(engine: Engine, adapters: Sequence[Adapter]) -> str:
    """A hash of all weights of the head."""
    engine.heads.activate(engine.head(adapters))
    digest = hashlib.sha256()
    for layer in engine.model.layers.values():
        digest.update(layer.weight.detach().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def said(engine: Engine, adapters: Sequence[Adapter]) -> tuple[int, ...]:
    head = engine.head(adapters)
    (found,) = engine.generate([GenerationRequest("The town of", head=head, max_tokens=12)])
    return found.tokens


def held(folder: Path) -> dict[int, Path]:
    """The states in a folder, by how many adapters they hold."""
    files = [file for file in folder.glob("*") if not file.name.startswith(".")]
    return {len(states.adapters_of(file)): file for file in files}


# -- one fold ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "dtype"), [("llama", "float32"), ("gpt2", "float32"), ("llama", "bfloat16")]
)
def test_a_head_is_the_left_fold_in_float32_cast_once(tmp_path: Path, shape: str, dtype: str) -> None:
    engine = Engine.load(save_tiny(tmp_path, shape), dtype=dtype)
    adapters = some(engine, COUNT)
    before = {name: layer.weight.detach().clone() for name, layer in engine.model.layers.items()}
    engine.heads.activate(engine.head(adapters))
    torch.set_num_threads(1)
    for name, weight in before.items():
        total = weight.float().clone()
        for adapter in adapters:
            if name in adapter.modules:
                a_RI, b_OR = (adapter.tensors()[f"{name}.lora_{part}.weight"] for part in "AB")
                matrix_OI = total.t() if shape == "gpt2" else total
                matrix_OI.addmm_(b_OR, a_RI, alpha=adapter.scale)
        assert torch.equal(engine.model.layers[name].weight, total.to(weight.dtype))
        assert not torch.equal(total.to(weight.dtype), weight)
    engine.heads.activate(None)
    assert all(torch.equal(engine.model.layers[name].weight, weight) for name, weight in before.items())


@pytest.mark.parametrize("buffer", [1, 3000, 20_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_parts_and_threads_change_no_bit(
    engine: Engine, adapters: list[Adapter], monkeypatch: pytest.MonkeyPatch, buffer: int, threads: int
) -> None:
    expected = weights(again(engine), adapters)
    monkeypatch.setattr(merge, "BUFFER", buffer)
    torch.set_num_threads(threads)
    assert weights(again(engine), adapters) == expected
    in_memory = [Adapter(a.rank, a.alpha, a.tensors(), a.meta) for a in adapters]
    assert weights(again(engine), [*in_memory[:3], *adapters[3:5], *in_memory[5:]]) == expected
    assert weights(again(engine), adapters[::-1]) != expected


def test_files_are_read_in_parts_of_bounded_size(adapters: list[Adapter]) -> None:
    found = list(streaming.parts(adapters, buffer=20_000))
    assert len(found) > 3
    read = {
        (module, part.first + i) for part in found for i, pairs in enumerate(part.pairs) for module in pairs
    }
    assert read == {(module, i) for i, adapter in enumerate(adapters) for module in adapter.modules}
    for part in found:
        size = sum(4 * (a.numel() + b.numel()) for pairs in part.pairs for a, b in pairs.values())
        assert size <= 20_000 or len(part.modules) == 1


def test_going_back_and_forth_gives_the_same_weights_and_tokens(
    engine: Engine, adapters: list[Adapter]
) -> None:
    whole, middle = weights(engine, adapters), weights(engine, adapters[:4])
    tokens = said(engine, adapters)
    assert len({whole, middle, weights(engine, [])}) == 3
    assert weights(engine, adapters) == whole
    assert said(engine, adapters) == tokens
    assert weights(engine, adapters[:4]) == middle


# -- states on disk ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("keen")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_state_continues_to_the_very_same_bits(base: Path, tmp_path: Path, dtype: str) -> None:
    engine = Engine.load(base, dtype=dtype)
    made = [a.save(tmp_path / str(i)) for i, a in enumerate(some(engine, COUNT))]
    adapters = [Adapter.load(folder) for folder in made]
    lists = [adapters, adapters[:5], adapters[:4], [*adapters[:4], *adapters[5:]], adapters[::-1]]
    expected = [(weights(again(engine), each), said(again(engine), each)) for each in lists]
    cache = tmp_path / "heads"
    weights(again(engine, cache), adapters[:4])
    assert held(cache).keys() == {1, 2, 3, 4}
    for each, (hashed, tokens) in zip(lists, expected, strict=True):
        kept = again(engine, cache)
        assert weights(kept, each) == hashed
        assert said(kept, each) == tokens
    assert not list(cache.glob(".*"))


@pytest.mark.usefixtures("keen")
def test_a_state_spares_reading_the_adapters(engine: Engine, adapters: list[Adapter], tmp_path: Path) -> None:
    expected = weights(again(engine, tmp_path), adapters)
    gone = [adapter.at(tmp_path / "nowhere") for adapter in adapters]
    assert weights(again(engine, tmp_path), gone) == expected
    with pytest.raises(AdapterError, match="cannot be read"):
        weights(again(engine, tmp_path), gone[1:])


PROGRAM = """
import sys
from pathlib import Path
from selfedit.engine import Adapter, Engine
from tests.engine.test_merge import said, weights
base, cache, *folders = sys.argv[1:]
engine = Engine.load(base, dtype="float32")
engine.keep_heads(cache)
adapters = [Adapter.load(folder) for folder in folders]
print(weights(engine, adapters), *said(engine, adapters))
"""


@pytest.mark.usefixtures("keen")
def test_another_process_makes_the_same_head(engine: Engine, adapters: list[Adapter], tmp_path: Path) -> None:
    weights(again(engine, tmp_path), adapters[:5])
    folders = [str(adapter.file.parent) for adapter in adapters if adapter.file]
    root = Path(__file__).parents[2]
    for cache in (tmp_path, tmp_path / "none"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(engine.path), str(cache), *folders],
            cwd=root, capture_output=True, text=True, check=True,
        )  # fmt: skip
        hashed, *tokens = done.stdout.split()
        assert hashed == weights(engine, adapters)
        assert tuple(map(int, tokens)) == said(engine, adapters)


def _flip(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.seek(-5, 2)
        byte = stream.read(1)[0]
        stream.seek(-5, 2)
        stream.write(bytes([byte ^ 1]))


SPOILED = {
    "a byte is wrong": _flip,
    "it ends early": lambda file: file.write_bytes(file.read_bytes()[:-64]),
    "it is empty": lambda file: file.write_bytes(b""),
    "its header is wrong": lambda file: file.write_bytes(
        file.read_bytes().replace(b'"sums":"', b'"sums":"0', 1)
    ),
    "all zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "something else": lambda file: file.write_text("Zorb"),
    "another state": lambda file: file.write_bytes(next(file.parent.glob("*")).read_bytes()),
}


@pytest.mark.usefixtures("keen")
@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_state_is_made_anew(
    engine: Engine, adapters: list[Adapter], tmp_path: Path, how: str
) -> None:
    expected = weights(again(engine, tmp_path), adapters)
    whole = {count: file.read_bytes() for count, file in held(tmp_path).items()}
    spoiled = held(tmp_path)
    for file in sorted(spoiled.values(), reverse=True):
        SPOILED[how](file)
    assert weights(again(engine, tmp_path), adapters) == expected
    assert held(tmp_path)[COUNT].read_bytes() == whole[COUNT]


@pytest.mark.usefixtures("keen")
def test_a_spoiled_state_that_cannot_be_deleted_is_left_alone(
    engine: Engine, adapters: list[Adapter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights(again(engine, tmp_path), adapters)
    for file in held(tmp_path).values():
        _flip(file)
    monkeypatch.setattr(prefixes, "remove", lambda file: None)
    assert weights(again(engine, tmp_path), adapters) == expected


@pytest.mark.usefixtures("keen")
def test_another_precision_has_states_of_its_own(
    engine: Engine, adapters: list[Adapter], tmp_path: Path
) -> None:
    other = Engine.load(engine.path, dtype="bfloat16")
    expected = weights(other, adapters)
    weights(again(engine, tmp_path), adapters)
    states_of_one = set(held(tmp_path).values())
    assert weights(again(other, tmp_path), adapters) == expected
    assert len(list(tmp_path.iterdir())) == 2 * len(states_of_one)


@pytest.mark.usefixtures("keen")
def test_another_base_has_states_of_its_own(engine: Engine, adapters: list[Adapter], tmp_path: Path) -> None:
    file = save_tiny(tmp_path / "model", "llama") / "model.safetensors"
    tensors = {name: tensor * 1.5 for name, tensor in load_file(file).items()}
    save_file(tensors, file, {"format": "pt"})
    other = Engine.load(file.parent, dtype="float32")
    expected = weights(other, adapters)
    weights(again(engine, tmp_path / "heads"), adapters)
    assert weights(again(other, tmp_path / "heads"), adapters) == expected


@pytest.mark.usefixtures("keen")
def test_a_disk_that_refuses_is_not_heard_of(
    engine: Engine, adapters: list[Adapter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights(again(engine), adapters)
    (tmp_path / "file").write_text("")
    assert weights(again(engine, tmp_path / "file" / "heads"), adapters) == expected
    writes = 0
    put = states.Writer._put

    def fail(self: states.Writer, offset: int, room: memoryview) -> None:
        nonlocal writes
        writes += 1
        if writes > 20:
            raise OSError(28, "No space left on device")
        put(self, offset, room)

    monkeypatch.setattr(states.Writer, "_put", fail)
    assert weights(again(engine, tmp_path / "heads"), adapters) == expected
    assert writes > 20
    assert list((tmp_path / "heads").iterdir()) == []


@pytest.mark.usefixtures("keen")
def test_files_may_vanish_while_they_are_read(
    engine: Engine, adapters: list[Adapter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights(again(engine, tmp_path), adapters)
    opened = states.Kept.__init__

    def vanish(self: states.Kept, path: Path) -> None:
        opened(self, path)
        for file in tmp_path.iterdir():
            file.unlink()

    monkeypatch.setattr(states.Kept, "__init__", vanish)
    assert weights(again(engine, tmp_path), adapters) == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("keen")
def test_no_state_outlives_an_adapter_that_is_erased_meanwhile(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [Adapter.load(a.save(tmp_path / str(i))) for i, a in enumerate(some(engine, 4))]
    finish = states.Writer.finish

    def erased(self: states.Writer, sources: list[Path | None]) -> None:
        (tmp_path / "2" / "adapter_model.safetensors").unlink(missing_ok=True)
        finish(self, sources)

    monkeypatch.setattr(states.Writer, "finish", erased)
    weights(again(engine, tmp_path / "heads"), made)
    assert held(tmp_path / "heads").keys() == {1, 2}


@pytest.mark.usefixtures("keen")
def test_what_lies_in_memory_alone_leaves_no_state(
    engine: Engine, adapters: list[Adapter], tmp_path: Path
) -> None:
    candidate = some(engine, 1, first=50)
    weights(again(engine, tmp_path), [*adapters[:2], *candidate, *adapters[2:]])
    assert held(tmp_path).keys() == {1, 2}


@pytest.mark.usefixtures("keen")
def test_states_keep_to_their_room_and_touch_no_other_file(
    engine: Engine, adapters: list[Adapter], tmp_path: Path
) -> None:
    (tmp_path / "model.safetensors").write_text("somebody's")
    weights(again(engine, tmp_path), adapters[:1])
    size = held_bytes(tmp_path)
    expected = weights(again(engine), adapters)
    assert weights(again(engine, tmp_path, limit_bytes=int(3.5 * size)), adapters) == expected
    assert held_bytes(tmp_path) <= 3.5 * size
    assert COUNT in {len(states.adapters_of(file)) for file in tmp_path.glob("*.*.safetensors")}
    assert weights(again(engine, tmp_path, limit_bytes=0), adapters[1:]) == weights(
        again(engine), adapters[1:]
    )
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def held_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.*.safetensors"))


def test_a_short_fold_leaves_nothing(engine: Engine, adapters: list[Adapter], tmp_path: Path) -> None:
    weights(again(engine, tmp_path / "heads"), adapters)
    assert not (tmp_path / "heads").exists()


# -- what is wrong is said ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("keen")
def test_damaged_weights_are_no_part_of_a_head(
    engine: Engine, adapters: list[Adapter], tmp_path: Path
) -> None:
    file = Path(adapters[2].save(tmp_path / "adapter")) / "adapter_model.safetensors"
    config = adapters[2].peft_config()
    told = Adapter.from_file(file, config, adapters[2].hash)
    kept = again(engine, tmp_path / "heads")
    plain = weights(engine, [])
    assert weights(kept, [adapters[0], told]) == weights(engine, [adapters[0], adapters[2]])
    _flip(file)
    told = Adapter.from_file(file, config, adapters[2].hash)
    with pytest.raises(AdapterError, match="damaged"):
        weights(kept, [adapters[1], told])
    assert kept.heads.active is None
    assert weights(kept, []) == plain
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(AdapterError, match="cannot be read"):
        weights(kept, [adapters[1], told])
    assert not list((tmp_path / "heads").glob(".*"))
    assert all(adapters[1].hash[:16] not in states.adapters_of(f) for f in (tmp_path / "heads").iterdir())


def test_a_foreign_base_or_adapter_is_refused(engine: Engine, adapters: list[Adapter]) -> None:
    with pytest.raises(EngineError, match="another base"):
        engine.heads.activate(Head("other", tuple(adapters)))
    wrong = AdapterMeta(("nowhere",))
    tensors = {"nowhere.lora_A.weight": torch.zeros(1, 32), "nowhere.lora_B.weight": torch.zeros(32, 1)}
    with pytest.raises(AdapterError, match="no layer nowhere"):
        engine.heads.activate(engine.head([Adapter(1, 1, tensors, wrong)]))
    name = next(iter(engine.model.layers))
    tensors = {f"{name}.lora_A.weight": torch.zeros(1, 5), f"{name}.lora_B.weight": torch.zeros(5, 1)}
    with pytest.raises(AdapterError, match="another shape"):
        engine.heads.activate(engine.head([Adapter(1, 1, tensors, AdapterMeta((name,)))]))


# -- what to keep ------------------------------------------------------------------------------------------


def test_states_stand_at_the_end_and_evenly_before_it() -> None:
    assert prefixes.points([1.0] * 100, 0, 1.0, 4) == [100, 75, 50, 25]
    assert prefixes.points([1.0] * 100, 60, 1.0, 4) == [100, 75]
    assert prefixes.points([1.0] * 100, 95, 10.0, 4) == []
    assert prefixes.points([1.0] * 100, 0, 10.0, 8) == [100, 60, 20]
    assert prefixes.points([1.0] * 100, 50, 40.0, 8) == [100]
    assert prefixes.points([1.0] * 100, 0, 1.0, 0) == []
    assert prefixes.points([], 0, 0.0, 4) == []


def state(line: str, used: float = 0.0) -> prefixes.State:
    return prefixes.State(Path(line), tuple(line), 10, used)


def test_what_goes_first_is_another_history_then_what_is_near_its_neighbour() -> None:
    abcdef = tuple("abcdef")
    near, far, furthest = state("abc"), state("ab"), state("abcdefgh")
    other_old, other_new = state("ax", 1.0), state("abx", 2.0)
    everything = [near, far, furthest, other_new, other_old]
    chosen = prefixes.victims(everything, abcdef, [6], 50)
    assert chosen == [other_old, other_new, near, far, furthest]
    assert prefixes.victims(everything, abcdef, [6], 11) == [other_old, other_new]
    assert prefixes.victims(everything, abcdef, [6], 0) == []


def test_a_growing_history_keeps_states_that_are_spread_out() -> None:
    line = tuple(map(str, range(200)))
    kept: list[prefixes.State] = []
    for count in range(10, 201, 10):
        new = prefixes.State(Path(str(count)), line[:count], 10, float(count))
        gone = prefixes.victims(kept, line[:count], [count], 10 * (len(kept) + 1 - 5))
        kept = [each for each in kept if each not in gone] + [new]
    counts = [0, *(len(each.line) for each in kept)]
    assert counts[-1] == 200
    assert len(kept) == 5
    assert max(after - before for before, after in itertools.pairwise(counts)) <= 80


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
