"""A store's directory is made whole or not at all, and refused in one line where it cannot be."""

import os
import signal
import subprocess

import pytest

from selfedit.errors import StoreError, StoreVersionError
from selfedit.store import Store

MADE = {"base": "tiny", "weights": "f" * 64, "dtype": "float32"}


def refusal(path, call=None):
    """The one line that making a store at `path` fails with."""
    with pytest.raises(StoreError) as raised:
        (call or (lambda: Store.create(path, **MADE)))()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_new_store_is_empty_and_whole(store, journal):
    assert Store.exists(store.path)
    where = "journal.url" if journal else "journal.db"
    assert sorted(each.name for each in store.path.iterdir()) == ["blobs", where, "lock"]
    assert store.head() == store.log() == store.known_sources() == ()
    assert store.verify().ok
    assert os.listdir(store.path.parent) == ["memory"]


def test_folders_above_are_made(tmp_path):
    Store.create(tmp_path / "a" / "b c?#%" / "memory", **MADE).close()
    assert Store.open(tmp_path / "a" / "b c?#%" / "memory").base == "tiny"


def test_an_empty_folder_becomes_a_store(tmp_path):
    (tmp_path / "memory").mkdir()
    Store.create(tmp_path / "memory", **MADE).close()
    assert Store.exists(tmp_path / "memory")


def test_what_is_there_is_left_alone(tmp_path, store):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "file" / "nowhere")
    assert "a store already" in refusal(store.path)
    assert "a folder with other things in it" in refusal(tmp_path / "full")
    assert "a file, where a folder is needed" in refusal(tmp_path / "file")
    assert "a file, where a folder is needed" in refusal(tmp_path / "file" / "memory")
    assert "a file, where a folder is needed" in refusal(tmp_path / "dangling")
    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "file").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["dangling", "file", "full", "memory"]


def test_a_place_that_cannot_be_written_is_named(tmp_path, read_only):
    assert "make the place writable" in refusal(read_only / "memory")


def test_what_is_no_store_is_not_opened(tmp_path):
    (tmp_path / "notes").mkdir()
    missing = refusal(None, lambda: Store.open(tmp_path / "none"))
    assert missing == (
        f"{tmp_path}/none: no such store; make one with `selfedit learn FILE --store {tmp_path}/none`"
    )
    assert "no store here" in refusal(None, lambda: Store.open(tmp_path / "notes"))
    assert not Store.exists(tmp_path / "none")
    assert not Store.exists(tmp_path / "notes")
    assert os.listdir(tmp_path) == ["notes"]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO migrations VALUES ('9999_future', '2031-01-01')", "migration 9999_future"),
        ("UPDATE meta SET value = '99' WHERE name = 'format'", "format 99, this version reads up to 1"),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_newer_version_s_store_is_refused(store, sql, statement, what, write):
    store.close()
    sql(statement)
    with pytest.raises(StoreVersionError) as raised:
        Store.open(store.path, write=write)
    line = f"{store.path}: made by a newer version of selfedit ({what}); upgrade it: pip install -U selfedit"
    assert str(raised.value) == line


def test_a_refused_writer_leaves_no_lock(store, sql):
    store.close()
    sql("INSERT INTO migrations VALUES ('9999_future', '2031-01-01')")
    for _ in range(2):
        with pytest.raises(StoreVersionError):
            Store.open(store.path, write=True)


def test_a_database_that_is_no_journal_is_refused(store, sql):
    store.close()
    sql("DROP TABLE migrations")
    assert "is no journal of selfedit" in refusal(None, lambda: Store.open(store.path))


@pytest.mark.journal_file
def test_a_damaged_journal_is_named(store):
    store.close()
    (store.path / "journal.db").write_bytes(b"no database at all, and long enough to look at" * 100)
    assert "the file is damaged" in refusal(None, lambda: Store.open(store.path))


def test_a_killed_maker_leaves_nothing_that_lasts(tmp_path, start):
    program = """
import os, signal, sys
from selfedit.store import creation, Store
creation._put_in_place = lambda building, path: os.kill(os.getpid(), signal.SIGKILL)
Store.create(sys.argv[1], base="tiny", weights="f", dtype="float32")
"""
    assert start(program, tmp_path / "memory").wait() == -signal.SIGKILL
    assert not Store.exists(tmp_path / "memory")
    assert len(os.listdir(tmp_path)) == 1
    Store.create(tmp_path / "memory", **MADE).close()
    assert os.listdir(tmp_path) == ["memory"]


def test_a_maker_killed_before_it_had_its_lock_leaves_nothing_that_lasts(tmp_path, start):
    program = """
import os, signal, sys
from selfedit.store import Store
from selfedit.store.lock import WriteLock
WriteLock.acquire = lambda path, verb: os.kill(os.getpid(), signal.SIGKILL)
Store.create(sys.argv[1], base="tiny", weights="f", dtype="float32")
"""
    assert start(program, tmp_path / "memory").wait() == -signal.SIGKILL
    assert len(os.listdir(tmp_path)) == 1
    Store.create(tmp_path / "memory", **MADE).close()
    assert os.listdir(tmp_path) == ["memory"]


def test_a_maker_at_work_is_left_alone(tmp_path, monkeypatch):
    from selfedit.store import creation

    real = creation._put_in_place

    def second_maker(building, path):
        monkeypatch.setattr(creation, "_put_in_place", real)
        Store.create(path, **MADE).close()
        assert building.is_dir()
        real(building, path)

    monkeypatch.setattr(creation, "_put_in_place", second_maker)
    assert "another process just made a store" in refusal(tmp_path / "memory")
    assert os.listdir(tmp_path) == ["memory"]
    assert Store.open(tmp_path / "memory").verify().ok


def test_a_store_on_a_read_only_disk_can_be_read(mounted, new_commit):
    with Store.create(mounted / "memory", **MADE) as store:
        commit = store.accept(new_commit(1))
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    assert Store.open(mounted / "memory").log() == (commit,)
    assert "make the place writable" in refusal(None, lambda: Store.open(mounted / "memory", write=True))
