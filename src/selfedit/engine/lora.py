"""LoRA adapters, one alone: its numbers, its hash, and PEFT's layout on disk.

Knows nothing of stacks, training, text or rewards.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from selfedit.errors import AdapterError, UsageError
from selfedit.types import content_hash

PREFIX = "base_model.model."
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@final
class Adapter:
    """LoRA weights that a plan produced: for each module, A [R, I] and B [O, R] in float32. Immutable.

    The weights lie in memory or in a safetensors file, from which they are read when they are needed.
    """

    def __init__(
        self, rank: int, alpha: float, weights: Mapping[str, Tensor] | Path, meta: AdapterMeta
    ) -> None:
        self.rank, self.alpha, self.meta = rank, alpha, meta
        self._weights = weights
        self.told = bool(meta.hash)
        """Whether the hash was told, not computed: whoever reads the whole file may hold it to that."""
        self.hash = meta.hash or _hash(rank, alpha, self.tensors())

    @property
    def file(self) -> Path | None:
        """The safetensors file that the weights lie in; None if they lie in memory."""
        return self._weights if isinstance(self._weights, Path) else None

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    @property
    def modules(self) -> tuple[str, ...]:
        return self.meta.modules

    @property
    def losses(self) -> tuple[float, ...]:
        """Loss of each optimiser step, where it was trained in this process."""
        return self.meta.losses

    def tensors(self) -> dict[str, Tensor]:
        """`{module}.lora_A.weight` and `{module}.lora_B.weight`, without PEFT's prefix."""
        if isinstance(self._weights, Path):
            stored = safetensors.torch.load_file(self._weights)
            return {name.removeprefix(PREFIX): t.float() for name, t in stored.items()}
        return dict(self._weights)

    def save(self, folder: str | Path) -> Path:
        """Write PEFT's layout into `folder` (made if missing); `peft.PeftModel.from_pretrained` reads it."""
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            if isinstance(self._weights, Path):
                shutil.copyfile(self._weights, target / WEIGHTS)
            else:
                named = {PREFIX + name: t.contiguous() for name, t in self.tensors().items()}
                safetensors.torch.save_file(named, target / WEIGHTS, metadata={"format": "pt"})
            (target / CONFIG).write_text(json.dumps(self.peft_config(), indent=2) + "\n")
        except (OSError, safetensors.SafetensorError) as error:
            raise AdapterError(
                f"{target}: cannot write the adapter ({error}); free space, or choose another folder"
            ) from error
        return target

    def peft_config(self) -> dict[str, Any]:
        """The content of `adapter_config.json`."""
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.meta.base,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": self.meta.dropout,
            "bias": "none",
            "target_modules": sorted(self.modules),
            "fan_in_fan_out": self.meta.transposed,
            "inference_mode": True,
            "init_lora_weights": True,
        }

    def at(self, folder: Path) -> Adapter:
        """This adapter, its weights read from `folder` (to which it was saved) when they are needed."""
        return Adapter(self.rank, self.alpha, folder / WEIGHTS, replace(self.meta, hash=self.hash))

    def scaled(self, factor: float) -> Adapter:
        """The same weights, counting `factor` times as much: another adapter, with a hash of its own."""
        return Adapter(self.rank, self.alpha * factor, self._weights, replace(self.meta, hash=""))

    def signed(self, signs: Callable[[str, int], Items[int]]) -> Adapter:
        """The same weights on inputs whose signs are others: B A diag(s). Another adapter, in memory.

        `signs` gives s, +1 or -1 for each input, from a module's name and how many inputs it has.
        """
        weights = self.tensors()
        for name in (f"{module}.lora_A.weight" for module in self.modules):
            a_RI = weights[name]
            weights[name] = a_RI * a_RI.new_tensor(signs(name.removesuffix(".lora_A.weight"), a_RI.shape[1]))
        return Adapter(self.rank, self.alpha, weights, replace(self.meta, hash=""))

    @staticmethod
    def load(folder: str | Path) -> Adapter:
        """Read PEFT's layout. Raises AdapterError for what is missing, broken or not a plain LoRA."""
        source = Path(folder)
        return Adapter.from_file(source / WEIGHTS, _read_config(source))

    @staticmethod
    def from_file(source: Path, config: Mapping[str, Any], digest: str = "") -> Adapter:
        """An adapter of one safetensors file and PEFT's configuration. Raises AdapterError.

        With `digest`, the adapter's hash from a record of it, the weights are not read now.
        """
        try:
            with safetensors.safe_open(source, framework="pt") as file:
                names = list(file.keys())
        except (OSError, safetensors.SafetensorError) as error:
            raise AdapterError(f"{source}: cannot be read ({error}); save the adapter again") from error
        modules = {name.removeprefix(PREFIX).rsplit(".lora_", 1)[0] for name in names if ".lora_" in name}
        if not modules or len(names) != 2 * len(modules):
            raise AdapterError(
                f"{source}: not a plain LoRA; only pairs of lora_A and lora_B weights are supported"
            )
        meta = AdapterMeta(
            modules=tuple(sorted(modules)),
            base=config.get("base_model_name_or_path") or "",
            dropout=float(config.get("lora_dropout") or 0),
            transposed=bool(config.get("fan_in_fan_out")),
            hash=digest,
        )
        return Adapter(int(config["r"]), float(config["lora_alpha"]), source, meta)


@final
@dataclass(frozen=True)
class AdapterMeta:
    """What is known of an adapter beside its numbers."""

    modules: tuple[str, ...]
    base: str = ""
    dropout: float = 0.0
    transposed: bool = False
    losses: tuple[float, ...] = ()
    hash: str = ""
    plan: str = ""
    """Id of the plan that produced it, where known."""


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text())
    except OSError as error:
        raise AdapterError(
            f"{folder}: no adapter there ({CONFIG} cannot be read); give a PEFT folder"
        ) from error
    except ValueError as error:
        raise AdapterError(f"{folder / CONFIG}: not JSON ({error}); save the adapter again") from error
    unsupported = [
        key for key in ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern") if config.get(key)
    ]
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none":
        unsupported.append("peft_type" if config.get("peft_type") != "LORA" else "bias")
    if unsupported:
        raise AdapterError(
            f"{folder}: {', '.join(unsupported)} is not supported; use a plain LoRA without bias"
        )
    return config


def _hash(rank: int, alpha: float, tensors: Mapping[str, Tensor]) -> str:
    hasher = Hasher(rank, alpha)
    for name in sorted(tensors):
        hasher.add(name, tensors[name])
    return hasher.hexdigest()


@final
class Hasher:
    """An adapter's hash, tensor by tensor in the order of their names, in float32."""

    def __init__(self, rank: int, alpha: float) -> None:
        self._digest = hashlib.sha256(content_hash(["adapter", rank, float(alpha)]).encode())

    def add(self, name: str, tensor: Tensor) -> None:
        whole = tensor.contiguous()
        self._digest.update(f"{name}{list(whole.shape)}{whole.dtype}".encode())
        self._digest.update(whole.view(torch.uint8).numpy().data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def matching(names: Iterable[str], target: str | tuple[str, ...]) -> tuple[str, ...]:
    """The linear layers that `target_modules` names: all, a regular expression, or endings of paths."""
    names = tuple(names)
    if target == "all-linear":
        return names
    if isinstance(target, str):
        try:
            found = tuple(name for name in names if re.fullmatch(target, name))
        except re.error as error:
            raise UsageError(f"target_modules {target!r}: not a regular expression ({error})") from error
    else:
        found = tuple(name for name in names if any(name == t or name.endswith("." + t) for t in target))
    if not found:
        last = sorted({name.rsplit(".", 1)[-1] for name in names})
        raise UsageError(f"target_modules {target!r}: no such layer; this model has {', '.join(last)}")
    return found
