"""A second writer waits or is refused; readers take no notice."""

import math
import os
import signal
import time

import pytest

from selfedit.errors import StoreBusyError
from selfedit.store import Store

HOLD = """
import sys, time
from selfedit.store import Store
with Store.open(sys.argv[1], write=True, verb="learn"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""
WAIT = """
import math, sys
from selfedit.store import Store
def told(line):
    print(line, flush=True)
with Store.open(sys.argv[1], write=True, verb="revert", wait=math.inf, waiting=told):
    print("mine", flush=True)
"""


@pytest.fixture
def holder(store, start):
    """Another process that writes to the store for some seconds."""
    store.close()

    def hold(seconds):
        process = start(HOLD, store.path, seconds)
        assert process.stdout.readline() == "held\n"
        return process

    return hold


@pytest.mark.journal_file
def test_a_second_writer_waits_and_is_told_once_for_whom(store, holder):
    process, told = holder(0.5), []
    begun = time.monotonic()
    with Store.open(store.path, write=True, verb="revert", wait=math.inf, waiting=told.append) as mine:
        assert time.monotonic() - begun > 0.2
        mine.record_texts(["mine"])
    (line,) = told
    assert f"{store.path}: waiting for `selfedit learn`, process {process.pid} on " in line
    assert "\n" not in line
    assert process.wait() == 0


def test_no_one_is_told_when_the_store_is_free(store):
    store.close()
    told = []
    Store.open(store.path, write=True, wait=math.inf, waiting=told.append).close()
    assert told == []


@pytest.mark.journal_file
def test_a_writer_waits_no_longer_than_it_was_told(store, holder):
    process = holder(60)
    begun = time.monotonic()
    with pytest.raises(StoreBusyError, match=f"in use by `selfedit learn`, process {process.pid}"):
        Store.open(store.path, write=True, wait=0.3)
    assert 0.3 <= time.monotonic() - begun < 30
    begun = time.monotonic()
    with pytest.raises(StoreBusyError):
        Store.open(store.path, write=True)
    assert time.monotonic() - begun < 30


def test_a_killed_writer_hands_over_to_the_one_that_waits(store, holder, start):
    process = holder(60)
    waiter = start(WAIT, store.path)
    assert "waiting for `selfedit learn`" in waiter.stdout.readline()
    process.kill()
    assert waiter.communicate(timeout=20) == ("mine\n", "")


@pytest.mark.journal_file
def test_ctrl_c_while_waiting_leaves_nothing(store, holder, start):
    process = holder(60)
    before = sorted(os.listdir(store.path)), (store.path / "lock").read_bytes()
    waiter = start(WAIT, store.path)
    assert "waiting for" in waiter.stdout.readline()
    waiter.send_signal(signal.SIGINT)
    _, errors = waiter.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert (sorted(os.listdir(store.path)), (store.path / "lock").read_bytes()) == before
    process.kill()
    process.wait()
    Store.open(store.path, write=True).close()


WRITE = """
import sys, time
from samples import new_commit
from selfedit.store import Store
with Store.open(sys.argv[1], write=True, verb="learn") as store:
    print("held", flush=True)
    until, number = time.monotonic() + float(sys.argv[2]), 0
    while time.monotonic() < until:
        store.accept(new_commit(number))
        number += 1
    print(number)
"""


def test_readers_never_fail_while_a_writer_commits_all_the_time(store, start):
    store.close()
    writer = start(WRITE, store.path, 1.5)
    assert writer.stdout.readline() == "held\n"
    reads, seen = 0, 0
    while writer.poll() is None:
        with Store.open(store.path) as reader:
            head = reader.head()
            assert reader.stale() == ()
            assert not head or reader.probes(head[-1].id)
        assert len(head) >= seen
        reads, seen = reads + 1, len(head)
    out, errors = writer.communicate()
    assert writer.returncode == 0, errors
    assert int(out) > 1
    assert reads > 5
    assert len(Store.open(store.path).log()) == int(out)
