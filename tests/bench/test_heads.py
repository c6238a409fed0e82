"""`bench heads` on a tiny model: every row has the contract's fields, and the heads are the rival's."""

from __future__ import annotations

import json

import pytest

from selfedit.bench.heads import command
from selfedit.engine import prefixes

CONTRACT = {"name", "case", "rival", "ratio", "ours", "theirs", "unit", "machine"}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_heads_are_the_rivals_bit_for_bit(base: str, monkeypatch: pytest.MonkeyPatch, dtype: str):
    monkeypatch.setattr(prefixes, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(prefixes, "DISK_RATE", float("inf"))
    rows = json.loads(json.dumps(command(True, base=base, device="cpu", dtype=dtype, adapters=16, rank=None)))
    assert [row["case"].split(",")[0] for row in rows] == [
        "16 adapters in memory", "16 adapters from files", "16 from files", "the newest head",
        "the head at commit 7 of 16", "commit 7 of 16 reverted",
    ]  # fmt: skip
    assert rows[0]["agreement"] == 1.0
    assert rows[2]["states"] == 8
    for row in rows:
        assert row.keys() >= CONTRACT | {
            "ours_seconds",
            "theirs_seconds",
            "ours_cpu_seconds",
            "ours_memory_mb",
        }
        assert row["ratio"] == pytest.approx(row["ours"] / row["theirs"], rel=2e-3)
        assert row["ratio"] == pytest.approx(row["theirs_seconds"] / row["ours_seconds"], rel=2e-3)
