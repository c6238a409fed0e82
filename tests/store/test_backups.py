"""A copy is whole or not there, whatever goes on in the store meanwhile."""

import errno
import os
import shutil
import signal
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from selfedit.errors import StoreError
from selfedit.store import Store, backups
from selfedit.store.blobs import Blobs


def same(one, other):
    """Do two stores tell the same?"""
    told = [
        (each.log(), each.head(), each.moves(99), [each.tasks(row.id) for row in each.log()])
        for each in (one, other)
    ]
    return told[0] == told[1]


def test_a_copy_is_a_store_like_any_other(store, learn, new_commit, tmp_path):
    commits = [learn(number) for number in range(3)]
    store.move_head("revert", [commits[0].id, commits[2].id])
    store.keep_report("proof", commits[1].id, {"back": True})
    store.put_results("sample", {"a": 1})
    store.heads_folder.mkdir()
    (store.heads_folder / "cached").write_bytes(b"x")
    made = Store.open(store.path).backup(tmp_path / "deep" / "copy")
    assert made.path == tmp_path / "deep" / "copy"
    assert made.blobs == 3
    assert made.bytes == sum(each.stat().st_size for each in made.path.rglob("*") if each.is_file())
    assert sorted(os.listdir(made.path)) == ["blobs", "journal.db", "lock", "runs.db"]
    assert os.listdir(made.path.parent) == ["copy"]
    with Store.open(made.path, write=True) as copy:
        assert same(store, copy)
        assert copy.verify().ok
        assert copy.result("sample", "a") == 1
        assert copy.report("proof", commits[1].id) == {"back": True}
        assert [each.id for each in copy.stale()] == [commits[2].id]
        copy.accept(new_commit(9))
        copy.gc()
    assert store.verify().ok
    assert len(store.log()) == 3


def test_what_is_taken_is_left_alone(store, learn, tmp_path):
    learn(1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    for target, what in [
        (store.path, "a store already"),
        (tmp_path / "full", "a folder with other things in it"),
        (tmp_path / "full" / "file", "a file, where a folder is needed"),
        (store.path / "copy", "inside the store"),
    ]:
        with pytest.raises(StoreError, match=f"{what}.*; name ") as raised:
            store.backup(target)
        assert str(raised.value).startswith(str(target))
        assert "\n" not in str(raised.value)
    assert (tmp_path / "full" / "file").read_text() == "mine"
    assert store.backup(tmp_path / "empty").blobs == 1
    assert sorted(os.listdir(tmp_path)) == ["empty", "full", "memory"]


def test_weights_are_copied_where_they_cannot_be_linked(store, learn, tmp_path, monkeypatch):
    commit = learn(1)
    weights = store.adapter_path(commit.adapter)
    linked = Store.open(store.backup(tmp_path / "linked").path).adapter_path(commit.adapter)
    assert os.path.samefile(linked, weights)

    def refused(*_):
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refused)
    copy = Store.open(store.backup(tmp_path / "copied").path)
    assert not os.path.samefile(copy.adapter_path(commit.adapter), weights)
    assert copy.verify().ok


def test_erased_weights_are_in_no_copy(store, learn, tmp_path):
    first, second = learn(1), learn(2)
    store.move_head("revert", [second.id])
    name = store.adapter_path(first.adapter).name
    store.gc(erase=[first.id])
    made = store.backup(tmp_path / "copy")
    assert made.blobs == 1
    assert not list(made.path.rglob(name))
    assert Store.open(made.path).verify().ok


def test_a_store_that_lacks_weights_has_no_whole_copy(store, learn, tmp_path):
    commit = learn(1)
    gone = store.adapter_path(commit.adapter)
    gone.unlink()
    with pytest.raises(StoreError, match=f"{gone}: missing, so there can be no whole copy"):
        store.backup(tmp_path / "copy")
    assert os.listdir(tmp_path) == ["memory"]


def test_weights_that_are_erased_while_the_copy_is_made_are_not_missed(store, learn, tmp_path, monkeypatch):
    first, second = learn(1), learn(2)
    store.move_head("revert", [second.id])
    real = Blobs.take

    def meanwhile(*all):
        monkeypatch.setattr(Blobs, "take", real)
        assert store.gc(erase=[first.id]).blobs == 1
        return real(*all)

    monkeypatch.setattr(Blobs, "take", meanwhile)
    copy = Store.open(store.backup(tmp_path / "copy").path)
    assert copy.commit(first.id).erased
    assert copy.verify().ok


WRITE = """
import sys
from samples import new_commit
from selfedit.store import Store
with Store.open(sys.argv[1], write=True, verb="learn", journal=sys.argv[2]) as store:
    number = 0
    while True:
        commit = store.accept(new_commit(number))
        if number % 5 == 4:
            store.move_head("revert", [each.id for each in store.head()[:-1]])
            store.gc(erase=[commit.id])
        number += 1
        print(number, flush=True)
"""


def test_copies_are_whole_while_another_process_commits(store, start, tmp_path, journal):
    store.close()
    writer = start(WRITE, store.path, journal)
    seen = []
    for number in range(4):
        writer.stdout.readline()
        with Store.open(store.path) as reader:
            made = reader.backup(tmp_path / f"copy-{number}")
        copy = Store.open(made.path)
        assert copy.verify().problems == ()
        assert made.blobs == len([row for row in copy.log() if row.erased is None])
        seen.append(len(copy.log()))
    assert writer.poll() is None
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]


KILLED = """
import os, signal, sys
from selfedit.store import Store, backups
backups._copy_runs = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Store.open(sys.argv[1]).backup(sys.argv[2])
"""


@pytest.mark.journal_file
def test_a_copy_that_was_broken_off_leaves_nothing_that_lasts(store, learn, start, tmp_path):
    learn(1)
    assert start(KILLED, store.path, tmp_path / "copy").wait() == -signal.SIGKILL
    assert not (tmp_path / "copy").exists()
    assert len(os.listdir(tmp_path)) == 2
    assert store.backup(tmp_path / "copy").blobs == 1
    assert sorted(os.listdir(tmp_path)) == ["copy", "memory"]


@pytest.mark.journal_file
def test_a_full_disk_is_one_line_and_leaves_nothing(mounted, store, learn):
    for number in range(20):
        learn(number)
    shutil.copyfile(store.path / "journal.db", mounted / "ballast")
    with (mounted / "ballast").open("ab") as file:
        file.truncate(1 << 20)
    (mounted / "ballast").write_bytes(b"x" * 1_000_000)
    with pytest.raises(StoreError, match="disk full while copying the store") as raised:
        store.backup(mounted / "copy")
    assert "\n" not in str(raised.value)
    assert os.listdir(mounted) == ["ballast"]
    (mounted / "ballast").unlink()
    assert Store.open(store.backup(mounted / "copy").path).verify().ok


@pytest.mark.journal_file
def test_results_may_be_dropped_while_the_copy_is_made(store, learn, tmp_path, monkeypatch):
    learn(1)
    store.put_results("sample", {"a": 1})

    def dropped(*_):
        (store.path / "runs.db").unlink()
        raise OperationalError("copying", None, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(backups, "_copy_pages", _once(dropped, backups._copy_pages))
    assert sorted(os.listdir(store.backup(tmp_path / "copy").path)) == ["blobs", "journal.db", "lock"]


def _once(second, first):
    """A function that is `first` when it is first called, and `second` from then on."""
    calls = iter([first])
    return lambda *all: next(calls, second)(*all)
