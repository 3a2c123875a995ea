"""One server process of our own: started in a session of its own, always stopped again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path


class NotStarted(Exception):
    """A server did not come up; the text says why and where its log is."""


def owner(user: str) -> str | None:
    """The account a server must run as: `user` where we are root (it refuses root), else ours."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise NotStarted(f"there is no account '{user}' to run it as") from None
    return user


def own_folder(folder: Path, user: str | None) -> None:
    """Make a folder that belongs to the server's account alone."""
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        shutil.chown(folder, user)
    folder.chmod(0o700)


class Server:
    """A running program of ours, with its log; `stop` leaves no process of its session behind."""

    def __init__(
        self, command: list[str], *, user: str | None, log: Path, env: Mapping[str, str]
    ) -> None:
        self.log = log
        as_user = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd="/",
                start_new_session=True,
                **as_user,  # type: ignore[call-overload]
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for the server to answer; NotStarted if it ends or stays silent."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"it did not come up; its log ends:\n{self.tail()}")
            time.sleep(0.1)

    def tail(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def stop(self, first: signal.Signals = signal.SIGTERM, seconds: float = 15) -> None:
        """End it and whatever it started: politely, then for good."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(first)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
