"""One connection to an SMSC: a thread of its own reads it, whoever sends writes to it.

It answers what the SMSC asks, keeps receipts and citizens' texts until somebody has written them down, and says by
`closed` that it is of no more use. Nothing here is tried again.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.notify.channels.smpp import pdus
from services.notify.channels.smpp.pdus import Garbled, Maker, Pdu
from services.notify.channels.smpp.server import SmppServer
from services.notify.channels.smpp.written import written
from services.notify.domain.incoming import Incoming
from services.notify.domain.receipts import Receipt

_CHUNK: Final = 65_536
_SLICE: Final = 0.25
#: So many receipts and texts wait to be written down; beyond them the SMSC is told to come again later.
_MOST_HEARD: Final = 500


class Broken(Exception):
    """The connection is of no use; the text is a reason of ours, never the SMSC's words."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long an SMSC may take, in seconds. `silent`: after so long it is asked whether it lives."""

    connect: float = 10.0
    reply: float = 30.0
    silent: float = 30.0
    throttled: float = 1.0  # the first pause; each next one is twice as long
    longest_pause: float = 60.0
    parts: float = 60.0  # so long a letter of which a part was taken is tried to be completed


class Line:
    """A bound connection; `Broken` from any call means that it is over."""

    def __init__(self, connected: socket.socket, server: SmppServer, times: Times) -> None:
        self.make = Maker(server)
        self.times = times
        self.closed = ""  # why, once it is
        self.answered = 0  # how much of what was asked, the bind among it
        self.other = 0  # what was neither receipt nor text, and is not kept
        self._server = server
        self._socket = connected
        self._writing = threading.Lock()  # one PDU after the other
        self._touching = threading.Lock()  # OpenSSL wants one thread at a time
        self._heard_at = time.monotonic()
        self._asked_at = 0.0
        self._news = threading.Condition()
        self._wanted: set[int] = set()
        self._answers: dict[int, Pdu] = {}
        self._told: deque[Receipt | Incoming] = deque()
        self._unthanked = 0
        connected.setblocking(False)
        self._thread = threading.Thread(target=self._read, name="notify.smpp.reader", daemon=True)
        self._thread.start()

    # --- for whoever sends ------------------------------------------------------------------------

    def ask(self, sequence: int, raw: bytes) -> None:
        """Send a PDU whose answer is wanted."""
        with self._news:
            self._wanted.add(sequence)
        self.write(raw)

    def answer(self, sequence: int, seconds: float) -> Pdu | None:
        """The answer to it, if it comes within so many seconds; `Broken` where none can."""
        with self._news:
            self._news.wait_for(lambda: sequence in self._answers or self.closed, seconds)
            if sequence in self._answers:
                self._wanted.discard(sequence)
                return self._answers.pop(sequence)
            if self.closed:
                raise Broken(self.closed)
            return None

    def write(self, raw: bytes) -> None:
        """Hand all of it to the system; `Broken` means that its end certainly did not go out."""
        end, left = time.monotonic() + self.times.reply, memoryview(raw)
        with self._writing:
            while left:
                if self.closed:
                    raise Broken(self.closed)
                try:
                    with self._touching:
                        left = left[self._socket.send(left) :]
                    continue
                except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
                except (OSError, ValueError) as error:
                    self.close(type(error).__name__)
                    continue
                if time.monotonic() > end:
                    self.close("takes nothing")
                self._wait(writing=True)

    def told(self, seconds: float) -> list[Receipt | Incoming]:
        """Receipts and texts since the last call; waits so long for the first."""
        with self._news:
            self._news.wait_for(lambda: self._told or self.closed, seconds)
            told = list(self._told)
            self._told.clear()
            self._unthanked += len(told)
        return told

    def thank(self, told: Sequence[Receipt | Incoming]) -> None:
        """Say that these are written down: only now does the SMSC forget them."""
        with self._news:
            self._unthanked -= len(told)
        for each in told:
            if isinstance(each.token, int):
                self.write(self.make.answer("deliver_sm_resp", each.token))

    def unbind(self) -> None:
        """Say goodbye and hang up."""
        try:
            sequence, raw = self.make.plain("unbind")
            self.ask(sequence, raw)
            self.answer(sequence, 1.0)
        except Broken:
            pass
        self.close("closed by us")

    def close(self, why: str) -> None:
        """Hang up; the first reason stays."""
        with self._news:
            self.closed = self.closed or why
            self._news.notify_all()
        with contextlib.suppress(OSError, ValueError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._touching:
            self._socket.close()

    # --- the reader ------------------------------------------------------------------------------

    def _read(self) -> None:
        held = b""
        try:
            while not self.closed:
                more = self._more()
                if more:
                    self._heard_at = time.monotonic()
                held = self._take(held + more)
                self._see_that_it_lives()
        except Broken as broken:
            self.close(str(broken))
        except Garbled:
            self.close("speaks no SMPP")
        except (OSError, ValueError) as error:
            self.close(type(error).__name__)

    def _more(self) -> bytes:
        try:
            with self._touching:
                more = self._socket.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._wait(writing=False)
            return b""
        if not more:
            raise Broken("closed by the server")
        return more

    def _wait(self, *, writing: bool) -> None:
        wanted = selectors.EVENT_WRITE if writing else selectors.EVENT_READ
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, wanted)
                selector.select(_SLICE)
        except (OSError, ValueError) as error:  # closed meanwhile
            raise Broken(self.closed or type(error).__name__) from None

    def _take(self, held: bytes) -> bytes:
        """Act on each whole PDU; what is left of the next."""
        while len(held) >= 4:  # as much as says how long it is
            (length,) = struct.unpack(">L", held[:4])
            if not pdus.HEADER <= length <= pdus.LONGEST:
                raise Garbled
            if len(held) < length:
                break
            self._hear(pdus.read(held[:length]))
            held = held[length:]
        return held

    def _hear(self, pdu: Pdu) -> None:
        if pdu.command.endswith("_resp") or pdu.command == "generic_nack":
            with self._news:
                if pdu.sequence in self._wanted:
                    self.answered += 1
                    self._answers.setdefault(pdu.sequence, pdu)
                    self._news.notify_all()
        elif pdu.command == "deliver_sm":
            self._keep(pdu)
        elif pdu.command == "enquire_link":
            self.write(self.make.answer("enquire_link_resp", pdu.sequence))
        elif pdu.command == "unbind":
            self.write(self.make.answer("unbind_resp", pdu.sequence))
            raise Broken("closed by the server")
        elif pdu.command != "alert_notification":
            self.write(self.make.answer("generic_nack", pdu.sequence, 3))  # ESME_RINVCMDID

    def _keep(self, pdu: Pdu) -> None:
        told = pdus.receipt(pdu, "", self._server.ids) or written(pdu)
        if told is None:
            # Nothing that can be understood: nobody waits for it.
            self.other += 1
            self.write(self.make.answer("deliver_sm_resp", pdu.sequence))
            return
        with self._news:
            full = len(self._told) + self._unthanked >= _MOST_HEARD
            if not full:
                self._told.append(replace(told, token=pdu.sequence))
                self._news.notify_all()
        if full:
            self.write(self.make.answer("deliver_sm_resp", pdu.sequence, 0x14))  # RMSGQFUL

    def _see_that_it_lives(self) -> None:
        now = time.monotonic()
        if now - self._heard_at < self.times.silent:
            return
        if now - self._heard_at > self.times.silent + self.times.reply:
            raise Broken("silent")
        if now - self._asked_at > self.times.silent:
            self._asked_at = now
            self.write(self.make.plain("enquire_link")[1])
