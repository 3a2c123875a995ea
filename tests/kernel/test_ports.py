"""The ports that tests hand to their servers."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import LOOPBACK, free_port, free_ports_in_a_row

PROJECT = Path(__file__).resolve().parents[2]


def test_a_held_port_is_nobody_elses_and_its_server_can_listen_on_it():
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((LOOPBACK, port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port), timeout=5)
    for _start in range(2):  # a server that is stopped and started again
        with socket.create_server((LOOPBACK, port)) as server:
            with socket.create_connection((LOOPBACK, port), timeout=5) as caller:
                line, _ = server.accept()
                with line:
                    line.sendall(b"well")
                    assert caller.recv(4) == b"well"


def test_two_processes_that_hold_ports_never_hold_the_same():
    mine = {free_port() for _ in range(50)}
    first = free_ports_in_a_row(3)
    mine |= {first, first + 1, first + 2}
    assert len(mine) == 53
    holding = (
        "from tests.ports import free_ports_in_a_row as row\nprint([row(3) for _ in range(30)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", holding], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    theirs = [int(word) for word in done.stdout.strip("[]\n").split(",")]
    assert mine.isdisjoint(port + place for port in theirs for place in range(3))
