"""The mail server of a run: it has tempers, and it alone knows which letters it kept for a citizen.

Written on a plain socket, since a library would not hang up in the middle. Every letter whose text
was begun is a line of its log. Must not: know what the city thinks of a letter.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import hashlib
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Self

TEMPERS: Final[Mapping[str, int]] = {
    "takes": 78,
    "not now (421 to MAIL)": 3,
    "later (451 to RCPT)": 3,
    "full (452 to the text)": 3,
    "never (550 to the text, hangs up)": 2,
    "hangs up in the text": 4,
    "slow after the dot": 4,
    "keeps it and hangs up": 2,
    "hangs up after the dot": 1,
}
KEPT: Final = frozenset({"takes", "slow after the dot", "keeps it and hangs up"})
_IDLE_SECONDS: Final = 120.0
_SLOW_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One text as it came. `whole`: with its final dot. `kept`: its citizen reads it.

    `said` is the code of the answer, empty where the server gave none.
    """

    id: str
    to: str
    subject: str
    text: str  # digest
    whole: bool
    kept: bool
    said: str
    temper: str


class Post:
    """Serves until the end of a block; `letters` is its log."""

    def __init__(self, file: Path, seed: int) -> None:
        self.letters: list[Letter] = []
        self._calm = threading.Event()
        self._file = file.open("w", encoding="utf-8")
        self._rng = Random(f"mail {seed}")
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._lines: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, name="post", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", int(self._listening.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listening.close()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._file.close()

    def calm_down(self) -> None:
        """Take every letter from now on."""
        self._calm.set()

    def seen(self) -> list[Letter]:
        """The log so far."""
        with self._lock:
            return list(self.letters)

    # --- talking --------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(_IDLE_SECONDS)
        with self._lock:
            self._lines.add(line)
        try:
            with line, contextlib.suppress(OSError, _Gone):
                self._talk(_Talk(line))
        finally:
            with self._lock:
                self._lines.discard(line)

    def _talk(self, talk: _Talk) -> None:
        talk.say("220 buu-dien")
        temper, to = "takes", ""
        while True:
            asked = talk.line()
            verb = asked[:4].upper()
            if verb == b"MAIL":
                temper = self._temper()
                if temper.startswith("not now"):
                    talk.say("421 not now")
                    return
                talk.say("250 ok")
            elif verb == b"RCPT":
                to = asked.decode("ascii", "replace").partition("<")[2].partition(">")[0]
                talk.say("451 later" if temper.startswith("later") else "250 ok")
            elif verb == b"DATA":
                talk.say("354 go on")
                if not self._take(talk, temper, to):
                    return
            elif verb == b"QUIT":
                talk.say("221 bye")
                return
            else:
                talk.say("250 ok")

    def _temper(self) -> str:
        with self._lock:
            drawn = self._rng.choices([*TEMPERS], [*TEMPERS.values()])[0]
        return "takes" if self._calm.is_set() else drawn

    def _take(self, talk: _Talk, temper: str, to: str) -> bool:
        """Take a text as the temper says; whether the line stays."""
        try:
            text = talk.text(300 if temper == "hangs up in the text" else None)
        except (OSError, _Gone) as broken:
            self._note(getattr(broken, "so_far", b""), to, temper, whole=False, said="")
            raise
        if temper == "slow after the dot":
            self._stopping.wait(_SLOW_SECONDS)
        said = {
            "full (452 to the text)": "452",
            "never (550 to the text, hangs up)": "550",
            "keeps it and hangs up": "",
            "hangs up after the dot": "",
        }.get(temper, "250")
        self._note(text, to, temper, whole=True, said=said)
        if said:
            talk.say(f"{said} said")
        return said in ("250", "452")

    def _note(self, text: bytes, to: str, temper: str, *, whole: bool, said: str) -> None:
        read = email.message_from_bytes(text, policy=email.policy.default)
        found = Letter(
            id=str(read.get("Message-ID", "")).strip("<>").partition("@")[0],
            to=to,
            subject=str(read.get("Subject", "")),
            text=hashlib.sha256(text).hexdigest()[:16],
            whole=whole,
            kept=whole and temper in KEPT,
            said=said,
            temper=temper,
        )
        with self._lock:
            self.letters.append(found)
            if not self._file.closed:
                self._file.write(json.dumps(asdict(found), ensure_ascii=False) + "\n")
                self._file.flush()


class _Gone(Exception):
    """The other side has left, or we have, with this much of the text."""

    def __init__(self, so_far: bytes = b"") -> None:
        super().__init__("gone")
        self.so_far = so_far


class _Talk:
    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._read: Any = line.makefile("rb")

    def say(self, words: str) -> None:
        self._line.sendall(f"{words}\r\n".encode())

    def line(self) -> bytes:
        found: bytes = self._read.readline(4096)
        if not found.endswith(b"\n"):
            raise _Gone
        return found.strip()

    def text(self, most: int | None) -> bytes:
        """Everything up to the final dot; `_Gone` where it does not come, or after `most` bytes."""
        found = b""
        while True:
            part: bytes = self._read.readline(65536)
            if not part.endswith(b"\n") or (most is not None and len(found) > most):
                raise _Gone(found)
            if part == b".\r\n":
                return found
            found += part[1:] if part.startswith(b"..") else part
