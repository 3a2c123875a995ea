from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from shared.web.server import WebServer, serving
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


class Slow:
    """An app whose request stands still until it is let go."""

    def __init__(self, size: int = 10):
        self.entered, self.go, self.size = threading.Event(), threading.Event(), size

    def __call__(self, environ, start):
        self.entered.set()
        assert self.go.wait(20)
        start("200 OK", [("Content-Length", str(self.size)), ("Content-Type", "text/plain")])
        return [b"x" * self.size]


def hello(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [environ["SERVER_PORT"].encode()]


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.status, answer.read()


def in_thread(work):
    box = {}

    def run():
        try:
            box["result"] = work()
        except OSError as error:
            box["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    return thread, box


def test_several_apps_run_in_one_process_each_on_its_own_port():
    one, two = WebServer(hello), WebServer(hello)
    assert one.port != two.port
    with serving(one, two):
        assert get(one.url) == (200, str(one.port).encode())
        assert get(two.url) == (200, str(two.port).encode())
    for server in (one, two):
        with pytest.raises(urllib.error.URLError):
            get(server.url)


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_stopping_finishes_the_request_that_is_running(size):
    app = Slow(size)
    server = WebServer(app).start()
    asking, asked = in_thread(lambda: get(server.url))
    assert app.entered.wait(60)
    stopping, stopped = in_thread(server.stop)
    _until_refused(server.port)
    app.go.set()
    asking.join(20)
    stopping.join(20)
    status, body = asked["result"]
    assert (status, len(body)) == (200, size)
    assert stopped["result"] is True


def _until_refused(port):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
    pytest.fail("the server still takes connections")


def test_a_request_that_never_ends_does_not_hold_the_process_for_ever():
    app = Slow()
    server = WebServer(app).start()
    asking, _ = in_thread(lambda: get(server.url))
    assert app.entered.wait(60)
    assert server.stop(drain=0.2) is False
    app.go.set()
    asking.join(20)


def test_a_server_that_never_ran_can_be_stopped():
    assert WebServer(hello).stop() is True


def test_a_port_that_is_taken_is_an_error_at_once():
    server = WebServer(hello)
    with pytest.raises(OSError, match="in use"):
        WebServer(hello, port=server.port)
    server.stop()


PROGRAM = """
import sys, threading
from shared.web.server import {runner}
entered = threading.Event()
def app(environ, start):
    print("entered", flush=True)
    sys.stdin.readline()
    start("200 OK", [("Content-Length", "4")])
    return [b"done"]
{main}
"""
WAITRESS = """
server = WebServer(app, port={port})
print("up", flush=True)
ok = run([server], on_stop=lambda: print("closed", flush=True))
sys.exit(0 if ok else 3)
"""
GUNICORN = """
def build():
    print("up", flush=True)
    return app
run_gunicorn(build, host="127.0.0.1", port={port}, on_stop=lambda: print("closed", flush=True))
"""


@pytest.mark.parametrize(
    ("runner", "main"),
    [("WebServer, run", WAITRESS), ("run_gunicorn", GUNICORN)],
    ids=["waitress", "gunicorn"],
)
def test_sigterm_finishes_the_running_request_and_exits_0(runner, main):
    port = free_port()
    program = PROGRAM.format(runner=runner, main=main.format(port=port))
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout.readline() == "up\n"
        asking, asked = in_thread(lambda: _get_when_up(port))
        assert process.stdout.readline() == "entered\n"
        process.send_signal(signal.SIGTERM)
        _until_refused(port)
        process.stdin.write("go\n")
        process.stdin.flush()
        asking.join(20)
        assert asked["result"] == (200, b"done")
        assert process.stdout.readline() == "closed\n"
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _get_when_up(port):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            continue
    return get(f"http://127.0.0.1:{port}/")
