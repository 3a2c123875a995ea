"""`./test`: start what is missing, run every check, stop what was started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from tests.servers.packages import chromium, install, may_install, say
from tests.servers.postgres import Postgres
from tests.servers.process import NotStarted
from tests.servers.rabbit import Rabbit

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
CHECKS = {
    "ruff check": ["ruff", "check"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "import contracts": ["lint-imports"],
}
# Arguments of pytest that settle how it runs, or that need the one process of the terminal.
ONE_PROCESS = frozenset(
    ["-n", "--numprocesses", "--dist", "no:xdist", "--pdb", "--trace", "-s", "--capture", "--co",
     "--collect-only"]
)  # fmt: skip
MOST_WORKERS = 4  # more would ask more connections of PostgreSQL than it has
GRACE_SECONDS = 20.0


class Servers:
    """The servers of one run: those named in the environment, and our own for the rest."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._folder = folder
        self._durable = durable
        self._started: list[Postgres | Rabbit] = []
        self.missing: list[str] = []

    def start(self) -> None:
        """Begin to start whatever nobody has named; they come up while the checks run."""
        if not os.environ.get("LIENTHONG_TEST_AMQP_URL"):
            self._try("RabbitMQ", lambda: self._rabbit(Rabbit(self._folder / "rabbit")))
        if not os.environ.get("LIENTHONG_TEST_DATABASE_URL"):
            folder = self._folder / "postgres"
            self._try("PostgreSQL", lambda: self._postgres(Postgres(folder, durable=self._durable)))

    def _rabbit(self, server: Rabbit) -> None:
        self._started.append(server)
        os.environ["LIENTHONG_TEST_AMQP_URL"] = server.url
        os.environ["LIENTHONG_TEST_AMQP_MANAGEMENT_URL"] = server.management_url

    def _postgres(self, server: Postgres) -> None:
        self._started.append(server)
        os.environ["LIENTHONG_TEST_DATABASE_URL"] = server.url

    def _try(self, name: str, start: object) -> None:
        try:
            start()  # type: ignore[operator]
        except NotStarted as failed:
            self.missing.append(name)
            say(f"{name} cannot be started: {failed}")

    def ready(self) -> None:
        """Wait until all that was started answers."""
        for server in self._started:
            try:
                server.ready()
            except NotStarted as failed:
                name = type(server).__name__
                self.missing.append(name)
                say(f"{name}: {failed}")
        if self.missing:
            for name in ("AMQP_URL", "AMQP_MANAGEMENT_URL", "DATABASE_URL"):
                os.environ.pop(f"LIENTHONG_TEST_{name}", None)

    def stop(self) -> None:
        """Stop what was started here, and nothing else."""
        for server in self._started:
            server.stop()


@contextmanager
def own_servers(*, durable: bool = False) -> Iterator[Servers]:
    """Servers for the length of a run, stopped on failure and on Ctrl-C as well.

    With `durable`, PostgreSQL waits for its disk, as in production: what a benchmark needs.
    """
    folder = Path(tempfile.mkdtemp(prefix="lienthong-test-"))
    folder.chmod(0o755)  # the servers' accounts must reach their own folders inside
    servers = Servers(folder, durable=durable)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


def tool(name: str) -> str:
    """A program of our environment."""
    return str(Path(sys.executable).with_name(name))


def check() -> list[str]:
    """Run the checks that need no server; the names of those that failed."""
    failed = []
    for name, (program, *arguments) in CHECKS.items():
        done = subprocess.run([tool(program), *arguments], check=False, capture_output=True)
        print(f"test: {name}: {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode != 0:
            failed.append(name)
            sys.stdout.buffer.write(done.stdout + done.stderr)
            sys.stdout.flush()
    return failed


def pytest(arguments: list[str]) -> int:
    """Run pytest in the foreground, so that its summary is the last thing written."""
    process = subprocess.Popen([tool("pytest"), *workers(arguments), *arguments])
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # it got the same signal and is writing its summary
    finally:
        if process.poll() is None:  # we were told to leave: it goes before its servers do
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt pytest, let it clean up, and leave nothing of what it and its tests started."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def workers(arguments: list[str]) -> list[str]:
    """How many processes share the tests; none where the arguments choose, debug or only list.

    One more than processors: what one waits for (disk, broker, a child process) the others use.
    """
    words = {each.partition("=")[0] for each in arguments}
    if words & ONE_PROCESS or any(word[:2] == "-n" for word in words):
        return []
    return ["-n", str(min((os.cpu_count() or 2) + 1, MOST_WORKERS))]


def run_all(arguments: list[str]) -> int:
    """Everything but the containers; 0 only where every check and every test was well."""
    if chromium() is None and (not may_install() or not install("chromium")):
        say("NOT RUN: browser tests, there is no Chromium")
    with own_servers() as servers:
        failed = check()
        servers.ready()
        if servers.missing:
            say(f"NOT RUN: every test on real servers ({', '.join(servers.missing)} missing)")
        os.environ["LIENTHONG_TEST_FAILED_CHECKS"] = ", ".join(failed)
        status = pytest(arguments)
    if status == 0 and (failed or (servers.missing and IN_CI)):
        return 1
    return status


def run_containers(arguments: list[str]) -> int:
    """Only the tests of the installation in containers, where there is an engine."""
    docker = shutil.which("docker")
    found = docker and subprocess.run([docker, "info"], check=False, capture_output=True)
    if not found or found.returncode != 0:
        say("NOT RUN: the container tests need a Docker engine, and none answers")
        return 1 if IN_CI else 0
    return pytest(["-n", "0", "-m", "containers", *arguments])


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main(arguments: list[str]) -> int:
    """Choose what to run; SIGTERM and a closed terminal stop the servers as well."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        if "--containers" in arguments:
            return run_containers([each for each in arguments if each != "--containers"])
        if "--long" in arguments:
            arguments = ["-m", "long", *(each for each in arguments if each != "--long")]
        return run_all(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
