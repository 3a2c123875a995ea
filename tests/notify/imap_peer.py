"""A mailbox behind IMAP over TLS on a real socket, with tempers; it knows what it was asked. No test here.

So much of RFC 3501 as a reader of mail needs: CAPABILITY, AUTHENTICATE, LOGIN, SELECT, UID SEARCH,
UID FETCH of a part, UID STORE, LOGOUT.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PART = re.compile(rb"BODY\.PEEK\[\]<0\.(\d+)>")


class ImapPeer:
    """`temper`: hang-up:<command>, refuse, slow, drip, read-only, store-fails, long-literal, or none."""

    def __init__(self, own: tuple[str, str], temper: str = "") -> None:
        self.temper = temper
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.heard: list[str] = []
        self.visits = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*own)
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def put(self, *mails: bytes) -> None:
        for mail in mails:
            name = len(self.mails) + 1
            self.mails[name] = mail
            self.flags[name] = set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, ValueError), line:
            with self._context.wrap_socket(line, server_side=True) as told:
                self.visits += 1
                self._say(told, b"* OK peer\r\n")
                read = told.makefile("rb")
                while asked := read.readline():
                    tag, _, rest = asked.strip().partition(b" ")
                    self.heard.append(rest.decode("utf-8", "replace"))
                    if not self._answer(told, read, tag, rest):
                        return

    def _say(self, told: ssl.SSLSocket, text: bytes) -> None:
        if self.temper != "drip":
            told.sendall(text)
            return
        for each in text:
            told.sendall(bytes([each]))
            time.sleep(0.05)

    def _answer(self, told: ssl.SSLSocket, read: object, tag: bytes, rest: bytes) -> bool:
        word = (
            rest.split(b" ")[0].upper()
            if not rest.upper().startswith(b"UID")
            else b" ".join(rest.upper().split(b" ")[:2])
        )
        if self.temper == f"hang-up:{word.decode()}":
            return False
        if self.temper == "slow":
            time.sleep(1.0)
        if word == b"AUTHENTICATE":
            told.sendall(b"+ \r\n")
            rest = base64.b64decode(read.readline())  # type: ignore[attr-defined]
        acts = {
            b"CAPABILITY": lambda _: (b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", b"OK done"),
            b"AUTHENTICATE": self._signed_in,
            b"SELECT": self._selected,
            b"UID SEARCH": self._found,
            b"UID FETCH": self._fetched,
            b"UID STORE": self._stored,
            b"LOGOUT": lambda _: (b"* BYE\r\n", b"OK done"),
        }
        more, done = acts[word](rest)
        self._say(told, more + tag + b" " + done + b"\r\n")
        return word != b"LOGOUT"

    def _signed_in(self, said: bytes) -> tuple[bytes, bytes]:
        right = said == "\0tra-lai\0mật khẩu".encode()
        return b"", b"OK in" if right and self.temper != "refuse" else b"NO [AUTHENTICATIONFAILED]"

    def _selected(self, _: bytes) -> tuple[bytes, bytes]:
        more = b"* %d EXISTS\r\n* OK [UIDVALIDITY 1]\r\n" % len(self.mails)
        return more, b"OK [READ-ONLY]" if self.temper == "read-only" else b"OK [READ-WRITE]"

    def _found(self, _: bytes) -> tuple[bytes, bytes]:
        unseen = [str(n) for n, flags in self.flags.items() if r"\Seen" not in flags]
        return f"* SEARCH {' '.join(unseen)}\r\n".encode(), b"OK done"

    def _stored(self, rest: bytes) -> tuple[bytes, bytes]:
        if self.temper == "store-fails":
            return b"", b"NO no room"
        name, flags = int(rest.split(b" ")[2]), rest.partition(b"(")[2].rstrip(b")")
        self.flags[name] |= set(flags.decode().split())
        return b"", b"OK done"

    def _fetched(self, rest: bytes) -> tuple[bytes, bytes]:
        name, most = int(rest.split(b" ")[2]), int(_PART.search(rest)[1])  # type: ignore[index]
        mail = self.mails[name][:most]
        size = 10**9 if self.temper == "long-literal" else len(mail)
        head = b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (name, name, size)
        return head + mail + b")\r\n", b"OK done"


@contextmanager
def imap_peer(own: tuple[str, str], temper: str = "") -> Iterator[ImapPeer]:
    peer = ImapPeer(own, temper)
    try:
        yield peer
    finally:
        peer.close()
