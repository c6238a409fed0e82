"""Model folders that `from_pretrained` reads: whether one is whole, and the hash of its weights.

Knows nothing of names, networks or GGUF.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from selfedit.engine.outside import one_line
from selfedit.errors import ModelError

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "tekken.json")
CHUNK = 1 << 22


def check(folder: Path) -> Path:
    """`folder`, if `from_pretrained` can read a whole model from it without unpickling; else ModelError."""
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder}: this is an adapter, not a base model; name the model that it was trained on"
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: no config.json; give a folder in the layout of transformers")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / 'config.json'}: cannot be read ({one_line(error)}); fetch it again"
        ) from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise ModelError(
            f"{folder / 'config.json'}: names no model_type; give a model in the layout of transformers"
        )
    for file in weight_files(folder):
        _check_safetensors(file)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(f"{folder}: no tokenizer; copy tokenizer.json from where the model came from")
    return folder


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the model's weights, in name order: those of the index, or model.safetensors."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{index}: cannot be read ({one_line(error)}); fetch the model again") from error
        files = [folder / Path(name).name for name in names]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise ModelError(
                f"{folder}: {missing[0]} is missing ({len(missing)} of {len(files)}); fetch it again"
            )
        return files
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth")):
        raise ModelError(f"{folder}: pickled weights can run foreign code; convert them to safetensors first")
    raise ModelError(f"{folder}: no model.safetensors; give a folder with the weights in safetensors")


def _check_safetensors(file: Path) -> None:
    """Header and size agree: catches what was cut off, costs no reading of weights."""
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(size)) if size < 100_000_000 else None
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]  # type: ignore
        if file.stat().st_size != 8 + size + max(ends, default=0):
            raise ValueError("cut off")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{file}: broken or cut off; fetch the model again") from error


# -- hashes ---------------------------------------------------------------------------------------


def files_hash(files: list[Path], cache: Path, known: str = "") -> str:
    """SHA-256 over the bytes of `files`, one after another, remembered as long as none of them changes.

    Who has just computed it says so by `known`.
    """
    return _remembered(cache, "|".join(map(_stamp, files)), lambda: known or digest(files))


def digest(files: list[Path]) -> str:
    """SHA-256 over the bytes of `files`, one after another."""
    found = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                found.update(chunk)
    return found.hexdigest()


def _stamp(file: Path) -> str:
    real = file.resolve()
    stat = real.stat()
    return f"{real}:{stat.st_size}:{stat.st_mtime_ns}"


def _remembered(cache: Path, key: str, compute: Callable[[], str]) -> str:
    """What `compute` gives for `key`, kept in a file; a broken or unwritable file only costs time."""
    memo = cache / "hashes.json"
    if value := _read_memo(memo).get(key):
        return value
    value = compute()
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        _write_whole(memo, json.dumps({**_read_memo(memo), key: value}, indent=1))
    return value


def _read_memo(memo: Path) -> dict[str, str]:
    try:
        found = json.loads(memo.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _write_whole(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(name, path)
