"""The city of a run: its processes, and the lines on which the driver sits between them and the world."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx2

from services.embedded.city import City as BuiltCity
from services.embedded.city import open_city as build_city
from shared.catalogue import Catalogue
from shared.testing.proxy import FaultProxy
from simulation.chaos import stepped
from simulation.chaos.place import Place
from simulation.chaos.plan import CLOCKED, LINES, PROCESSES
from simulation.kit.processes import DidNotRun, Process, service_process

#: A vanished database is given up sooner than by default, so that a run sees it often.
PATIENCE: Final = {
    "LIENTHONG_DATABASE_ANSWER_SECONDS": "5",
    "LIENTHONG_DATABASE_CONNECT_SECONDS": "2",
    "LIENTHONG_DATABASE_VANISH_SECONDS": "5",
}
STOP_SECONDS: Final = 20.0  # promised are 10; the machine of a run is busy


class Town:
    """Everything that runs; made by `open_town`."""

    def __init__(
        self, built: BuiltCity, lines: Mapping[str, FaultProxy], processes: Mapping[str, Process]
    ) -> None:
        self.built = built
        self.lines = lines
        self.processes = processes
        self._starting = threading.Lock()

    def door(self, service: str) -> str:
        """Where a service's public door is, by the line if there is one."""
        line = self.lines.get(f"{service} door")
        if line is None:
            return self.processes[f"{service} web"].url()
        return f"http://{line.host}:{line.port}"

    # --- what befalls it ------------------------------------------------------------------------

    def trouble(self, line: str, kind: str, much: float | None) -> None:
        """Let a line misbehave until it is healed."""
        proxy = self.lines[line]
        if kind == "delay":
            proxy.delay(float(much or 0))
        elif kind == "crumble":
            proxy.crumble(int(much or 1))
        elif kind == "cut_after":
            proxy.cut_after(int(much or 1))
        else:
            {"hole": proxy.hole, "cut": proxy.cut, "stall": proxy.stall}[kind]()

    def begun(self, name: str) -> bool:
        """Whether a process has come so far that its operators' door answers."""
        with contextlib.suppress(httpx2.TransportError):
            return bool(self.processes[name].ops("/healthz"))
        return False

    def kill(self, name: str) -> None:
        """Kill it, as power that fails."""
        process = self.processes[name]
        process.send(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int | None:
        """Ask it to end; its exit status, None where it did not and was killed."""
        process = self.processes[name]
        process.send(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill(name)
            return None

    def start(self, name: str) -> None:
        """Start it once more, if it does not run."""
        with self._starting:
            if not self.processes[name].alive:
                self.processes[name].start()

    def step_clock(self, name: str, seconds: int) -> None:
        """Put the clock of one process forward or back, against the machine's."""
        stepped.write(_clock(self.built, name), seconds)

    def heal(self) -> None:
        """End all that befalls it; every process is started."""
        for line in self.lines.values():
            line.heal()
        for name in self.processes:
            self.start(name)
            if name in CLOCKED:
                self.step_clock(name, 0)

    def not_ready(self) -> list[str]:
        """The processes that do not run or do not call themselves ready, with what they say."""
        said = {name: _trouble(process) for name, process in self.processes.items()}
        return [f"{name}: {trouble}" for name, trouble in said.items() if trouble]

    def ready_within(self, seconds: float) -> list[str]:
        """Wait until all are; who is not even then."""
        end = time.monotonic() + seconds
        while (late := self.not_ready()) and time.monotonic() < end:
            time.sleep(0.2)
        return late


def _trouble(process: Process) -> str:
    """What keeps a process from being ready; empty where nothing does."""
    if not process.alive:
        return "it has ended"
    try:
        status, said = process.ops("/readyz")
    except httpx2.TransportError:
        return "its operators' door is shut"
    return "" if status == 200 else said.strip()


@contextmanager
def open_town(
    folder: Path, place: Place, catalogue: Catalogue, post: tuple[str, int]
) -> Iterator[Town]:
    """Web and work of the three services, two of them senders, each by its lines; ready."""
    built = build_city(
        folder, bus_url=place.operator, database=dict(place.databases), catalogue=catalogue
    )
    with ExitStack() as stack:
        stack.callback(built.close)
        built.migrate()
        lines: dict[str, FaultProxy] = {}
        for name in LINES:
            service, _, end = name.partition(" ")
            if end == "door":
                continue
            there = place.database(service) if end == "database" else place.broker
            lines[name] = stack.enter_context(FaultProxy(post if name == "mail" else there))
        processes = {name: _process(built, place, lines, name) for name in PROCESSES}
        for process in processes.values():
            stack.enter_context(process)
        for service in ("intake", "routing"):
            proxy = FaultProxy(("127.0.0.1", processes[f"{service} web"].port))
            lines[f"{service} door"] = stack.enter_context(proxy)
        town = Town(built, lines, processes)
        if late := town.ready_within(120.0):
            raise DidNotRun(f"not ready before anything befell it: {', '.join(late)}")
        yield town


def _process(built: BuiltCity, place: Place, lines: Mapping[str, FaultProxy], name: str) -> Process:
    service, kind, *number = name.split()
    settings = built.services[service].settings
    mail = lines["mail"]
    env = {
        **PATIENCE,
        "LIENTHONG_DATABASE_URL": place.database_url(service, lines[f"{service} database"].port),
        "LIENTHONG_AMQP_URL": place.amqp_url(service, lines[f"{service} broker"].port),
        "LIENTHONG_KEY_PER_MINUTE": "0",  # the driver asks more than any desk
        "LIENTHONG_CHANNEL_EMAIL": "smtp",
        "LIENTHONG_CHANNEL_SMS": "null",
        "LIENTHONG_SMTP_URL": f"smtp://{mail.host}:{mail.port}?starttls=no",
    }
    module = "services"
    if name in CLOCKED:
        clock = _clock(built, name)
        stepped.write(clock, 0)
        env[stepped.NAME], module = str(clock), stepped.__name__
    own = replace(
        settings,
        data_dir=built.data_dir / "-".join([service, kind, *number]),
        # A folder each, and yet one can open what another has sealed.
        privacy_keys=settings.privacy_keys or built.data_dir / "privacy.keys",
    )
    words = ("web", "--server", "waitress") if kind == "web" else ("work",)
    return service_process(own, *words, env=env, module=module)


def _clock(built: BuiltCity, name: str) -> Path:
    return built.data_dir / f"{name.replace(' ', '-')}.clock"
