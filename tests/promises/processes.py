"""The real commands as processes of their own, on the databases and broker of a test.

No test lives here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.identity.keys import Kind, issue
from shared.messaging.service import Service
from shared.settings import PROJECT
from tests.backends import Backend
from tests.ports import free_port

START_SECONDS = 60.0


class Process:
    """`lienthong <service> <arguments>`, its log in a file; killed at the end of the block."""

    def __init__(
        self, backend: Backend, service: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> None:
        self.port, self.ops_port = free_port(), free_port()
        self.log = Path(backend.data_dir) / f"{service}-{arguments[0]}-{self.port}.log"
        self._command = [sys.executable, "-m", "services", service, *arguments]
        known = environment(backend, service) | {
            "LIENTHONG_PORT": str(self.port),
            "LIENTHONG_OPS_PORT": str(self.ops_port),
            **(env or {}),
        }
        self._env = {name: value for name, value in known.items() if value}

    def __enter__(self) -> Self:
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                self._command, cwd=PROJECT, env=self._env, stdout=out, stderr=out
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = 30.0) -> int:
        """The exit status; fails when it takes longer."""
        return self._process.wait(seconds)

    def ops(self, path: str) -> tuple[int, str]:
        """The operators' door: status and body."""
        return ask(f"http://127.0.0.1:{self.ops_port}{path}")

    def until(self, path: str, status: int) -> str:
        """The body once the operators' door answers so; fails when the process ends first."""
        end = time.monotonic() + START_SECONDS
        told: tuple[int, str] = (0, "")
        while time.monotonic() < end:
            assert self.alive, self.log.read_text()
            try:
                told = self.ops(path)
            except OSError:
                told = (0, "no answer")
            if told[0] == status:
                return told[1]
            time.sleep(0.05)
        raise AssertionError(f"{path} never answered {status}, last {told}")

    def wait_until_ready(self) -> None:
        self.until("/readyz", 200)

    def post(self, path: str, body: Any, key: str) -> dict[str, Any]:
        """One command through the public door, which must succeed."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.loads(answer.read())
            return told


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def environment(backend: Backend, service: str) -> dict[str, str]:
    """What an operator would set for this service; nothing of the test run leaks in."""
    settings = backend.settings(service)
    clean = {name: value for name, value in os.environ.items() if "LIENTHONG" not in name}
    return clean | {
        "LIENTHONG_DATA_DIR": str(settings.data_dir),
        "LIENTHONG_DATABASE_URL": settings.database_url,
        "LIENTHONG_AMQP_URL": settings.amqp_url,
        "LIENTHONG_SECRET_KEY": settings.secret_key or "",
        "LIENTHONG_LOG_FORMAT": "json",
    }


def key_for(service: Service, kind: Kind, bound_to: str) -> str:
    """A key for one of a service's doors."""
    with service.store.begin() as uow:
        _, text = issue(uow, kind=kind, bound_to=bound_to, label="thử")
    return text
