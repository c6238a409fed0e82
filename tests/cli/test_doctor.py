"""The doctor: advice for machines described here, and one look at the real one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from selfedit.cli import doctor
from selfedit.cli.main import run
from selfedit.engine.machine import Gpu, Machine

GB = 10**9
GPU = Gpu("Big One", 80 * GB, 79 * GB, bfloat16=True)
WELL = Machine(
    processor="Fast",
    cores=4,
    memory_total=64 * GB,
    memory_available=60 * GB,
    bfloat16=True,
    compiler="/usr/bin/g++",
    nvidia_driver=True,
    system="Linux",
    gpus=(GPU,),
    versions={"torch": "2.13.0"},
)
CACHE = doctor.Cache(Path("/cache"), 100 * GB, fetched=True)


def rates(one: float = 100, four: float = 300, half: float = 150) -> list[doctor.Rate]:
    rows = [("float32", 1, one), ("float32", 4, four), ("bfloat16", 1, half)]
    return [doctor.Rate("cpu", dtype, threads, rate) for dtype, threads, rate in rows]


def test_a_good_machine_needs_no_advice() -> None:
    assert doctor.advise(WELL, rates(), CACHE) == ()


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        ({"gpus": (), "nvidia_driver": False}, "no GPU", "smollm2-135m"),
        ({"memory_available": GB}, "1.0 GB of memory", "close other programs"),
        ({"compiler": None}, "no C++ compiler", "install g++"),
        ({"gpus": (dataclasses.replace(GPU, memory_free=GB),)}, "Big One has 1.0 GB", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_each_lack_has_its_remedy(changes: dict[str, Any], said: str, remedy: str) -> None:
    (only,) = doctor.advise(dataclasses.replace(WELL, **changes), rates(), CACHE)
    assert said in only.what
    assert remedy in only.remedy


def test_a_driver_that_torch_cannot_use_is_noticed() -> None:
    found = doctor.advise(dataclasses.replace(WELL, gpus=()), rates(), CACHE)
    assert any("NVIDIA driver" in item.what for item in found)


@pytest.mark.parametrize(
    ("measured", "said"),
    [(rates(four=50), "0.5 times as fast"), (rates(half=20), "0.2 times the rate of float32")],
)
def test_slow_multiplication_is_noticed(measured: list[doctor.Rate], said: str) -> None:
    (only,) = doctor.advise(WELL, measured, CACHE)
    assert said in only.what


@pytest.mark.parametrize(
    ("cache", "remedy"),
    [
        (dataclasses.replace(CACHE, free=GB), "SELFEDIT_CACHE"),
        (dataclasses.replace(CACHE, fetched=False), "selfedit models fetch"),
    ],
)
def test_the_cache_is_looked_at(cache: doctor.Cache, remedy: str) -> None:
    (only,) = doctor.advise(WELL, rates(), cache)
    assert remedy in only.remedy


def test_doctor_runs_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFEDIT_CACHE", str(tmp_path))
    assert run(["doctor", "--json"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert shown.err == ""
    assert found["device"] in ("cpu", "cuda")
    assert found["cache"] == {"path": str(tmp_path), "free": found["cache"]["free"], "fetched": False}
    assert all(rate["gflops"] > 0 for rate in found["rates"])
    assert any("models fetch" in item["remedy"] for item in found["advice"])
    assert run(["doctor"]) == 0
    assert "GFLOP/s" in capsys.readouterr().out
