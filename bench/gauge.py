"""CPU time and memory of the processes that do the job, the two servers with them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import psutil

from bench.servers import Servers

Seconds = dict[str, float]


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds by role; the servers are `postgresql` and `rabbitmq`."""

    cpu: Seconds

    def since(self, before: Used) -> Seconds:
        """CPU seconds spent since then."""
        return {name: self.cpu[name] - before.cpu.get(name, 0.0) for name in self.cpu}


def used(servers: Servers | None, pids: Mapping[str, int]) -> Used:
    """What each role and server has used so far."""
    cpu = {name: _cpu(psutil.Process(pid)) for name, pid in pids.items()}
    if servers is not None:
        for name, family in servers.processes().items():
            cpu[name] = sum(_cpu(process) for process in family) + _gone(family)
    return Used(cpu)


def _gone(family: list[psutil.Process]) -> float:
    """What ended children of the server used: a backend that left must not make time run back."""
    with contextlib.suppress(psutil.Error):
        times = family[0].cpu_times()
        return float(times.children_user + times.children_system)
    return 0.0


def _cpu(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def rss_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Resident memory of each role in MB."""
    found = {}
    for name, pid in pids.items():
        with contextlib.suppress(psutil.Error):
            found[name] = psutil.Process(pid).memory_info().rss / 1e6
    return found


class MemoryWatch:
    """Looks at the memory of each role four times a second while a run lasts."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._samples: list[dict[str, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._samples.append(rss_mb(self._pids))
            if self._over.wait(0.25):
                return

    def peak(self) -> dict[str, float]:
        """The most that each role had."""
        return {name: max(s.get(name, 0.0) for s in self._samples) for name in self._pids}

    def growth(self) -> dict[str, float]:
        """From the median of the third quarter of the run to that of the last, in MB.

        In the first half heaps and caches fill up to what they then stay at; what still grows
        after that grows without end.
        """
        count = len(self._samples)
        third = self._samples[count // 2 : max(count * 3 // 4, count // 2 + 1)]
        last = self._samples[count * 3 // 4 :]
        return {name: _middle(last, name) - _middle(third, name) for name in self._pids}


def _middle(samples: list[dict[str, float]], name: str) -> float:
    values = sorted(sample.get(name, 0.0) for sample in samples)
    return values[len(values) // 2] if values else 0.0
