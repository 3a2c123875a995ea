"""The program under trial: started, stopped and killed as on a bad day. Its words go to a file."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

#: How long a program may take to leave when it is told to (docker stop gives ten).
LEAVE_SECONDS: Final = 15.0


class Consumer:
    """One program, alive or not; it finds its settings in the environment, as PARTNER_*."""

    def __init__(self, command: Sequence[str], settings: Mapping[str, str], told: Path) -> None:
        self._command = list(command)
        self._settings = dict(settings)
        self._told = told
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a group of its own. OSError where there is no such program."""
        with self._told.open("ab") as told:
            self._process = subprocess.Popen(  # noqa: S603 - the program that is to be tried
                self._command,
                env=os.environ | self._settings,
                stdout=told,
                stderr=told,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill it and whatever it started, at once."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self) -> bool:
        """Ask it to leave; False where it had to be killed."""
        self._signal(signal.SIGTERM)
        if self._process is None:
            return True
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.alive:
            os.killpg(self._process.pid, number)
