"""Checking a store while others work on it; what it finds is in test_store.py."""

import threading

import pytest

from selfedit.store import Store
from selfedit.store.blobs import Blobs


def test_weights_that_are_erased_meanwhile_are_no_problem(store, learn, monkeypatch):
    first, second = learn(1), learn(2)
    store.move_head("revert", [second.id])
    real, done = Blobs.problem, threading.Event()

    def meanwhile(blobs, digest):
        if threading.current_thread() is not threading.main_thread() and not done.is_set():
            done.set()
            store.gc(erase=[first.id])
        return real(blobs, digest)

    monkeypatch.setattr(Blobs, "problem", meanwhile)
    assert Store.open(store.path).verify().problems == ()
    assert done.is_set()
    assert store.commit(first.id).erased


def test_many_files_are_all_looked_at(store, learn):
    commits = [learn(number) for number in range(40)]
    broken = [store.adapter_path(commits[at].adapter) for at in (0, 31, 32, 39)]
    for path in broken:
        path.write_bytes(b"other")
    found = store.verify()
    assert len(found.problems) == 4
    assert all(path.stem in " ".join(found.problems) for path in broken)


def test_whoever_interrupts_does_not_wait_for_the_files(store, learn, monkeypatch):
    for number in range(40):
        learn(number)
    looked, real = [], Blobs.problem

    def interrupted(*_):
        raise KeyboardInterrupt

    def slow(blobs, digest):
        looked.append(digest)
        threading.Event().wait(0.01)
        return real(blobs, digest)

    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr(Blobs, "problem", slow)
    monkeypatch.setattr("selfedit.store.verify._texts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.verify()
    assert len(looked) < 40
