"""Where a model computes and in which numbers, by the names that people give. Loads nothing."""

from __future__ import annotations

import warnings

import torch

from selfedit.engine.machine import lacks_bfloat16
from selfedit.errors import SlowWarning, UsageError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}
SLOW = "this processor has no bfloat16 of its own: float32 is many times as fast; leave dtype at auto"


def device_of(name: str) -> torch.device:
    """The device of this name; `auto` takes a CUDA one if there is any. Raises UsageError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device {name!r}: unknown; use auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"device {name!r}: no CUDA device is available here; use cpu")
    return device


def dtype_of(name: str, device: torch.device) -> torch.dtype:
    """The kind of numbers of this name; `auto` takes what the device is quick at. Raises UsageError.

    Warns of one that the processor is slow at (`SlowWarning`).
    """
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in DTYPES:
        raise UsageError(f"dtype {name!r}: unknown; use auto, {', '.join(DTYPES)}")
    if name == "bfloat16" and device.type == "cpu" and lacks_bfloat16():
        warnings.warn(SLOW, SlowWarning, stacklevel=3)
    return DTYPES[name]
