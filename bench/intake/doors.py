"""Both contestants as processes of their own: intake's web by its real command, and the least."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from bench.intake.minimal import TABLE
from bench.servers import Place
from shared.settings import PROJECT

#: One worker of so many threads, as the command has it; the least is given the same.
THREADS = 8
SECRET = "a key for this benchmark alone, nobody signs in"
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Door:
    """A server that answers on a port of this machine."""

    name: str
    port: int
    process: int

    def cpu(self) -> float:
        """Seconds of CPU of the server and its workers."""
        top = psutil.Process(self.process)
        family = [top, *top.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in family)


@contextmanager
def product(place: Place, folder: Path) -> Iterator[Door]:
    """`lienthong intake web` on a database that is filled or only migrated; no key is limited."""
    told = {
        "DATABASE_URL": place.databases["intake"],
        "AMQP_URL": place.amqp_url,
        "DATA_DIR": str(folder),
        "SECRET_KEY": SECRET,
        "LOG_FORMAT": "json",
        "KEY_PER_MINUTE": "0",
        "KEY_AT_ONCE": "0",
    }
    command = ["-m", "services", "intake", "web", "--server", "gunicorn", "--threads", f"{THREADS}"]
    port = _free_port()
    env = {f"LIENTHONG_{name}": text for name, text in told.items()}
    with _running("product", command, port, {**env, "LIENTHONG_PORT": str(port)}, folder) as door:
        yield door


@contextmanager
def minimal(place: Place, folder: Path) -> Iterator[Door]:
    """The least, on the empty database of a place."""
    url = place.plain("notify")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    port = _free_port()
    command = ["-m", "bench.intake.minimal", url, str(port), str(THREADS)]
    with _running("minimal", command, port, {}, folder) as door:
        yield door


@contextmanager
def _running(
    name: str, arguments: Sequence[str], port: int, told: Mapping[str, str], folder: Path
) -> Iterator[Door]:
    plain = {key: text for key, text in os.environ.items() if not key.startswith("LIENTHONG_")}
    with (folder / f"{name}-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=PROJECT, env={**plain, **told}, stdout=log, stderr=log
        )
        try:
            _wait_for(process, port, Path(log.name))
            yield Door(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"a door did not open: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port
