"""What is peculiar to a journal on PostgreSQL: passwords, writers on other machines, servers that go."""

import os
import shutil
import signal
import sys
import threading

import psycopg
import pytest

from selfedit.errors import StoreBusyError, StoreError, StoreVersionError
from selfedit.store import Store, migrations, postgres
from selfedit.store.address import Address
from selfedit.store.creation import journal_at
from selfedit.store.journal import Journal

pytestmark = pytest.mark.journal_server
MADE = {"base": "tiny", "weights": "f" * 64, "dtype": "float32"}
SECRET, QUOTED = "s3cret/ümlaut@", "s3cret%2F%C3%BCmlaut%40"


@pytest.fixture
def admin(server):
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def locked(server, admin, monkeypatch):
    """The URL of a role with a password, without and with it."""
    if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'locked'").fetchone():
        admin.execute(f"CREATE ROLE locked LOGIN PASSWORD '{SECRET}'")
        admin.execute("GRANT CREATE ON DATABASE postgres TO locked")
    for name in ("PGPASSWORD", "PGPASSFILE", "SELFEDIT_JOURNAL"):
        monkeypatch.delenv(name, raising=False)
    return server.url("locked"), server.url(f"locked:{QUOTED}")


@pytest.fixture
def elsewhere(store, tmp_path, monkeypatch):
    """The store as another machine has it: the same journal, and a lock file of its own."""
    monkeypatch.setattr(postgres, "GRACE_SECONDS", 0.1)
    return shutil.copytree(store.path, tmp_path / "elsewhere")


def refusal(call, kind=StoreError):
    """The one line that `call` fails with; it holds no password."""
    with pytest.raises(kind) as raised:
        call()
    line = str(raised.value)
    assert not any(each in line for each in ("\n", SECRET, QUOTED, "s3cret"))
    return line


def make(path, url):
    return Store.create(path, **MADE, journal=url)


def schemas(admin):
    return {row[0] for row in admin.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^selfedit_'")}


# -- URLs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["postgresql", "postgres", "postgresql+psycopg"])
def test_all_spellings_mean_the_same(tmp_path, server, spelling):
    make(tmp_path / "memory", server.url().replace("postgresql", spelling)).close()
    assert (
        (tmp_path / "memory" / "journal.url").read_text().startswith("postgresql://selfedit@/postgres?host=")
    )
    assert Store.exists(tmp_path / "memory")
    assert Store.open(tmp_path / "memory").verify().ok


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://ada:s3cret@db/memories", "mysql://...: the journal can be a file or on PostgreSQL"),
        ("sqlite:///journal.db", "sqlite://...: the journal can be a file or on PostgreSQL"),
        ("postgresql+asyncpg://ada:s3cret@db/x", "postgresql+asyncpg://...: the journal can be"),
        ("ada:s3cret@db/memories", "journal: the journal can be a file or on PostgreSQL"),
        ("postgresql://ada:s3cret/x@db/memories", "write / @ ? # : as %2F %40 %3F %23 %3A"),
        ("postgresql://ada:s3cret?x@db/memories", "write / @ ? # : as"),
        ("postgresql://ada:x#s3cret@db/memories", "write / @ ? # : as"),
        ("postgresql://ada@db:s3cret/memories", "write / @ ? # : as"),
        ("postgresql://ada@db/memories?schema=public", "the schema is chosen for each store"),
    ],
)
def test_what_is_no_such_url_is_refused_without_showing_it(tmp_path, url, what):
    assert what in refusal(lambda: make(tmp_path / "memory", url))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "plain", "password"),
    [
        ("postgres://ada:a%40b@db:5433/x", "postgresql://ada@db:5433/x", "a@b"),
        ("postgresql://ada:a@b@db/x?sslmode=require", "postgresql://ada@db/x?sslmode=require", "a@b"),
        ("postgresql://ada@db/x?password=1234&sslpassword=q&a=b", "postgresql://ada@db/x?a=b", "1234"),
        ("postgresql://ada@[::1]:5433,db:5432/x", "postgresql://ada@[::1]:5433,db:5432/x", None),
        ("postgresql:///x?host=%2Frun%2Fpg", "postgresql:///x?host=%2Frun%2Fpg", None),
    ],
)
def test_a_url_is_kept_without_its_password(tmp_path, url, plain, password, monkeypatch):
    monkeypatch.delenv("SELFEDIT_JOURNAL", raising=False)
    address = Address.new(url)
    assert (address.url, address.password) == (plain, password)
    assert "password" not in repr(address)
    address.write(tmp_path / "journal.url")
    assert (password or "none") not in (tmp_path / "journal.url").read_text()
    assert Address.read(tmp_path / "journal.url") == address
    assert Address.read(tmp_path / "journal.url").password is None
    assert Address.read(tmp_path / "journal.url", url).password == password
    assert Address.read(tmp_path / "journal.url", "postgresql://ada:other@else/x").password is None
    monkeypatch.setenv("SELFEDIT_JOURNAL", url)
    assert Address.read(tmp_path / "journal.url").password == password


def test_a_spoilt_address_is_named(store):
    store.close()
    (store.path / "journal.url").write_text("postgresql://db/x?schema=public; DROP")
    assert "names no schema of selfedit" in refusal(lambda: Store.open(store.path))
    (store.path / "journal.url").write_bytes(b"\xff")
    assert "put a backup of it in its place" in refusal(lambda: Store.open(store.path))


def test_several_stores_share_a_database(store, learn, tmp_path, journal, new_commit):
    commit = learn(1)
    with make(tmp_path / "other", journal) as other:
        assert other.log() == ()
        other.accept(new_commit(2))
        assert store.log() == (commit,)
        assert other.verify().ok


# -- getting in ------------------------------------------------------------------------------------------


def test_the_password_is_asked_for_and_never_kept(tmp_path, locked, monkeypatch):
    plain, full = locked
    place = tmp_path / "memory"
    assert "give the password in PGPASSWORD" in refusal(lambda: make(place, plain))
    assert "give the password in" in refusal(lambda: make(place, plain.replace("@", ":wrong@")))
    assert os.listdir(tmp_path) == []
    with make(place, full) as store:
        store.record_texts(["Ada wrote it."])
    kept = b"".join(each.read_bytes() for each in place.rglob("*") if each.is_file())
    assert not any(each.encode() in kept for each in (SECRET, QUOTED))
    assert "give the password in PGPASSWORD" in refusal(lambda: Store.open(place))
    assert Store.open(place, journal=full).verify().ok
    monkeypatch.setenv("SELFEDIT_JOURNAL", full.replace("postgresql", "postgres"))
    assert Store.open(place).verify().ok
    monkeypatch.setenv("SELFEDIT_JOURNAL", full.replace("/postgres?", "/another?"))
    refusal(lambda: Store.open(place))
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert Store.open(place).verify().ok
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pass").write_text(f"*:*:*:locked:{SECRET}\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    assert Store.open(place).verify().ok


def test_whatever_keeps_one_out_is_one_line(tmp_path, server, locked, admin):
    def tried(url):
        line = refusal(lambda: make(tmp_path / "memory", url))
        assert line.startswith(f"{tmp_path}/.memory.new-")
        before = refusal(lambda: Store.check_journal(url, tmp_path / "memory"))
        assert before.split("journal.url: ", 1)[1] == line.split("journal.url: ", 1)[1]
        assert os.listdir(tmp_path) == []
        return line

    assert "make it with `createdb`" in tried(server.url(database="nothing"))
    assert "make it with `createuser`" in tried(server.url(user="nobody"))
    assert "start the server" in tried("postgresql://localhost:1/x")
    assert "start the server" in tried("postgresql:///x?host=/nowhere")
    assert "PostgreSQL at localhost:1, database x (connection to server at" in tried(
        "postgresql://localhost:1/x"
    )
    assert 'invalid URI query parameter: "odd"' in tried("postgresql://localhost/x?odd=1")
    admin.execute("REVOKE CREATE ON DATABASE postgres FROM locked")
    assert "GRANT CREATE ON DATABASE" in tried(locked[1])
    admin.execute("GRANT CREATE ON DATABASE postgres TO locked")


def test_a_look_ahead_makes_nothing(tmp_path, journal, admin):
    before = schemas(admin)
    Store.check_journal(journal, tmp_path / "memory")
    assert schemas(admin) == before
    assert os.listdir(tmp_path) == []


def test_a_database_of_another_encoding_is_refused(tmp_path, server, admin):
    admin.execute("CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0")
    url = server.url(database="latin")
    assert "its encoding is LATIN1" in refusal(lambda: make(tmp_path / "memory", url))
    assert "its encoding is LATIN1" in refusal(lambda: Store.check_journal(url, tmp_path / "memory"))
    admin.execute("DROP DATABASE latin")


def test_a_missing_driver_is_one_line(store, monkeypatch):
    store.close()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    line = refusal(lambda: Store.open(store.path))
    assert line.startswith(f"{store.path}: its journal is on PostgreSQL, whose driver cannot be loaded")
    assert line.endswith("pip install 'selfedit[postgres]'")


# -- made whole or not at all ------------------------------------------------------------------------------


def test_a_store_that_could_not_be_made_leaves_nothing(tmp_path, journal, admin, monkeypatch):
    before = schemas(admin)
    monkeypatch.setitem(migrations.MIGRATIONS, "9999_broken", "CREATE NONSENSE")
    assert "making the journal failed" in refusal(lambda: make(tmp_path / "memory", journal))
    assert os.listdir(tmp_path) == []
    assert schemas(admin) == before


def test_what_a_killed_maker_left_is_removed_by_the_next(tmp_path, journal, admin, start):
    program = """
import os, signal, sys
from selfedit.store import creation, Store
creation._put_in_place = lambda building, path: os.kill(os.getpid(), signal.SIGKILL)
Store.create(sys.argv[1], base="tiny", weights="f", dtype="float32", journal=sys.argv[2])
"""
    before = schemas(admin)
    assert start(program, tmp_path / "memory", journal).wait() == -signal.SIGKILL
    assert len(schemas(admin) - before) == 1
    left = schemas(admin)
    make(tmp_path / "memory", journal).close()
    assert os.listdir(tmp_path) == ["memory"]
    assert len(schemas(admin) - left) == len(left - schemas(admin)) == 1


def test_an_older_journal_is_brought_up_to_date_by_a_writer(tmp_path, journal, monkeypatch, new_commit):
    with monkeypatch.context() as past:
        first = dict(list(migrations.MIGRATIONS.items())[:1])
        past.setattr(migrations, "MIGRATIONS", first)
        folder = tmp_path / "memory" / "journal.url"
        folder.parent.mkdir()
        (folder.parent / "blobs").mkdir()
        old = Journal.create(folder, lambda: "2031-05-04", Address.new(journal))
        with old.writing("a test") as connection:
            for row in {**MADE, "format": "1"}.items():
                connection.exec_driver_sql("INSERT INTO meta VALUES (%s, %s)", row)
        old.close()
    assert "made by an older version" in refusal(lambda: Store.open(tmp_path / "memory"))
    with Store.open(tmp_path / "memory", write=True) as store:
        assert store.accept(new_commit(1)).live
    assert Store.open(tmp_path / "memory").verify().ok
    monkeypatch.setattr(migrations, "MIGRATIONS", first)
    assert "newer version" in refusal(lambda: Store.open(tmp_path / "memory"), StoreVersionError)


# -- one writer, any number of readers ----------------------------------------------------------------------


def test_a_writer_elsewhere_is_named(store, elsewhere):
    line = refusal(lambda: Store.open(elsewhere, write=True), StoreBusyError)
    assert line.startswith(f"{elsewhere}: in use by `selfedit learn`, process {os.getpid()} on ")
    assert Store.open(elsewhere).verify().ok
    store.close()
    Store.open(elsewhere, write=True).close()


def test_a_writer_elsewhere_is_waited_for(store, elsewhere):
    told = []
    ending = threading.Timer(0.3, store.close)
    ending.start()
    with Store.open(elsewhere, write=True, wait=30, waiting=told.append):
        assert len(told) == 1
        assert "waiting for `selfedit learn`, process" in told[0]
    ending.join()


def test_the_lock_of_a_killed_writer_goes_with_it(store, elsewhere, start, monkeypatch):
    store.close()
    program = """
import sys
from selfedit.store import Store
with Store.open(sys.argv[1], write=True):
    print("held", flush=True)
    sys.stdin.read()
"""
    holder = start(program, store.path)
    assert holder.stdout.readline() == "held\n"
    refusal(lambda: Store.open(elsewhere, write=True), StoreBusyError)
    holder.kill()
    holder.wait()
    monkeypatch.setattr(postgres, "GRACE_SECONDS", 20)
    Store.open(elsewhere, write=True).close()


def test_a_view_stays_as_it_was_and_cannot_be_written(store, learn):
    view = Journal.open(journal_at(store.path), str)
    with view.reading() as connection:
        count = "SELECT count(*) FROM commits"
        assert connection.exec_driver_sql(count).scalar() == 0
        learn(1)
        assert connection.exec_driver_sql(count).scalar() == 0
    with view.reading() as connection:
        assert connection.exec_driver_sql(count).scalar() == 1

    def write():
        with view.reading() as connection:
            connection.exec_driver_sql("DELETE FROM head_moves")

    assert "read-only transaction" in refusal(write)


# -- servers that go away ------------------------------------------------------------------------------------


def test_work_goes_on_when_the_server_is_back(store, learn, server, new_commit):
    commit = learn(1)
    reader = Store.open(store.path)
    assert reader.log() == (commit,)
    server.stop()
    for call in (reader.log, lambda: store.record_texts(["a"]), lambda: Store.open(store.path)):
        assert "start the server" in refusal(call)
    server.start()
    assert reader.log() == (commit,)
    assert learn(2).live
    assert store.verify().ok


def test_a_server_that_ends_in_the_middle_is_one_line(store, learn, admin):
    commit = learn(1)

    def interrupted():
        with store._journal.writing("a test") as connection:
            connection.exec_driver_sql("DELETE FROM head_moves")
            admin.execute("SELECT pg_terminate_backend(%s)", [backend(connection)])
            connection.exec_driver_sql("DELETE FROM commit_texts")

    assert "the database server went away while a test" in refusal(interrupted)
    assert store.log() == store.head() == (commit,)
    assert learn(2).live


def test_whoever_lost_the_lock_to_another_writes_no_more(store, learn, elsewhere, admin, new_commit):
    commit = learn(1)
    with store._journal.writing("a test") as connection:
        pid = backend(connection)
    admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    with Store.open(elsewhere, write=True, wait=5) as other:
        refusal(lambda: store.move_head("revert", []), StoreBusyError)
        assert other.head() == (commit,)
    for _ in range(2):
        line = refusal(lambda: store.move_head("revert", []), StoreBusyError)
        assert "another process wrote meanwhile" in line
    assert Store.open(store.path).head() == (commit,)


def backend(connection):
    return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()


def test_a_statement_that_takes_too_long_is_one_line(store):
    def slow():
        with store._journal.writing("a test") as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 10")
            connection.exec_driver_sql("SELECT pg_sleep(5)")

    assert "took too long while a test" in refusal(slow)


def test_names_that_cannot_be_kept_are_refused(store):
    assert "a character that the database cannot keep" in refusal(lambda: store.move_head("a\0b", []))
    assert "a character that the database cannot keep" in refusal(lambda: store.move_head("a\ud800", []))
    assert store.moves() == ()


# -- erasing -------------------------------------------------------------------------------------------------


def test_what_is_erased_is_in_no_file_of_the_table(store, server, admin, engine):
    phrase = b"The vault opens at noon."
    store.record_texts([phrase.decode(), "kept"])
    schema = Address.read(store.path / "journal.url").schema

    def is_there():
        admin.execute("CHECKPOINT")
        path = admin.execute(f"SELECT pg_relation_filepath('{schema}.texts')").fetchone()[0]
        return phrase in (server.folder / "data" / path).read_bytes()

    assert is_there()
    admin.execute(f"ANALYZE {schema}.texts")
    samples = (
        "SELECT count(*) FROM pg_stats WHERE schemaname = %s AND tablename = 'texts' AND attname = 'body'"
    )
    assert admin.execute(samples, [schema]).fetchone() == (0,)
    with store._journal.writing("a test") as connection:
        connection.exec_driver_sql("UPDATE texts SET body = NULL, erased = '2031' WHERE body <> 'kept'")
    assert is_there()
    store._journal.compact("texts")
    assert not is_there()
    assert store.verify().ok
