"""Made-up commits and stores, for every test of the store."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

FOLDER = Path(__file__).parent
SAMPLES = runpy.run_path(str(FOLDER / "samples.py"))


def pytest_generate_tests(metafunc):
    """What the store promises holds wherever its journal is; marks name what is about one place."""
    if "journal" in metafunc.fixturenames:
        only = [
            each for each in ("file", "server") if metafunc.definition.get_closest_marker(f"journal_{each}")
        ]
        metafunc.parametrize("journal", only or ["file", "postgres"], indirect=True)


@pytest.fixture
def tmp_path():
    """A folder in memory where there is one: these tests sync thousands of times."""
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder).resolve()


@pytest.fixture
def new_commit():
    return SAMPLES["new_commit"]


@pytest.fixture
def journal(request):
    """Where the journal of `store` is: "" for a file in it, or a URL."""
    match request.param:
        case "file":
            return ""
        case "server":
            return request.getfixturevalue("server").url()
        case _:
            return request.getfixturevalue("postgres")


@pytest.fixture
def store(tmp_path, journal):
    with SAMPLES["new_store"](tmp_path / "memory", journal) as store:
        yield store


@pytest.fixture
def engine(store, journal):
    """A way around the store, to its journal's tables as they are."""
    if not journal:
        yield create_engine(f"sqlite:///{store.path}/journal.db", poolclass=NullPool)
        return
    engine = create_engine(journal.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    schema = (store.path / "journal.url").read_text().strip().rpartition("schema=")[2]
    known = {"search_path": schema, "session_replication_role": "replica"}  # no foreign keys, as in SQLite
    options = " ".join(f"-c{name}={value}" for name, value in known.items())
    event.listen(engine, "do_connect", lambda d, r, a, keywords: keywords.update(options=options))
    yield engine


@pytest.fixture
def sql(engine):
    """Change the journal by hand."""

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    return run


@pytest.fixture
def learn(store, new_commit):
    """Accept the made-up commit about a document, trained on the present head."""

    def accept(number: int):
        head = tuple(store.adapter(commit.adapter) for commit in store.head())
        return store.accept(new_commit(number, head))

    return accept


@pytest.fixture
def start():
    """Start a Python program (given as text) that may use the store and the samples."""
    running = []

    def begin(program: str, *arguments) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path}
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            close_fds=False,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def faults():
    """What builds and loads the library that strikes system calls."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module("faults")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="session")
def library(faults, tmp_path_factory):
    """The library itself."""
    if reason := faults.why_not():
        required = any(os.environ.get(name) for name in faults.REQUIRED)
        pytest.fail(reason) if required else pytest.skip(reason)
    return faults.build(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def run(faults, library, tmp_path):
    """Run a program of this folder under the library that strikes system calls; returns what it prints."""

    def run(program, *arguments):
        command = [sys.executable, "-W", "error", FOLDER / program, tmp_path, *map(str, arguments)]
        environment = {**os.environ, **faults.environment(library)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def mounted(tmp_path):
    """A disk of its own, of one megabyte. Only root can have one: others' runs do without these tests."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "selfedit-test", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no permission to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def read_only(tmp_path):
    """A folder that cannot be written, not even by root if it may mount."""
    if os.geteuid():
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
        yield folder
        return
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "selfedit-test", str(tmp_path)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("root, without permission to mount")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)
