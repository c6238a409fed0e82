"""A head as a plain model folder, which loads without this package; and what is known of its base.

Knows nothing of what was learned, of probes or of stores.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForCausalLM, GenerationConfig

from selfedit.engine import catalog
from selfedit.engine.convert import RECORD, ready
from selfedit.engine.core import Engine
from selfedit.engine.fetch import BUILT_IN
from selfedit.engine.outside import one_line, quiet
from selfedit.errors import EngineError, ExportError
from selfedit.types import Head

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SHARD = "5GB"
"""Weights of more than this go to several files."""

_BESIDE = (".json", ".txt", ".jinja", ".model")
_LEGAL = re.compile(r"(?i)(licen[cs]e|notice|use_policy)")
_LICENCE = re.compile(r"(?m)^license:[ \t]*[\"']?([\w.+-]+)")


# -- the base ----------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Base:
    """A base as others can find it; what is not known is empty."""

    name: str
    """As the store names it."""
    place: str
    """What `from_pretrained` takes on this machine: a hub name, or a folder."""
    hub: str = ""
    """The hub's name of the base, or of the model that it was made from."""
    licence: str = ""


def base_of(name: str) -> Base:
    """What is known of a base without loading it."""
    if name in BUILT_IN:
        spec = BUILT_IN[name]
        return Base(name, str(ready(catalog.default_cache(), name) or name), spec.hub, spec.licence)
    path = Path(name).expanduser()
    if path.exists():
        folder = catalog.resolve(name).resolve()
        return Base(name, str(folder), licence=_licence(folder))
    return Base(name, name, name if catalog.HUB_NAME.fullmatch(name) else "")


def _licence(folder: Path) -> str:
    """As the record of a conversion has it, or the front matter of the folder's own card."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return str(record["licence"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        parts = (folder / "README.md").read_text(encoding="utf-8").split("---", 2)
    except (OSError, ValueError):
        return ""
    found = _LICENCE.search(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    return found[1] if found else ""


# -- the merged model --------------------------------------------------------------------------------------


def save_merged(
    engine: Engine, head: Head, folder: Path, dtype: str | None = None, shard: str = SHARD
) -> None:
    """Write `head` to `folder` as transformers has it: config, weights, tokenizer, chat template.

    The weights are bit for bit those that the engine computes with, unless another `dtype` is asked for.
    Takes a second copy of the base in main memory. Raises ExportError where the disk refuses.
    """
    engine.heads.activate(head)
    whole = _merged(engine)
    if dtype is not None and DTYPES[dtype] != engine.model.dtype:
        _cast(whole, engine.model.dtype, DTYPES[dtype])
    whole.generation_config = GenerationConfig()  # in its place comes the base's own file, as it is
    try:
        with quiet():
            whole.save_pretrained(folder, max_shard_size=shard)
        (folder / "generation_config.json").unlink(missing_ok=True)
        _copy_beside(engine.path, folder)
    except (OSError, SafetensorError) as error:
        raise ExportError(
            f"{folder}: the model cannot be written ({one_line(error)}); free space, or choose another folder"
        ) from error


def _merged(engine: Engine) -> Any:
    """The base as transformers loads it, with the engine's linear weights, which it shares."""
    with quiet():
        whole: Any = AutoModelForCausalLM.from_pretrained(
            engine.path, dtype=engine.model.dtype, use_safetensors=True, local_files_only=True
        )
    for name, layer in engine.model.layers.items():
        weight = layer.weight.detach().to("cpu")
        whole.get_submodule(name).weight = nn.Parameter(weight, requires_grad=False)
    return whole


def _cast(whole: Any, held: torch.dtype, wanted: torch.dtype) -> None:
    """To another type; what transformers keeps in a type of its own stays in it."""
    for name, parameter in whole.named_parameters():
        if parameter.dtype == held:
            parameter.data = parameter.data.to(wanted)
            if not torch.isfinite(parameter.data).all():
                kind = str(wanted).removeprefix("torch.")
                raise EngineError(f"{name}: holds numbers too large for {kind}; choose bfloat16 or float32")


def _copy_beside(source: Path, target: Path) -> None:
    """The tokenizer, templates, generation config and legal texts of the base, as they are."""
    for file in source.iterdir():
        wanted = file.suffix in _BESIDE or _LEGAL.match(file.name)
        if file.is_file() and wanted and not _is_weights(file.name):
            shutil.copyfile(file, target / file.name)
    templates = source / "additional_chat_templates"
    if templates.is_dir():
        shutil.copytree(templates, target / templates.name)


def _is_weights(name: str) -> bool:
    return name in ("config.json", RECORD) or name.endswith(".index.json") or name.startswith(".")
