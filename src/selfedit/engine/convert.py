"""A GGUF file becomes a folder of float32 safetensors in the cache, once, whole or not at all.

Knows nothing of names or networks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfedit.engine.folders import digest, files_hash, weight_files
from selfedit.engine.outside import Progress, one_line, quiet
from selfedit.errors import ModelError

RECORD = "selfedit.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model came from."""

    origin: str
    gguf_sha256: str
    licence: str


def cached(cache: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The whole folders of a cache, each with its record."""
    for folder in sorted((cache / "models").glob("*")):
        if not folder.name.startswith(".") and (record := _record(folder)):
            yield folder, record


def _record(folder: Path) -> dict[str, Any] | None:
    """The folder's selfedit.json, if the folder holds what the record says; else None."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        sizes = {name: (folder / name).stat().st_size for name in record["files"]}
        return record if sizes == record["files"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ready(cache: Path, name: str) -> Path | None:
    """The folder of a model that lies whole in the cache."""
    folder = cache / "models" / name
    return folder if _record(folder) else None


@contextlib.contextmanager
def making(cache: Path, name: str, progress: Progress) -> Iterator[Path]:
    """Hold the lock on `name` and lend a folder for the work, which is gone afterwards."""
    from filelock import FileLock, Timeout

    (cache / "models").mkdir(parents=True, exist_ok=True)
    (cache / "locks").mkdir(exist_ok=True)
    lock = FileLock(cache / "locks" / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"another process is preparing {name}; waiting for it")
        lock.acquire()
    try:
        for left in (cache / "models").glob(f".{name}.*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=cache / "models") as work:
            yield Path(work)
    finally:
        lock.release()


def convert(gguf: Path, folder: Path, origin: Origin, progress: Progress) -> Path:
    """Write `gguf` to `folder` as float32 safetensors, whole or not at all. The caller holds the lock."""
    _need_room(gguf, folder.parent)
    progress(f"converting {origin.origin} to float32 safetensors, once (under a minute for a small model)")
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        made = Path(temporary) / "model"
        parameters = _guarded(gguf, made)
        weights = digest(weight_files(made))
        files = {file.name: file.stat().st_size for file in sorted(made.iterdir())}
        record = {**asdict(origin), "weights_sha256": weights, "parameters": parameters, "files": files}
        record["bytes"] = sum(files.values())
        (made / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        _settle(made, folder)
    files_hash(weight_files(folder), folder.parent.parent, known=weights)
    return folder


def _guarded(gguf: Path, made: Path) -> int:
    """`_write_model` in silence; what a broken or unsupported file brings about becomes one line."""
    try:
        with quiet():
            return _write_model(gguf, made)
    except ModelError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's fault, not the file's
        raise ModelError(
            f"{gguf.name}: cannot be converted ({one_line(error)}); the file is broken, too large for "
            "the memory, or of a kind that transformers cannot read; get it anew or give a safetensors folder"
        ) from error


def _settle(made: Path, folder: Path) -> None:
    """To the disk first, then under its name: a folder that has its name is whole."""
    for file in made.iterdir():
        file.chmod(0o644)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    if folder.exists():  # what `_record` found broken
        shutil.rmtree(folder)
    os.rename(made, folder)


def _need_room(gguf: Path, where: Path) -> None:
    need = gguf.stat().st_size * 7  # Q4 is some 4.5–5 bits a weight, float32 is 32
    free = shutil.disk_usage(where).free
    if free < need:
        raise ModelError(
            f"{where}: the disk is full ({free / 1e9:.1f} GB free, {need / 1e9:.1f} GB may be needed); "
            "make room, or set SELFEDIT_CACHE to another disk"
        )


def _write_model(gguf: Path, folder: Path) -> int:
    """Read `gguf` through transformers, save it as a plain float32 model, and count its parameters."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place: Any = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer: Any = AutoTokenizer.from_pretrained(**place, trust_remote_code=False)
    packed: Any = AutoModelForCausalLM.from_pretrained(
        **place, dtype=torch.float32, trust_remote_code=False, **_unpacked()
    )
    config = packed.config
    if getattr(config, "quantization_config", None) is not None:
        del config.quantization_config
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    model.load_state_dict(packed.state_dict(), assign=True)
    model.tie_weights()
    model.generation_config = _generation_config(gguf, config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _loads_alike(folder, tokenizer)
    return int(model.num_parameters())


def _unpacked() -> dict[str, Any]:
    """Newer transformers would keep the blocks packed where a kernel for them is installed."""
    try:
        from transformers.utils.quantization_config import GgufConfig  # type: ignore
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}  # type: ignore


def _generation_config(gguf: Path, config: Any) -> Any:
    """The end tokens are those that the file names: end of text, of turn and of message."""
    from gguf import GGUFReader
    from transformers import GenerationConfig

    fields = GGUFReader(gguf).fields
    named = [fields.get(f"tokenizer.ggml.{kind}_token_id") for kind in ("eos", "eot", "eom")]
    ends = sorted({int(field.contents()) for field in named if field is not None})
    pad = config.pad_token_id if config.pad_token_id is not None else (ends[0] if ends else None)
    return GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=ends if len(ends) > 1 else (ends or [None])[0],
        pad_token_id=pad,
    )


def _loads_alike(folder: Path, tokenizer: Any) -> None:
    """The saved tokenizer must give the ids that the file's own gives."""
    from transformers import AutoTokenizer

    saved: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    text = " In 1984 café owners paid $12.50,\n\n  it's said.\tÜber 北京 🐝"
    if saved.encode(text) != tokenizer.encode(text) or saved.chat_template != tokenizer.chat_template:
        raise ModelError(
            f"{folder.name}: its tokenizer does not survive the conversion; give a safetensors folder"
        )
