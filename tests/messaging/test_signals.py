"""Being told to stop, at any moment of the wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from shared.messaging.loops.signals import told_to_stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(number: signal.Signals) -> None:
    with told_to_stop() as wait:
        assert not wait(0)
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        began = time.monotonic()
        assert wait(20)
        assert time.monotonic() - began < 10


def test_who_was_told_stays_told_and_a_second_signal_changes_nothing() -> None:
    with told_to_stop() as wait:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        assert wait(0)
        assert wait(None)


def test_signals_that_pour_in_during_short_waits_never_block_it() -> None:
    with told_to_stop() as wait:
        pouring = threading.Event()

        def pour() -> None:
            while not pouring.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=pour)
        thread.start()
        try:
            assert all(wait(0.001) for _ in range(2000)) or wait(1)
        finally:
            pouring.set()
            thread.join()


ELSEWHERE = """
import os, signal, threading, time
from shared.messaging.loops.signals import told_to_stop
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with told_to_stop() as wait:
    print("waiting", flush=True)
    assert wait(None)
print("told", flush=True)
"""


def test_a_signal_that_another_thread_gets_ends_the_wait_as_well() -> None:
    """The system may give it to any thread; the main thread's own wait is then not interrupted."""
    process = subprocess.Popen([sys.executable, "-c", ELSEWHERE], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[0] == "told\n"
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def test_the_handlers_of_before_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with told_to_stop():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


BEGINNING = """
import time
from shared.messaging.loops.signals import leave_when_told
leave_when_told()
print("building", flush=True)
time.sleep(60)
"""


SWALLOWED = """
import time
from shared.messaging.loops.signals import leave_when_told
leave_when_told()
print("building", flush=True)
try:
    time.sleep(60)
except:  # as libraries do around what they can do without
    pass
from shared.messaging.loops.signals import told_to_stop
with told_to_stop() as wait:
    raise SystemExit(0 if wait(60) else 1)
"""


@pytest.mark.parametrize("program", [BEGINNING, SWALLOWED])
def test_who_is_told_while_still_being_built_leaves_at_once_with_exit_0(program: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdout.close()
