"""Who sends: a name for this process, and whether another one still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def process_name() -> str:
    """This process, as a name that the next one can recognise: host, process id and its start.

    The start is needed where numbers repeat: in a container every process has the same one.
    """
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_start_of(pid)}"


def process_is_gone(name: str) -> bool:
    """Whether a sender was a process of this host that no longer lives.

    Of another host nothing is known: its messages are taken over when their lease ends.
    """
    host, number, start = (*name.split(":"), "", "")[:3]
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives and is another user's; perhaps it only has the same number
    return bool(start) and _start_of(int(number)) not in ("", start)


def _start_of(pid: int) -> str:
    """When a process began, in the kernel's own ticks; nothing where no /proc tells it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
