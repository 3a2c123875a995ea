"""A centre for text messages (SMSC) on a real socket, with tempers, over smpplib's own PDUs.

It knows only what went over the line: `taken` is every short message that it has accepted, in
order, whether or not it said so. A program that sends by SMPP is judged by that list.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

from smpplib import smpp
from smpplib.client import SimpleSequenceGenerator
from smpplib.gsm import GSM_CHARACTER_TABLE

THROTTLED: Final = 0x58
QUEUE_FULL: Final = 0x14
WRONG_PASSWORD: Final = 0x0E
UNKNOWN_ID: Final = 0x67
_STATES: Final = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "REJECTD": 8,
}


@dataclass
class Temper:
    """How it behaves; whatever is not said is well behaved.

    `status`: what it answers to the n-th submit_sm (from 1), 0 to take it; `slow`: seconds before
    each answer. `drop_after`: hangs up behind the n-th that it has taken, without a word;
    `mute_after`: says nothing more behind it, and goes on taking. `hold`: called with the number of
    one that it has taken, before it answers. `receipts`: "now", "before" (the answer), "never", or
    "later" (by `tell`). `ids`: how an id is written in the answer and in the receipt, such as
    `("x", "d")`. `tlv`: the receipt names the id in receipted_message_id alone; `echo`: it gives
    user_message_reference back. `dribble`: everything goes out in single bytes. `greeting`: bytes
    that it says in place of an answer to a bind.
    """

    password: str = "secret"  # noqa: S105 - of a peer in tests
    status: Callable[[int], int] = lambda _: 0
    slow: float = 0.0
    drop_after: frozenset[int] = frozenset()
    mute_after: int | None = None
    hold: Callable[[int], None] = lambda _: None
    receipts: str = "now"
    ids: tuple[str, str] = ("d", "d")
    tlv: bool = False
    echo: bool = True
    dribble: bool = False
    greeting: bytes | None = None


@dataclass
class Taken:
    """One short message that was accepted."""

    number: int
    to: str
    sender: str
    coding: int
    text: bytes = field(repr=False)
    part: tuple[int, int, int] | None  # reference, of how many, which
    mark: int | None  # user_message_reference
    state: str = "ENROUTE"


class Smsc:
    """Serves on a free local port until it is closed."""

    def __init__(
        self, temper: Temper | None = None, *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.temper = temper or Temper()
        self.taken: list[Taken] = []
        self.binds: list[tuple[str, bool]] = []  # user, whether it was let in
        self.thanked: list[int] = []  # sequence numbers of deliver_sm that were answered
        self.asked: list[str] = []  # ids in query_sm
        self.submits = 0
        self._tls = tls
        self._lock = threading.RLock()
        self._numbers = SimpleSequenceGenerator()
        self._bound: list[_Talk] = []
        self._lines: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        """Hang up and listen no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Cut every line without a word."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def texts(self) -> list[tuple[str, str]]:
        """(phone, text) of every message that is whole, in the order in which it became so."""
        parts: dict[tuple[str, int, int], dict[int, bytes]] = defaultdict(dict)
        found = []
        for one in list(self.taken):
            if one.part is None:
                found.append((one.to, _decoded(one.coding, one.text)))
                continue
            reference, count, which = one.part
            held = parts[one.to, reference, count]
            held[which] = one.text
            if len(held) == count:
                text = b"".join(held[n] for n in range(1, count + 1))
                found.append((one.to, _decoded(one.coding, text)))
                held.clear()
        return found

    def tell(self, number: int, state: str = "DELIVRD", *, times: int = 1) -> bool:
        """Send the receipt of the n-th message that was taken (from 1); False with nobody bound."""
        one = self.taken[number - 1]
        one.state = state
        with self._lock:
            talks = [talk for talk in self._bound if not talk.over]
        for _ in range(times):
            if not talks:
                return False
            talks[-1].tell(one, state)
        return True

    def tell_of_nobody(self, reference: str, to: str = "84900000000") -> None:
        """A receipt for a message that it was never given."""
        stranger = Taken(0, to, "", 0, b"", None, None)
        with self._lock:
            talk = self._bound[-1]
        talk.tell(stranger, "DELIVRD", reference)

    def write(self, sender: str, octets: bytes, **fields: Any) -> None:
        """A text that a citizen has written (deliver_sm), as its bytes; `fields` are of the PDU."""
        body = {"message_payload" if len(octets) > 254 else "short_message": octets}
        values = {"destination_addr": "1900", "data_coding": 0, "esm_class": 0, **body, **fields}
        values.setdefault("short_message", b"")
        text = smpp.make_pdu("deliver_sm", client=self._numbers, source_addr=sender, **values)
        self.say(text.generate())

    def say(self, raw: bytes) -> None:
        """Any bytes to whoever is bound."""
        with self._lock:
            talk = self._bound[-1]
        talk.say(raw)

    def next_number(self) -> int:
        return int(self._numbers.next_sequence())

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                line = self._tls.wrap_socket(line, server_side=True)
                with self._lock:
                    self._lines.append(line)
            talk = _Talk(self, line)
            talk.run()
        with contextlib.suppress(OSError):
            line.close()


class _Talk:
    """What is said on one line."""

    def __init__(self, smsc: Smsc, line: socket.socket) -> None:
        self._smsc, self._line = smsc, line
        self._writing = threading.Lock()
        self._mute = False
        self.over = False

    def run(self) -> None:
        try:
            for pdu in self._heard():
                act = getattr(self, f"_{pdu.command}", None)
                if act is not None:
                    act(pdu)
                if pdu.command == "unbind":
                    return
        finally:
            self.over = True

    def say(self, raw: bytes) -> None:
        with self._writing:
            pieces = [raw[n : n + 1] for n in range(len(raw))] if self._temper.dribble else [raw]
            for piece in pieces:
                self._line.sendall(piece)

    def tell(self, one: Taken, state: str, reference: str | None = None) -> None:
        """A deliver_sm that is a receipt."""
        told = reference or format(one.number, self._temper.ids[1])
        text = f"id:{told} sub:001 dlvrd:001 submit date:2203140900 done date:2203140901 stat:{state} err:000 text:"
        receipt = smpp.make_pdu(
            "deliver_sm",
            client=self._smsc._numbers,  # noqa: SLF001 - one peer in two classes
            source_addr=one.to,
            destination_addr=one.sender,
            esm_class=4,
            short_message=b"" if self._temper.tlv else text.encode(),
        )
        if self._temper.tlv:
            receipt.receipted_message_id, receipt.message_state = told, _STATES[state]
        if self._temper.echo and one.mark is not None:
            receipt.user_message_reference = one.mark
        with contextlib.suppress(OSError):
            self.say(receipt.generate())

    @property
    def _temper(self) -> Temper:
        return self._smsc.temper

    def _heard(self) -> Iterator[Any]:
        file = self._line.makefile("rb")
        while head := file.read(4):
            (length,) = struct.unpack(">L", head)
            raw = head + file.read(length - 4)
            yield smpp.parse_pdu(raw, client=self._smsc._numbers, allow_unknown_opt_params=True)  # noqa: SLF001

    def _answer(self, command: str, pdu: Any, status: int = 0, **fields: Any) -> None:
        if self._mute:
            return
        answer = smpp.make_pdu(command, client=self._smsc._numbers, **fields)  # noqa: SLF001
        answer.sequence, answer.status = pdu.sequence, status
        self.say(answer.generate())

    def _bind_transceiver(self, pdu: Any) -> None:
        if self._temper.greeting is not None:
            self.say(self._temper.greeting)
            return
        known = pdu.password == self._temper.password.encode()
        self._smsc.binds.append((pdu.system_id.decode(), known))
        if known:
            with self._smsc._lock:  # noqa: SLF001
                self._smsc._bound.append(self)  # noqa: SLF001
        status = 0 if known else WRONG_PASSWORD
        self._answer("bind_transceiver_resp", pdu, status, system_id="smsc")

    def _enquire_link(self, pdu: Any) -> None:
        self._answer("enquire_link_resp", pdu)

    def _unbind(self, pdu: Any) -> None:
        self._answer("unbind_resp", pdu)

    def _deliver_sm_resp(self, pdu: Any) -> None:
        if pdu.status == 0:
            self._smsc.thanked.append(pdu.sequence)

    def _query_sm(self, pdu: Any) -> None:
        asked = pdu.message_id.decode()
        self._smsc.asked.append(asked)
        for one in self._smsc.taken:
            if format(one.number, self._temper.ids[0]) == asked:
                fields = {"message_id": asked, "message_state": _STATES[one.state]}
                self._answer("query_sm_resp", pdu, final_date="", error_code=0, **fields)
                return
        empty = {"message_id": "", "message_state": 7, "final_date": "", "error_code": 0}
        self._answer("query_sm_resp", pdu, UNKNOWN_ID, **empty)

    def _submit_sm(self, pdu: Any) -> None:
        temper, smsc = self._temper, self._smsc
        with smsc._lock:  # noqa: SLF001
            smsc.submits += 1
            status = temper.status(smsc.submits)
            one = None if status else self._took(pdu)
        time.sleep(temper.slow)
        if one is None:
            self._answer("submit_sm_resp", pdu, status, message_id="")
            return
        temper.hold(one.number)
        if one.number in temper.drop_after:
            self._line.shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        self._mute = self._mute or one.number == temper.mute_after
        if temper.receipts == "before":
            smsc.tell(one.number)
        self._answer("submit_sm_resp", pdu, message_id=format(one.number, temper.ids[0]))
        if temper.receipts == "now":
            smsc.tell(one.number)

    def _took(self, pdu: Any) -> Taken:
        text = pdu.short_message or pdu.message_payload or b""
        part = None
        if pdu.esm_class & 0x40:
            part, text = (text[3], text[4], text[5]), text[text[0] + 1 :]
        number = len(self._smsc.taken) + 1
        to, sender = pdu.destination_addr.decode(), pdu.source_addr.decode()
        one = Taken(number, to, sender, pdu.data_coding, text, part, pdu.user_message_reference)
        self._smsc.taken.append(one)
        return one


def _decoded(coding: int, text: bytes) -> str:
    if coding == 8:
        return text.decode("utf-16-be")
    letters, found = iter(text), ""
    for octet in letters:
        place = 0x80 + next(letters) if octet == 0x1B else octet
        # The library's table lacks this one letter.
        found += "§" if place == 0x5F else GSM_CHARACTER_TABLE[place]
    return found
