"""Asks ClamAV whether a file is known malware: clamav-client's one place.

A scanner that is away, or that does not scan so much, says nothing: then the file is held.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Protocol

from clamav_client.scanner import ClamdScanner

from shared.log import get

SECONDS: Final = 60.0
_log = get("files")
Answer = Literal["clean", "infected", "unscanned"]


class Scanner(Protocol):
    """Says of a file whether it is malware."""

    def scan(self, path: Path) -> Answer:
        """`unscanned` where nobody knows; nothing is raised."""


class NoScanner:
    """The city has none: a file is judged by its content alone."""

    def scan(self, path: Path) -> Answer:  # noqa: ARG002 - the protocol's
        """Nobody is asked."""
        return "clean"


class Clamd:
    """clamd at a socket (`/run/clamav/clamd.ctl`) or an address (`clamav:3310`)."""

    def __init__(self, address: str) -> None:
        self._address = address

    def scan(self, path: Path) -> Answer:
        """Send it the bytes: it need not reach our files."""
        scanner = ClamdScanner({"backend": "clamd", "address": self._address, "timeout": SECONDS})
        told = scanner.scan(str(path))
        if told.state == "FOUND":
            _log.warning("files.infected", signature=told.details)
            return "infected"
        if told.state == "OK" and told.err is None:
            return "clean"
        _log.warning("files.unscanned", error=type(told.err).__name__)
        return "unscanned"


def scanner_at(address: str) -> Scanner:
    """The scanner that the settings name; none where they name none."""
    return Clamd(address) if address else NoScanner()
