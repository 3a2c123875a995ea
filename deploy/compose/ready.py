"""Exit 0 when a port of this container answers as it should: the health check of compose.yaml.

    ready.py 9000         GET /readyz says 200
    ready.py 8025 smtp    the mail server greets

A process whose loop is dead or stuck (GET /healthz says so) is asked to end, and the restart policy
starts it anew: nothing else would. Few imports: this is started every few seconds, everywhere.
"""

from __future__ import annotations

import os
import signal
import socket
import sys


def greets(port: int) -> bool:
    """Whether a mail server says that it is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=4) as line:
            said = line.recv(16)
            line.sendall(b"QUIT\r\n")
            return said.startswith(b"220")
    except OSError:
        return False


def status(port: int, path: str) -> int:
    """The status that a door answers with; 0 where it does not answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.settimeout(2)
            line.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            return int(line.recv(16).split(b" ")[1])
    except (OSError, ValueError, IndexError):
        return 0


def ready(port: int) -> bool:
    """Whether the process can work; one that only a restart can help is asked to end."""
    if status(port, "/readyz") == 200:
        return True
    if status(port, "/healthz") == 503:
        os.kill(1, signal.SIGTERM)
    return False


if __name__ == "__main__":
    number = int(sys.argv[1])
    sys.exit(0 if (greets(number) if sys.argv[2:] == ["smtp"] else ready(number)) else 1)
