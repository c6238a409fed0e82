"""Adapters and moments on the shelf: whole or not there, and gone when they are dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from selfedit.engine import Adapter, Moments
from selfedit.engine.lora import WEIGHTS, AdapterMeta
from selfedit.streaming.shelf import FOLDER, MOMENTS, TOLD, Shelf, Told
from selfedit.types import content_hash

KEY = content_hash("a step")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def adapter() -> Adapter:
    tensors = {"layer.lora_A.weight": torch.full((2, 3), 0.1), "layer.lora_B.weight": torch.ones(2, 2)}
    return Adapter(2, 4.0, tensors, AdapterMeta(("layer",), base="b"))


def moments() -> Moments:
    return Moments("b", 1, 5, {"layer": torch.ones(3, 2)}, {"layer": 2.5})


def place(shelf: Shelf) -> Path:
    (found,) = (path for path in shelf.folder.iterdir() if (path / WEIGHTS).exists())
    return found


def test_what_is_kept_is_read_back(shelf: Shelf) -> None:
    made, told = adapter(), Told(1.5, adapter().hash, 7, 40, scale=0.5)
    kept = shelf.put(KEY, made, told)
    assert kept.adapter is not None
    assert kept.adapter.file is not None, "it lies in its file, not in memory"
    found = shelf.get(KEY)
    assert found is not None
    assert found.adapter is not None
    assert (found.adapter.hash, found.told) == (made.hash, told)
    assert shelf.get(content_hash("another step")) is None


def test_a_step_without_an_adapter_is_kept_too(shelf: Shelf) -> None:
    told = Told(1.0, failure="NaN in step 1")
    shelf.put(KEY, None, told)
    found = shelf.get(KEY)
    assert found is not None
    assert (found.adapter, found.told) == (None, told)


@pytest.mark.parametrize("name", [WEIGHTS, TOLD, "adapter_config.json"])
@pytest.mark.parametrize("length", [None, 0, 20])
def test_what_is_broken_or_cut_short_counts_as_missing(shelf: Shelf, name: str, length: int | None) -> None:
    shelf.put(KEY, adapter(), Told(1.0, adapter().hash))
    path = place(shelf) / name
    if length is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:length])
    assert shelf.get(KEY) is None


def test_other_weights_than_were_kept_count_as_missing(shelf: Shelf) -> None:
    shelf.put(KEY, adapter(), Told(1.0, adapter().hash))
    path = place(shelf) / WEIGHTS
    held = bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)
    assert shelf.get(KEY) is None


def test_moments_are_held_to_their_hash(shelf: Shelf) -> None:
    shelf.put_moments(KEY, moments())
    found = shelf.get_moments(KEY, 1)
    assert found is not None
    assert found.hash == moments().hash
    assert shelf.get_moments(KEY, 2) is None, "of another rank"
    (path,) = shelf.folder.glob(f"*/{MOMENTS}")
    held = bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)
    assert shelf.get_moments(KEY, 1) is None


def test_what_is_dropped_is_gone_and_an_empty_shelf_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(KEY, adapter(), Told(1.0, adapter().hash))
    shelf.put_moments(KEY, moments())
    (shelf.folder / ".half.123").mkdir()
    shelf.sweep()
    assert len(list(shelf.folder.iterdir())) == 2
    shelf.drop_moments([KEY])
    assert shelf.get_moments(KEY, 1) is None
    assert shelf.get(KEY) is not None
    shelf.drop([KEY, content_hash("never there")])
    shelf.sweep()
    assert not (tmp_path / FOLDER).exists()
