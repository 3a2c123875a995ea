"""Odd, slow and silent callers on raw sockets: the others are answered all the same."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from shared.web.connections import Limits
from shared.web.server import WebServer, serving
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 30.0  # of who waits for an answer: generous, a hung server takes minutes


def hello(environ: Any, start: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(2 + len(body)))])
    return [b"ok", body]


def large(environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(9_000_000))])
    return [b"x" * 9_000_000]


def dial(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    line.settimeout(TIMEOUT)
    return line


def rest_of(line: socket.socket) -> bytes:
    """All that still comes until the server hangs up; times out where it does not."""
    told = b""
    try:
        while part := line.recv(65536):
            told += part
    except ConnectionResetError:
        pass
    return told


# What a slow caller has sent when it begins to dawdle: nothing, half a head, a head with half a body.
SLOW = (
    b"",
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n",
)


def test_500_slow_and_silent_callers_do_not_keep_others_out() -> None:
    server = WebServer(hello)
    done = threading.Event()
    with serving(server), ExitStack() as held:
        lines = [held.enter_context(dial(server.port)) for _ in range(500)]
        for n, line in enumerate(lines):
            _send(line, SLOW[n % 3])

        def dawdle() -> None:
            while not done.wait(0.5):  # one byte every four seconds each, and some at any moment
                turn = int(time.monotonic() * 2) % 8
                for line in lines[turn::8]:
                    _send(line, b"x")

        slow = threading.Thread(target=dawdle)
        slow.start()
        try:
            for _ in range(20):
                with urllib.request.urlopen(server.url, timeout=TIMEOUT) as answer:
                    assert answer.read() == b"ok"
                time.sleep(0.1)
        finally:
            done.set()
            slow.join()


def _send(line: socket.socket, text: bytes) -> None:
    with suppress(OSError):  # the server has parted with it, as it may
        line.sendall(text)


def test_a_request_must_be_whole_within_its_deadline_however_it_trickles() -> None:
    with serving(server := WebServer(hello, limits=Limits(request=1.0))):
        with dial(server.port) as line:
            line.sendall(SLOW[2])
            line.settimeout(0.1)
            ends = time.monotonic() + TIMEOUT
            while time.monotonic() < ends:
                try:
                    line.sendall(b"x")
                    if line.recv(100) == b"":
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return
        pytest.fail("a caller that sends a byte now and then is kept for ever")


@pytest.mark.parametrize("begun", [False, True], ids=["silent", "between two requests"])
def test_who_asks_nothing_is_parted_with(begun: bool) -> None:
    with serving(server := WebServer(hello, limits=Limits(idle=0.5))), dial(server.port) as line:
        if begun:
            line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert rest_of(line).count(b"HTTP/1.1") == int(begun)


def test_an_answer_that_nobody_takes_is_thrown_away() -> None:
    with serving(server := WebServer(large, limits=Limits(answer=0.5))):
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", server.port))
            line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            ends = time.monotonic() + TIMEOUT
            while server._server.active_channels and time.monotonic() < ends:
                time.sleep(0.05)
            assert not server._server.active_channels


def test_a_patient_caller_of_another_house_outlives_a_crowd() -> None:
    """Where connections run out, those go first of whom there are most."""
    with serving(server := WebServer(hello, limits=Limits(connections=5))), ExitStack() as held:
        patient = held.enter_context(socket.socket())
        patient.bind(("127.0.0.2", 0))
        patient.settimeout(TIMEOUT)
        patient.connect(("127.0.0.1", server.port))
        patient.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(12):
            held.enter_context(dial(server.port)).sendall(b"G")
        with urllib.request.urlopen(server.url, timeout=TIMEOUT) as answer:
            assert answer.read() == b"ok"
        patient.sendall(b"Host: a\r\nConnection: close\r\n\r\n")
        assert rest_of(patient).endswith(b"ok")


def test_where_every_connection_is_being_served_the_next_one_waits_its_turn() -> None:
    go, entered = threading.Event(), threading.Semaphore(0)

    def slow(environ: Any, start: Any) -> list[bytes]:
        entered.release()
        assert go.wait(TIMEOUT)
        return hello(environ, start)

    with serving(server := WebServer(slow, threads=2, limits=Limits(connections=2))):
        with ExitStack() as held:
            lines = [held.enter_context(dial(server.port)) for _ in range(4)]
            for line in lines:
                line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            for _ in range(2):
                assert entered.acquire(timeout=TIMEOUT)
            go.set()
            assert all(rest_of(line).endswith(b"ok") for line in lines)


# --- two lengths --------------------------------------------------------------------------------

CHUNK = b"2\r\nhi\r\n0\r\n\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
TWO_LENGTHS = {
    "both": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n",
    "the other way round": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: 5\r\n\r\n",
    "an old version": b"POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nContent-Length: 5\r\n\r\n",
}
GUNICORN = """
from shared.web.server import run_gunicorn
from tests.web.test_connections import hello
run_gunicorn(lambda: hello, host="127.0.0.1", port={port})
"""


@pytest.fixture(scope="module", params=["waitress", "gunicorn"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    if request.param == "waitress":
        with serving(server := WebServer(hello)):
            yield server.port
        return
    free = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", GUNICORN.format(port=free)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        _until_open(free)
        yield free
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def _until_open(port: int) -> None:
    ends = time.monotonic() + TIMEOUT
    while time.monotonic() < ends:
        try:
            dial(port).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("gunicorn does not listen")


@pytest.mark.parametrize("head", TWO_LENGTHS.values(), ids=TWO_LENGTHS)
def test_a_request_of_two_lengths_is_refused_and_the_line_closed(port: int, head: bytes) -> None:
    with dial(port) as line:
        line.sendall(head + CHUNK + NEXT)
        told = rest_of(line)
    assert told.split(b" ")[1] == b"400", told
    assert told.count(b"HTTP/1.") == 1, "what was hidden behind it was answered"


def test_a_body_in_pieces_alone_is_taken(port: int) -> None:
    with dial(port) as line:
        line.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK
        )
        assert rest_of(line).endswith(b"okhi")
