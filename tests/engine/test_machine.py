"""The machine as the system's own files tell it, here written by hand."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from selfedit.engine import Engine, machine, placing
from selfedit.errors import SlowWarning

from .tiny import save_tiny

GB = 1024**3
MEMINFO = f"MemTotal: {16 * GB // 1024} kB\nMemFree: 1 kB\nMemAvailable: {12 * GB // 1024} kB\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_memory_without_a_limit_is_the_systems(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}
    )
    assert machine.memory(root) == (16 * GB, 12 * GB)


def test_memory_obeys_the_tightest_group_above(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/a"
    root = write(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/a/b\n",
            f"{group}/memory.max": str(8 * GB),
            f"{group}/memory.current": str(5 * GB),
            f"{group}/memory.stat": f"anon 1\ninactive_file {GB}\n",
            f"{group}/b/memory.max": "max",
        },
    )
    assert machine.memory(root) == (8 * GB, 4 * GB)


def test_memory_obeys_groups_of_the_first_version(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "4:cpu,cpuacct:/job\n3:memory:/job\n",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(2 * GB),
            "sys/fs/cgroup/memory/job/memory.usage_in_bytes": str(GB),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )
    assert machine.memory(root) == (2 * GB, GB)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("nonsense", None)],
)
def test_cores_obey_the_quota(tmp_path: Path, quota: str, expected: int | None) -> None:
    root = write(tmp_path, {"proc/self/cgroup": "0::/x\n", "sys/fs/cgroup/x/cpu.max": quota})
    assert machine.cores(root) == (expected or machine.cores(tmp_path / "nothing"))


def test_cores_obey_a_quota_of_the_first_version(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/cpu"
    files = {"proc/self/cgroup": "4:cpu,cpuacct:/\n", f"{group}/cpu.cfs_quota_us": "100000"}
    assert machine.cores(write(tmp_path, {**files, f"{group}/cpu.cfs_period_us": "100000"})) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")
def test_cores_obey_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert machine.cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("flags", "native"),
    [
        ("flags\t: fma avx512_bf16", True),
        ("flags\t: avx2 avx512f", False),
        ("Features\t: fp asimd bf16", True),
    ],
)
def test_probe_knows_native_bfloat16(tmp_path: Path, flags: str, native: bool) -> None:
    root = write(
        tmp_path, {"proc/meminfo": MEMINFO, "proc/cpuinfo": f"model name\t: Fast One\n{flags}\n\nnext: 1\n"}
    )
    found = machine.probe(root)
    assert (found.processor, found.bfloat16, found.memory_total) == ("Fast One", native, 16 * GB)


@pytest.mark.parametrize(("flags", "lacks"), [("flags\t: avx2", True), ("flags\t: amx_bf16", False)])
def test_a_processor_without_bfloat16_is_known(tmp_path: Path, flags: str, lacks: bool) -> None:
    write(tmp_path, {"proc/cpuinfo": f"model name\t: Fast One\n{flags}\n"})
    assert machine.lacks_bfloat16(tmp_path) == lacks


def test_a_processor_that_says_nothing_is_not_taken_for_slow(tmp_path: Path) -> None:
    assert not machine.lacks_bfloat16(tmp_path)


def test_bfloat16_on_such_a_processor_is_said_to_be_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = save_tiny(tmp_path, "llama")
    monkeypatch.setattr(placing, "lacks_bfloat16", lambda: True)
    with pytest.warns(SlowWarning, match="leave dtype at auto"):
        Engine.load(base, device="cpu", dtype="bfloat16")
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowWarning)
        Engine.load(base, device="cpu")
        monkeypatch.setattr(placing, "lacks_bfloat16", lambda: False)
        Engine.load(base, device="cpu", dtype="bfloat16")


def test_probe_looks_at_the_real_machine() -> None:
    found = machine.probe()
    assert found.processor
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert 0 < found.memory_available <= found.memory_total
    assert found.versions["torch"].startswith("2.")


def test_free_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert machine.free_disk(tmp_path / "a" / "b") == pytest.approx(machine.free_disk(tmp_path), rel=0.05)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gemm_rate_is_a_rate_and_puts_the_threads_back(dtype: str) -> None:
    import torch

    before = torch.get_num_threads()
    rate = machine.gemm_rate(dtype, 1, seconds=0.02)
    assert 0.05 < rate < 1e6
    assert torch.get_num_threads() == before
