"""A PostgreSQL of our own on a free port, with its data in a folder that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.ports import free_port
from tests.servers.packages import install
from tests.servers.process import NotStarted, Server, own_folder, owner


def binaries() -> Path | None:
    """Where the newest installed PostgreSQL has its programs (Debian keeps them off the PATH)."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(versions, key=lambda path: float(path.parent.parent.name), default=None)
    if newest is not None:
        return newest.parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}


class Postgres:
    """The running server and its address."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        found = binaries()
        if found is None and install("postgresql"):
            found = binaries()
        if found is None:
            raise NotStarted("PostgreSQL is not installed")
        self._bin = found
        self._user = owner("postgres")
        # A machine that loses power in the middle of a test run runs it again.
        self._durability = {} if durable else CARELESS
        self.port = free_port()
        own_folder(folder, self._user)
        self._make(folder / "data")
        self._server = self._start(folder)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of its first database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def _run_as(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": self._user, "extra_groups": []}

    def _make(self, data: Path) -> None:
        command = [
            str(self._bin / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        ]  # fmt: skip
        done = subprocess.run(  # type: ignore[call-overload]
            command, check=False, capture_output=True, text=True, cwd="/", **self._run_as()
        )
        if done.returncode != 0:
            raise NotStarted(f"initdb: {done.stderr[-1000:]}")

    def _start(self, folder: Path) -> Server:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "port": str(self.port),
            "max_connections": "300",
            **self._durability,
        }
        command = [str(self._bin / "postgres"), "-D", str(folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = folder.parent / "postgres.log"
        return Server(command, user=self._user, log=log, env=os.environ | {"LC_ALL": "C.UTF-8"})

    def ready(self) -> None:
        """Wait until it answers."""
        probe = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        self._server.wait_until(
            lambda: subprocess.run(probe, check=False, capture_output=True).returncode == 0, 180
        )

    def stop(self) -> None:
        """A fast shutdown: sessions are cut off."""
        self._server.stop(signal.SIGINT)
