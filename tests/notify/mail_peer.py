"""A mail server on a plain socket that says whatever a test tells it to, at every turn of the talk.

It knows only what went over the line: which texts came whole, with their final dot. No test lives
here.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

#: In place of words: hang up; say nothing and keep the line open; wait for `Peer.go`.
CLOSE, HANG, HOLD = "<close>", "<hang>", "<hold>"
Temper = Mapping[str, object]

_USUAL: Temper = {
    "greeting": "220 peer",
    "EHLO": "250-peer\r\n250 8BITMIME",
    "HELO": "250 peer",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "text": "250 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
    "STARTTLS": "220 go",
    "AUTH": "235 in",
}


class Gone(Exception):
    """The line is over."""


class Peer:
    """Serves on a free port; `temper` says what it answers at which turn, `None` what is usual.

    An answer is text (CRLF is put behind it unless it ends in `|`), one of the words above, a list
    of these, or a function of the recipient's address.
    """

    def __init__(self, temper: Temper | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.temper: dict[str, object] = {**_USUAL, **(temper or {})}
        self.texts: list[tuple[str, bytes]] = []  # with their final dot, as they came
        self.heard: list[str] = []
        self.connections = 0
        self.passwords: list[tuple[str, str]] = []
        self.go = threading.Event()
        self.at = threading.Event()  # somebody waits at HOLD or HANG
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        self.go.set()
        self._listening.close()
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                self.connections += 1
                self._lines.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(Gone, OSError):
            _Talk(self, line, self._tls).run()
        with contextlib.suppress(OSError):
            line.close()


class _Talk:
    def __init__(self, peer: Peer, line: socket.socket, tls: ssl.SSLContext | None) -> None:
        self._peer, self._line, self._tls = peer, line, tls
        self._file = line.makefile("rb")
        self._to = ""

    def run(self) -> None:
        self._say("greeting")
        while True:
            heard = self._read().decode("utf-8", "replace").rstrip("\r\n")
            self._peer.heard.append(heard)
            verb = heard.partition(" ")[0].upper()
            if verb == "RCPT":
                self._to = heard.partition("<")[2].partition(">")[0]
            special = {"DATA": self._data, "STARTTLS": self._starttls, "AUTH": self._auth}
            if verb in special:
                special[verb](heard)
            else:
                self._say(verb)
            if verb == "QUIT":
                return

    def _data(self, _: str) -> None:
        if not self._say("DATA").startswith("354"):
            return
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            text += self._read()
        self._peer.texts.append((self._to, text))
        self._say("text")

    def _starttls(self, _: str) -> None:
        self._say("STARTTLS")
        assert self._tls is not None
        self._line = self._tls.wrap_socket(self._line, server_side=True)
        self._peer._lines.append(self._line)
        self._file = self._line.makefile("rb")

    def _auth(self, heard: str) -> None:
        way, _, first = heard.partition(" ")[2].partition(" ")
        if way == "PLAIN":
            _, user, password = base64.b64decode(first).decode().split("\0")
        else:
            user, password = (self._ask(word) for word in ("Username:", "Password:"))
        self._peer.passwords.append((user, password))
        self._say("AUTH")

    def _ask(self, word: str) -> str:
        self._line.sendall(b"334 " + base64.b64encode(word.encode()) + b"\r\n")
        return base64.b64decode(self._read()).decode()

    def _read(self) -> bytes:
        line = self._file.readline()
        if not line:
            raise Gone
        return line

    def _say(self, turn: str) -> str:
        answer = self._peer.temper.get(turn, "500 what?")
        if callable(answer):
            answer = answer(self._to)
        said = ""
        for part in answer if isinstance(answer, list) else [answer]:
            said = self._do(turn, part) or said
        return said

    def _do(self, turn: str, part: object) -> str:
        if part is None:
            part = _USUAL[turn]
        if part == CLOSE:
            self._line.shutdown(socket.SHUT_RDWR)
            raise Gone
        if part in (HANG, HOLD):
            self._peer.at.set()
            self._peer.go.wait(60)
            if part == HANG:
                raise Gone
            return ""
        if isinstance(part, float):
            time.sleep(part)
            return ""
        text = str(part)
        self._line.sendall(
            text.removesuffix("|").encode() if text.endswith("|") else f"{text}\r\n".encode()
        )
        return text


def by_name(**answers: object) -> Callable[[str], object]:
    """An answer by the recipient's name before the @; the usual one for others."""
    return lambda to: answers.get(to.partition("@")[0])


@contextmanager
def mail_peer(temper: Temper | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A peer for a block."""
    peer = Peer(temper, tls)
    try:
        yield peer
    finally:
        peer.close()
