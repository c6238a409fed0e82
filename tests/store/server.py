"""A PostgreSQL server for the tests: one that is given, or one made of the installed programs."""

from __future__ import annotations

import contextlib
import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

GIVEN = "SELFEDIT_TEST_POSTGRES"
"""URL of a database that the tests may use as a superuser; each store has a schema there, which stays."""
REQUIRED = ("CI", "SELFEDIT_REQUIRE_POSTGRES")
"""Where one of these is set, tests fail without a server in place of being skipped."""
MISSING = f"no PostgreSQL server: neither {GIVEN} nor initdb (Debian and Ubuntu: apt-get install postgresql)"

ROOM = 1 << 30


def binaries() -> Path | None:
    """The folder with initdb and postgres; the newest of several."""
    found = [Path(each).parent for each in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    plain = shutil.which("initdb")
    return Path(os.path.realpath(plain)).parent if plain else None


class Server:
    """A cluster in a folder of its own: one Unix socket, no network; it trusts all but the role `locked`."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="selfedit-pg-", dir=_memory()))
        self._programs = programs
        self._as: dict[str, object] = {}
        if not os.geteuid():  # the server refuses to run as root
            user = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if _known(name))
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", "data", "-U", "selfedit", "--auth=trust", "--locale=C", "-EUTF8", "-N")
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text(f"local all locked scram-sha-256\n{hba.read_text()}")
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "lc_messages": "C",
        }
        switches = [f"-c{name}={value}" for name, value in settings.items()]
        log = (self.folder / "log").open("wb")
        with log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", "data", *switches],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
                **self._as,  # type: ignore[arg-type]
            )
        until = time.monotonic() + 30
        while "ready to accept" not in (self.folder / "log").read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.02)
        return self.process

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server by its process id; SIGINT waits for nobody, SIGQUIT is like a crash."""
        self.process.send_signal(how)
        self.process.wait(timeout=30)

    def remove(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, user: str = "selfedit", database: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, **self._as)  # type: ignore[call-overload]


def _memory() -> str | None:
    """A disk in memory, if there is one with room: the tests make thousands of small files."""
    folder = "/dev/shm"
    roomy = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM
    return folder if roomy else None


def _known(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _die_with_parent() -> None:
    """If the tests are killed, so is the server (Linux; elsewhere it would have to be ended by hand)."""
    set_death_signal = 1
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGQUIT)
