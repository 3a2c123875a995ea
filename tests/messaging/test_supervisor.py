"""One thread per loop, kept going whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from shared.kernel.errors import BrokerAway, DatabaseAway
from shared.messaging.loops import supervisor as module
from shared.messaging.loops.supervisor import Supervisor
from tests.messaging.loops import Scripted, failing, times

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSES", (0.001,))


def reached() -> tuple[threading.Event, Callable[[], int]]:
    """An event, and a step that sets it."""
    event = threading.Event()

    def step() -> int:
        event.set()
        return 0

    return event, step


def test_every_loop_is_stepped_in_a_thread_of_its_own() -> None:
    one, first = reached()
    two, second = reached()
    supervisor = Supervisor([Scripted("one", first), Scripted("two", second)])
    supervisor.start()
    assert one.wait(60)
    assert two.wait(60)
    assert supervisor.stop()


def test_a_loop_that_fails_is_asked_again_and_logged_once_per_kind() -> None:
    done, last = reached()
    loop = Scripted("bad", *[failing(ValueError("x"))] * 3, *[failing(KeyError("y"))] * 2, last)
    with structlog.testing.capture_logs() as logs:
        supervisor = Supervisor([loop])
        supervisor.start()
        assert done.wait(60)
        supervisor.stop()
    failed = [entry["kind"] for entry in logs if entry["event"] == "loop.failed"]
    assert failed == ["ValueError", "KeyError"]


@pytest.mark.parametrize("away", [BrokerAway("gone"), DatabaseAway("gone")])
def test_a_broker_or_database_that_is_away_is_waited_for_calmly(away: Exception) -> None:
    tried, last = reached()
    come_back = threading.Event()

    def step() -> int:
        if come_back.is_set():
            return last()
        raise away

    loop = Scripted("waiting", step)
    with structlog.testing.capture_logs() as logs:
        supervisor = Supervisor([loop])
        supervisor.start()
        while loop.stepped < 3:
            pass
        assert supervisor.healthy()
        assert not supervisor.ready()
        assert supervisor.report() == {"waiting": type(away).__name__}
        come_back.set()
        assert tried.wait(60)
        while not supervisor.ready():
            pass
        assert supervisor.report() == {"waiting": "ok"}
        supervisor.stop()
    events = [entry["event"] for entry in logs]
    assert events.count("loop.waiting") == 1
    assert events.count("loop.recovered") == 1
    assert "loop.failed" not in events


def test_stop_lets_the_step_in_hand_finish_and_closes_every_loop() -> None:
    began, release = threading.Event(), threading.Event()
    finished: list[bool] = []

    def step() -> int:
        began.set()
        release.wait(60)
        finished.append(True)
        return 1

    loop = Scripted("slow", step, lambda: 0)
    supervisor = Supervisor([loop])
    supervisor.start()
    assert began.wait(60)
    threading.Timer(0.05, release.set).start()
    assert supervisor.stop()
    assert finished == [True]
    assert loop.closed


def test_a_step_that_does_not_finish_in_time_is_told_and_not_closed() -> None:
    began, release = threading.Event(), threading.Event()

    def step() -> int:
        began.set()
        release.wait(60)
        return 0

    stuck, calm = Scripted("stuck", step), Scripted("calm", lambda: 0)
    supervisor = Supervisor([stuck, calm], drain_seconds=0.05)
    supervisor.start()
    assert began.wait(60)
    assert not supervisor.stop()
    assert calm.closed
    assert not stuck.closed
    release.set()


def test_a_loop_that_hangs_makes_the_supervisor_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    began, release = threading.Event(), threading.Event()

    def step() -> int:
        began.set()
        release.wait(60)
        return 0

    supervisor = Supervisor([Scripted("hung", step)])
    assert not supervisor.healthy()  # not started
    supervisor.start()
    assert began.wait(60)
    assert supervisor.healthy()
    monkeypatch.setattr(module, "STUCK_SECONDS", -1.0)
    assert not supervisor.healthy()
    assert supervisor.report() == {"hung": "stuck"}
    release.set()
    supervisor.stop()


def test_a_loop_that_will_not_close_keeps_nobody() -> None:
    class Clinging(Scripted):
        def close(self) -> None:
            raise OSError("still open")

    clinging, other = Clinging("clinging", lambda: 0), Scripted("other", *times(1))
    supervisor = Supervisor([clinging, other])
    supervisor.start()
    assert supervisor.stop()
    assert other.closed


def test_a_loop_rests_after_small_steps_at_the_pace_of_what_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    rests: list[float] = []
    done = [1, 1, 100, 0, 1, 0]
    paced = [0.01, 0.03, 0.0, 0.0, 0.02, 0.0]
    finished, last = reached()

    class Told(Scripted):
        def step(self, wait: float) -> int:
            waits.append(wait)
            return done.pop(0) if done else super().step(wait)

    class Watched(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout or 0.0)
            return self.is_set()

    supervisor = Supervisor([Told("busy", last)])
    monkeypatch.setattr(module.Rests, "after", lambda *_: paced.pop(0) if paced else 0.0)
    monkeypatch.setattr(supervisor._runners[0], "_stopping", Watched())
    supervisor._stopping = supervisor._runners[0]._stopping
    supervisor.start()
    assert finished.wait(60)
    supervisor.stop()
    assert rests[:3] == [0.01, 0.03, 0.02]
    # Only a look after each rest; a long wait where there was none.
    long = module.WAIT_SECONDS
    assert waits[:6] == [long, 0, 0, long, long, 0]


PROGRAM = """
import sys, time
import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
from shared.messaging.loops.supervisor import Supervisor
from tests.messaging.loops import Scripted

class Slow(Scripted):
    def step(self, wait):
        print("stepping", flush=True)
        time.sleep(0.5)
        print("stepped", flush=True)
        return 1

    def close(self):
        print("closed", flush=True)

sys.exit(0 if Supervisor([Slow("slow", lambda: 1)]).run() else 1)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_nothing_half_done_and_exit_0(number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stepping\n"
    process.send_signal(number)
    rest = process.stdout.read().split()
    assert process.wait(10) == 0
    assert rest[-1] == "closed"
    assert rest.count("stepped") == rest.count("stepping") + 1
