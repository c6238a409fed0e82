"""A store of an older version is brought up to date by the next writer; a newer one's is left alone."""

import hashlib
import shutil
import sqlite3
from dataclasses import replace

import pytest

from selfedit.errors import StoreError, StoreVersionError
from selfedit.store import Store, migrations
from selfedit.store.migrations import MIGRATIONS

pytestmark = pytest.mark.journal_file
FIRST = {"0001_first": MIGRATIONS["0001_first"]}
TWO = {name: MIGRATIONS[name] for name in ("0001_first", "0002_undo")}
THREE = {**TWO, "0003_places": MIGRATIONS["0003_places"]}


@pytest.fixture(params=[FIRST, TWO, THREE], ids=["one step", "two steps", "three steps"])
def steps(request):
    """Those that an older version knew."""
    return request.param


@pytest.fixture
def old(store, steps, learn, tmp_path, monkeypatch):
    """The path of a store with three commits that an older version has made."""
    for number in range(3):
        learn(number)
    store.close()
    path = tmp_path / "old"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", steps)
        Store.create(path, base="tiny", weights=store.weights, dtype="float32").close()
    shutil.copytree(store.path / "blobs", path / "blobs", dirs_exist_ok=True)
    _copy(store.path / "journal.db", path / "journal.db")
    return path


def _copy(source, target):
    """Fill the tables of one journal with the rows of another, as far as they have the same columns."""
    database = sqlite3.connect(target)
    database.execute("ATTACH ? AS source", (str(source),))
    with database:
        for (table,) in database.execute(
            "SELECT name FROM main.sqlite_master WHERE type = 'table'"
        ).fetchall():
            columns = ", ".join(row[1] for row in database.execute(f"PRAGMA main.table_info({table})"))
            if table not in ("meta", "migrations"):
                database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}")
    database.close()


def test_the_next_writer_brings_it_up_to_date(old, store):
    with pytest.raises(StoreError, match="made by an older version of selfedit; run a writing command"):
        Store.open(old)
    with Store.open(old, write=True) as writer:
        assert writer.verify().problems == ()
        assert writer.head() == Store.open(store.path).head()
        writer.move_head("revert", [commit.id for commit in writer.head()[1:]])
        assert len(writer.stale()) == 2
        writer.keep_report("proof", writer.log()[0].id, {"back": True})
        writer.gc(erase=[writer.log()[-1].id])
        assert writer.verify().problems == ()
        writer.begin_run("run", {"seed": 0})
        writer.end_round("run", 1, {}, None, None)
        assert writer.verify().problems == ()
    with Store.open(old) as reader:
        assert len(reader.rounds("run")) == 1
        assert [commit.erased is None for commit in reader.log()] == [True, True, False]


def test_a_step_that_fails_leaves_the_store_as_it_was(old, steps, monkeypatch):
    broken = {**MIGRATIONS, "0004_runs": f"{MIGRATIONS['0004_runs']}; CREATE TABLE meta (name TEXT)"}
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", broken)
        for _ in range(2):
            with pytest.raises(StoreError, match="bringing the journal up to date"):
                Store.open(old, write=True)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", steps)
        Store.open(old, write=True).close()
    with Store.open(old, write=True) as writer:
        assert writer.verify().ok


def test_where_its_files_lay_is_noted_from_then_on(old, new_commit):
    with Store.open(old, write=True) as writer:
        head = tuple(writer.adapter(commit.adapter) for commit in writer.head())
        new = new_commit(3, head)
        writer.accept(replace(new, sources=(replace(new.sources[0], place="/pages/page-3.md"),)))
        places = [source.place for source in writer.known_sources()]
        assert places == ["/pages/page-3.md", None, None, None]
        assert writer.verify().problems == ()


@pytest.mark.parametrize("write", [False, True])
def test_a_version_that_knows_the_first_step_alone_refuses_what_this_one_makes(store, write, monkeypatch):
    store.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", FIRST)
    newest = sorted(MIGRATIONS)[-1]
    with pytest.raises(
        StoreVersionError, match=rf"newer version of selfedit \(migration {newest}\); upgrade it"
    ):
        Store.open(store.path, write=write)


def test_the_steps_are_as_they_were_released():
    """Whoever changes a released step makes stores that nobody else can read."""
    digests = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in MIGRATIONS.items()}
    assert digests["0001_first"] == "e64ce922b8e14382"
    assert digests["0002_undo"] == "ee535ec39d4a573b"
    assert digests["0003_places"] == "65add03be9037358"
    assert digests["0004_runs"] == "cc27b0b2a917552b"
