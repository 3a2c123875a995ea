"""The mail server of the benchmark: a stranger on aiosmtpd that takes every letter and notes when."""

from __future__ import annotations

import asyncio
import email
import re
import socket
import threading
import time
from typing import Any

from aiosmtpd.smtp import SMTP

from bench.crew import Tally
from bench.sheet import Sheet

_CODE = re.compile(r"[0-9.]+H\d\d-\d{6}-\d{4,}")


class MailSink:
    """Serves on `listening`, counts, and keeps (dossier code, monotonic seconds)."""

    def __init__(self, tally: Tally, listening: socket.socket) -> None:
        self._tally = tally
        self._log = Sheet()
        self._loop = asyncio.new_event_loop()
        self._serving = self._loop.create_server(lambda: SMTP(self), sock=listening)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serving)
        self._loop.run_forever()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """A letter has come."""
        at = time.monotonic()
        parts = email.message_from_bytes(envelope.content).walk()
        plain = (each for each in parts if each.get_content_type() == "text/plain")
        text = next(plain).get_payload(decode=True)
        found = _CODE.search(text.decode() if isinstance(text, bytes) else "")
        if found is None:
            return "554 a letter without a dossier code"
        self._log.note(found.group(), at)
        self._tally.messages.value += 1
        return "250 taken"

    def ask(self, message: Any) -> Any:
        """("log", n): the entries from the n-th on."""
        return self._log.since(message[1])

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
