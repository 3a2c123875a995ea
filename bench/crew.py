"""The processes of one contestant: started together, asked, measured, stopped.

Each role is built inside its own process by a function that returns an object with `ask` and
`stop`. What a role does is no business of this module.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from bench.calls import Calls

_SPAWN = mp.get_context("spawn")
START_SECONDS = 120.0
STOP_SECONDS = 20.0
_CALLS = "calls"


class Role(Protocol):
    """What runs in one process."""

    def ask(self, message: Any) -> Any: ...
    def stop(self) -> None: ...


@dataclass
class Tally:
    """What all processes of one contestant count together."""

    tasks: Any = field(default_factory=lambda: _SPAWN.Value("q", 0))
    messages: Any = field(default_factory=lambda: _SPAWN.Value("q", 0))

    def counts(self) -> tuple[int, int]:
        """Tasks on agency queues, messages handed to the channel."""
        return self.tasks.value, self.messages.value


class RoleFailed(RuntimeError):
    """A role's process died or could not start."""


class Crew:
    """The running processes of one contestant."""

    def __init__(self, count_calls_to: int = 0) -> None:
        """With `count_calls_to`, each process counts its calls on sockets to that port."""
        self.tally = Tally()
        self._port = count_calls_to
        self._members: dict[str, tuple[SpawnProcess, Connection]] = {}

    def start(self, name: str, build: Callable[..., Role], *args: Any) -> None:
        """Start a process that builds its role by `build(tally, *args)`."""
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=_live, args=(theirs, build, self.tally, args, self._port), name=name, daemon=True
        )
        process.start()
        theirs.close()
        self._members[name] = (process, ours)

    def ready(self) -> None:
        """Wait until every role is built."""
        for name in self._members:
            self.answer(name, START_SECONDS)

    def tell(self, name: str, message: Any) -> None:
        """Ask without waiting; `answer` brings the reply."""
        self._members[name][1].send(message)

    def answer(self, name: str, timeout: float = START_SECONDS) -> Any:
        """The reply to what was asked first."""
        _, pipe = self._members[name]
        if not pipe.poll(timeout):
            raise RoleFailed(f"{name} did not answer in {timeout:g} s")
        try:
            kind, value = pipe.recv()
        except EOFError as exc:
            raise RoleFailed(f"{name} died") from exc
        if kind == "failed":
            raise RoleFailed(f"{name}: {value}")
        return value

    def ask(self, name: str, message: Any, timeout: float = START_SECONDS) -> Any:
        """Ask and wait for the reply."""
        self.tell(name, message)
        return self.answer(name, timeout)

    def calls(self) -> dict[str, tuple[int, int]]:
        """Writes and reads of each role on sockets to the port so far."""
        return {name: self.ask(name, _CALLS) for name in self._members}

    def pids(self) -> dict[str, int]:
        """The process id of each role."""
        return {name: process.pid or 0 for name, (process, _) in self._members.items()}

    def check(self) -> None:
        """RoleFailed when a process is gone."""
        for name, (process, _) in self._members.items():
            if not process.is_alive():
                raise RoleFailed(f"{name} died with exit code {process.exitcode}")

    def stop(self) -> None:
        """Stop every role; end by force what does not stop."""
        for _, pipe in self._members.values():
            try:
                pipe.send(None)
            except OSError:
                continue
        end = time.monotonic() + STOP_SECONDS
        for process, pipe in self._members.values():
            process.join(max(0.1, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            pipe.close()
        self._members.clear()


def _live(
    pipe: Connection, build: Callable[..., Role], tally: Tally, args: tuple[Any, ...], port: int
) -> None:
    calls = Calls()
    try:
        if port:
            calls.install(port)
        role = build(tally, *args)
        pipe.send(("ready", os.getpid()))
        while (message := pipe.recv()) is not None:
            told = (calls.writes, calls.reads) if message == _CALLS else role.ask(message)
            pipe.send(("answer", told))
        role.stop()
    # The parent must hear why a role is gone, whatever it was.
    except Exception:  # noqa: BLE001
        pipe.send(("failed", traceback.format_exc()))
