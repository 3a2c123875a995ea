"""Exit 0 when a port of this container answers as it should: the health check of compose.yaml.

    ready.py 9000         GET /readyz says 200
    ready.py 8025 smtp    the mail server greets

Only the socket module: it is started every few seconds in every container.
"""

from __future__ import annotations

import socket
import sys


def answers(port: int, kind: str = "http") -> bool:
    """Whether the door is open and what it says first is good."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=4) as line:
            if kind == "smtp":
                said = line.recv(16)
                line.sendall(b"QUIT\r\n")
                return said.startswith(b"220")
            line.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return line.recv(16).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(int(sys.argv[1]), *sys.argv[2:3]) else 1)
