"""Nothing that was acknowledged is lost: writers are killed (more of that in test_crash.py), disks are full,
others look on."""

import contextlib
import resource
import signal
import sys

import pytest

from selfedit.errors import StoreBusyError, StoreError
from selfedit.store import Store

HALF_WRITTEN = """
import os, signal, sys
from pathlib import Path
from selfedit.store.journal import Journal
from selfedit.store.lock import Turn
with Journal.open(Path(sys.argv[1]) / "journal.db", str, turn=Turn()).writing("a test") as connection:
    connection.exec_driver_sql("PRAGMA cache_size = 2")
    connection.exec_driver_sql("DELETE FROM head_moves")
    for row in range(300):
        connection.exec_driver_sql("INSERT INTO texts VALUES (?, ?, NULL)", (str(row), b"x" * 1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.journal_file
def test_a_reader_sees_past_what_a_killed_writer_left_half_done(store, learn, start):
    commit = learn(1)
    size = (store.path / "journal.db").stat().st_size
    reader = Store.open(store.path)
    assert start(HALF_WRITTEN, store.path).wait() == -signal.SIGKILL
    assert (store.path / "journal.db-journal").exists()
    assert (store.path / "journal.db").stat().st_size > size
    assert reader.log() == reader.head() == (commit,)
    assert reader.verify().ok
    assert not (store.path / "journal.db-journal").exists()


def test_what_an_interrupted_writer_left_is_swept(store, learn):
    learn(1)
    store.close()
    left = store.path / "blobs" / ".incoming-0123"
    left.write_bytes(b"half an adapter")
    assert Store.open(store.path).verify().ok
    assert left.exists()
    Store.open(store.path, write=True).close()
    assert not left.exists()


HOLD = """
import sys
from selfedit.store import Store
with Store.open(sys.argv[1], write=True, verb="learn"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_holds_the_store(store, start):
    store.close()
    holder = start(HOLD, store.path)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreBusyError) as raised:
        Store.open(store.path, write=True, verb="revert")
    line = str(raised.value)
    assert f"in use by `selfedit learn`, process {holder.pid} on " in line
    assert "run the command again" in line
    assert "\n" not in line
    assert Store.open(store.path).verify().ok  # readers need no lock
    holder.communicate()
    assert holder.returncode == 0
    Store.open(store.path, write=True).close()


def test_a_killed_writer_s_lock_goes_with_it(store, start):
    store.close()
    holder = start(HOLD, store.path)
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    Store.open(store.path, write=True).close()


def test_a_lock_is_not_inherited_by_programs_that_are_started(store, start):
    sleeper = start("import sys; print('up', flush=True); sys.stdin.read()")
    assert sleeper.stdout.readline() == "up\n"
    store.close()
    Store.open(store.path, write=True).close()


def test_a_holder_who_left_no_name_is_still_a_holder(store):
    (store.path / "lock").write_bytes(b'{"pid": ')
    with pytest.raises(StoreBusyError, match="in use by another process"):
        Store.open(store.path, write=True)


def test_a_new_store_belongs_to_its_maker(store):
    with pytest.raises(StoreBusyError, match="`selfedit learn`, process"):
        Store.open(store.path, write=True)


LOOK_ON = """
import sys
from selfedit.store import Store
seen, store = 0, Store.open(sys.argv[1])
print("looking", flush=True)
while seen < 10:
    log = store.log()
    assert len(log) >= seen, (len(log), seen)
    assert [commit.seq for commit in log] == list(range(len(log), 0, -1))
    assert all(len(store.probes(commit.id)) == 2 for commit in log[:1])
    seen = len(log)
assert store.verify().ok
"""


def test_a_reader_follows_while_a_writer_commits(store, learn, start):
    reader = start(LOOK_ON, store.path)
    assert reader.stdout.readline() == "looking\n"
    for number in range(10):
        learn(number)
    _, errors = reader.communicate(timeout=30)
    assert reader.returncode == 0, errors


# -- disks that are full --------------------------------------------------------------------------


@pytest.fixture
def file_limit():
    """Make every write beyond a file size fail, as a full disk does (EFBIG in place of ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.journal_file
@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE as Linux has it")
def test_a_write_that_fails_is_one_line_and_harms_nothing(store, learn, new_commit, file_limit):
    commit = learn(1)
    size = (store.path / "journal.db").stat().st_size
    head = (store.adapter("adapter-1"),)
    file_limit(size)
    with pytest.raises(StoreError, match="writing texts") as in_journal:
        store.record_texts(["x" * 100_000])
    with pytest.raises(StoreError, match="disk full while writing an adapter") as in_blob:
        store.accept(new_commit(2, head, size=size * 2))
    with pytest.raises(StoreError, match=r"runs\.db"):
        store.put_results("sample", {"a": "x" * 2 * size})
    for raised in (in_journal, in_blob):
        assert "\n" not in str(raised.value)
        assert "run" in str(raised.value)
    file_limit(resource.RLIM_INFINITY)
    assert list((store.path / "blobs").glob(".*")) == []
    assert store.log() == (commit,)
    assert store.verify().ok
    assert store.accept(new_commit(2, head, size=size * 2)).live


def test_a_full_disk_harms_nothing_wherever_it_strikes(mounted, new_commit):
    with Store.create(mounted / "memory", base="tiny", weights="f" * 64, dtype="float32") as store:
        lines, done = set(), 0
        for free in range(0, 400, 20):
            _fill(mounted, free * 1024)
            before = store.log()
            new = new_commit(done, tuple(store.adapter(each.adapter) for each in store.head()), 60_000)
            line = _refusal(lambda new=new: store.accept(new))
            lines |= {line} - {None}
            done += line is None
            assert line is None or store.log() == before
            assert len(store.log()) == done
            assert store.verify().problems == ()
            assert list((store.path / "blobs").glob(".*")) == []
        (mounted / "ballast").unlink()
    assert done > 0
    assert any("disk full while writing an adapter" in line for line in lines)
    assert any("disk full while writing a commit" in line for line in lines)
    assert all("free space and run the command again" in line and "\n" not in line for line in lines)


def test_a_full_disk_lets_no_half_store_be_made(mounted):
    for free in range(0, 320, 32):
        _fill(mounted, free * 1024)
        line = _refusal(
            lambda: Store.create(mounted / "memory", base="b", weights="f", dtype="float32").close()
        )
        if line is None:
            assert Store.open(mounted / "memory").verify().ok
            return
        assert "disk full while making" in line
        assert sorted(each.name for each in mounted.iterdir()) == ["ballast"]
    pytest.fail("320 KiB were not enough for an empty store")


def _refusal(call):
    """The line that `call` fails with, or None."""
    try:
        call()
    except StoreError as error:
        return str(error)


def _fill(folder, free):
    """Leave `free` bytes on the disk."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(b"\0" * 65536) == 65536:
                pass
        file.truncate(max(0, file.tell() - free))
