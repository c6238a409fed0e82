"""A history of a few commits is built and measured; nothing here is held to a speed."""

from __future__ import annotations

from pathlib import Path

from selfedit.bench.history import Scale, build, checked, measure
from selfedit.store import Store

SMALL = Scale(commits=12, adapter_bytes=64, passages=1, lines=4, replayed=2)


def test_the_history_is_a_real_one(tmp_path: Path):
    seconds = build(tmp_path / "store", SMALL)
    assert len(seconds) == 12
    with Store.open(tmp_path / "store") as store:
        head = store.head()
        assert len(head) == 12
        assert store.trained_on(head[-1].id) == tuple(commit.id for commit in head[:-1])
        assert list(store.text_tasks(head[-1].id).values()).count(None) == 2
        assert store.probes(head[-1].id)
        assert store.verify().ok


def test_the_same_scale_is_the_same_history(tmp_path: Path):
    ids = []
    for name in ("one", "other"):
        build(tmp_path / name, SMALL)
        with Store.open(tmp_path / name) as store:
            ids.append([commit.id for commit in store.log()])
    assert ids[0] == ids[1]


def test_every_case_has_a_row_and_the_history_is_left_as_it_was(tmp_path: Path):
    place = tmp_path / "store"
    rows = {row.case: row.as_json() for row in measure(place, build(place, SMALL))}
    assert len(rows) == 7
    assert {row["rival"] for row in rows.values()} == {"asked", "sha256 of the files", "its first tenth"}
    growth = rows["accept, last tenth of 12"]
    assert growth["blob_bytes_a_commit"] == 64
    assert growth["journal_bytes_a_commit"] > 1000
    assert all(row["ratio"] > 0 for row in rows.values())
    assert len(Store.open(place).head()) == 12


def test_what_is_verified_is_counted_in_bytes(tmp_path: Path):
    row = checked(tmp_path / "store", Scale(commits=1, adapter_bytes=1 << 20, passages=1, lines=2))
    assert row.case == "verify, adapters of 1 MiB"
    assert row.more["megabytes"] > 1.04
