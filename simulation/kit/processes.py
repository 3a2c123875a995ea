"""The city as real processes on the real clock: one (`serve`), or web and work of each service.

Lives here: starting the commands as an operator does, waiting until they are ready, stopping or
killing them. Ports are the system's choice. Must not: anything that a process's doors do not tell.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import httpx2

import partner
from services.embedded.city import City as BuiltCity
from services.embedded.city import open_city as build_city
from shared.database.keyring import KeyFile
from shared.kernel.clock import RealClock
from shared.kernel.errors import LienThongError
from shared.messaging.assembly import key_file
from shared.settings import PROJECT, SERVICES, Settings
from simulation.kit.doors import Door
from simulation.kit.people import People, Way

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
LOOPBACK: Final = "127.0.0.1"


class DidNotRun(LienThongError):
    """A process ended too early, or was not ready in time; the text says where its log is."""


class Process:
    """`lienthong <words>` with doors on ports of the system's choice; killed at the end of a block.

    `doors` of them are public, as many are the operators'. What it writes goes into `log`. `module`
    is another way in to the same command.
    """

    def __init__(
        self,
        words: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        *,
        doors: int = 1,
        module: str = "services",
    ) -> None:
        self.log = log
        self._words = list(words)
        self._module = module
        self._held = ExitStack()
        self.port = _ports(self._held, doors)
        self.ops_port = _ports(self._held, doors)
        known = dict(env) | {
            "LIENTHONG_PORT": str(self.port),
            "LIENTHONG_OPS_PORT": str(self.ops_port),
        }
        self._env = {name: value for name, value in known.items() if value}
        self._started: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log.touch(mode=0o600)  # a first start writes keys into it
        self.start()
        return self

    def start(self) -> None:
        """Start it, or once more after it ended: the same command on the same ports."""
        if self._started is not None and self.alive:
            raise DidNotRun(f"{' '.join(self._words)} runs already")
        with self.log.open("ab") as out:
            self._started = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", self._module, *self._words],
                cwd=PROJECT,
                env=self._env,
                stdout=out,
                stderr=out,
            )

    def __exit__(self, *_: object) -> None:
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._held.close()

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        if self._started is None:
            raise DidNotRun(f"{' '.join(self._words)} was not started")
        return self._started

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def url(self, door: int = 0) -> str:
        """Where a public door is."""
        return f"http://{LOOPBACK}:{self.port + door}"

    def door(self, door: int = 0) -> Door:
        """A public door of it, with a jar of cookies of its own."""
        return Door.at(self.url(door))

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit status; subprocess.TimeoutExpired when it takes longer."""
        return self._process.wait(seconds)

    def ops(self, path: str, door: int = 0) -> tuple[int, str]:
        """What an operators' door says: status and body; httpx2.TransportError where it is shut."""
        said = httpx2.get(
            f"http://{LOOPBACK}:{self.ops_port + door}{path}", timeout=10, trust_env=False
        )
        return said.status_code, said.text

    def until(self, path: str, status: int, door: int = 0) -> str:
        """The body once an operators' door answers so; DidNotRun when the process ends first."""
        end = time.monotonic() + START_SECONDS
        told: tuple[int, str] = (0, "")
        while time.monotonic() < end:
            if not self.alive:
                raise DidNotRun(f"{' '.join(self._words)} ended; see {self.log.name}")
            try:
                told = self.ops(path, door)
            except httpx2.TransportError:
                told = (0, "no answer")
            if told[0] == status:
                return told[1]
            time.sleep(0.05)
        raise DidNotRun(f"{path} never answered {status}, last {told[0]}; see {self.log.name}")

    def wait_until_ready(self, doors: int = 1) -> None:
        """Wait until /readyz of every operators' door says so."""
        for door in range(doors):
            self.until("/readyz", 200, door)


class RunningCity(People):
    """A city in processes of its own, with all who work with it; time is the machine's."""

    def __init__(
        self, built: BuiltCity, processes: Mapping[str, Process], doors: Mapping[str, str]
    ) -> None:
        super().__init__(built)
        self.processes = processes
        self.urls = doors

    def now(self) -> datetime:
        """The present instant."""
        return RealClock().now()

    def until(self, done: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
        """Wait until it is so; DidNotRun where a process ends or it takes too long."""
        end = time.monotonic() + seconds
        while not done():
            for name, process in self.processes.items():
                if not process.alive:
                    raise DidNotRun(f"{name} ended; see {process.log.name}")
            if time.monotonic() > end:
                raise DidNotRun(f"the city did not come so far in {seconds:.0f} s")
            time.sleep(0.05)

    def stop(self) -> dict[str, int]:
        """Ask every process to finish what it began and end; the exit status of each."""
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        return {name: process.wait() for name, process in self.processes.items()}

    def _door(self, service: str) -> Door:
        return Door.at(self.urls[service])

    def _client(self, code: str, way: Way) -> partner.Client:
        if way == "door":
            key = self.key("routing", "agency", code)
            return partner.Client(code, store=":memory:", door=self.urls["routing"], door_key=key)
        bus = self.built.bus
        return partner.Client(code, store=":memory:", url=bus.url, prefix=bus.prefix)


@contextmanager
def run_city(
    folder: Path,
    *,
    database: str | Mapping[str, str] = "sqlite",
    broker: str | None = None,
    apart: bool = False,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[RunningCity]:
    """Run `lienthong serve` in `folder`, or with `apart` (on a broker) web and work of each service.

    `database` and `broker` as for `open_city`; `options` of serve, such as --autopilot. Everything
    is killed at the end of the block, if it was not stopped before.
    """
    built = build_city(folder, database=database, bus_url=broker or "memory://")
    with ExitStack() as stack:
        stack.callback(built.close)
        built.migrate()
        more = env or {}
        running = _apart(built, more) if apart else _together(built, options, more)
        for process in running.processes.values():
            stack.enter_context(process)
        for name, process in running.processes.items():
            process.wait_until_ready(len(SERVICES) if name == "serve" else 1)
        yield running


def service_process(
    settings: Settings,
    *words: str,
    env: Mapping[str, str] | None = None,
    module: str = "services",
) -> Process:
    """`lienthong <service> <words>`, set up as these settings say; not started yet."""
    name = "-".join((settings.service, *(word for word in words if not word.startswith("-"))))
    known = environment(settings) | dict(env or {})
    log = settings.data_dir / f"{name}.log"
    return Process([settings.service, *words], known, log, module=module)


def environment(settings: Settings) -> dict[str, str]:
    """What an operator would set for one service; nothing of this process leaks in."""
    keys = KeyFile(key_file(settings).path)
    keys.read()  # drawn where they are not yet: a process on a server's database draws none
    return _clean() | {
        "LIENTHONG_DATA_DIR": str(settings.data_dir),
        "LIENTHONG_DATABASE_URL": settings.database_url,
        "LIENTHONG_AMQP_URL": settings.amqp_url,
        "LIENTHONG_SECRET_KEY": settings.secret_key or "",
        "LIENTHONG_PRIVACY_KEYS": str(keys.path),
        "LIENTHONG_LOG_FORMAT": "json",
        # On the machine's clock: a test by night cannot wait for the morning.
        "LIENTHONG_COURTESY": "off",
    }


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "LIENTHONG" not in name}


def _together(built: BuiltCity, options: Sequence[str], env: Mapping[str, str]) -> RunningCity:
    first = built.intake.settings
    known = environment(first) | {"LIENTHONG_DATABASE_URL": ""}
    if not first.database_url.startswith("sqlite:"):
        for name, service in built.services.items():
            known[f"LIENTHONG_{name.upper()}_DATABASE_URL"] = service.settings.database_url
    if built.bus.volatile:
        known["LIENTHONG_AMQP_URL"] = ""
    serve = Process(
        ["serve", *options], known | dict(env), built.data_dir / "serve.log", doors=len(SERVICES)
    )
    return RunningCity(
        built, {"serve": serve}, {name: serve.url(door) for door, name in enumerate(SERVICES)}
    )


def _apart(built: BuiltCity, env: Mapping[str, str]) -> RunningCity:
    made: dict[str, Process] = {}
    doors: dict[str, str] = {}
    for name, service in built.services.items():
        web = service_process(service.settings, "web", "--server", "waitress", env=env)
        made[f"{name} web"] = web
        made[f"{name} work"] = service_process(service.settings, "work", env=env)
        doors[name] = web.url()
    return RunningCity(built, made, doors)


def _ports(held: ExitStack, count: int) -> int:
    """The first of so many ports in a row that the system gives nobody else while they are held.

    A socket that is bound and does not listen stands in no server's way that sets SO_REUSEADDR.
    """
    for _ in range(500):
        row: list[Any] = [socket.socket() for _ in range(count)]
        with contextlib.suppress(OSError, OverflowError):
            row[0].bind((LOOPBACK, 0))
            first = int(row[0].getsockname()[1])
            for place, each in enumerate(row[1:], 1):
                each.bind((LOOPBACK, first + place))
            for each in row:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                held.callback(each.close)
            return first
        for each in row:
            each.close()
    raise DidNotRun("no free ports")
