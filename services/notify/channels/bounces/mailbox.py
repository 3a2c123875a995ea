"""The mailbox that letters come back to, by IMAP over TLS (RFC 3501); imaplib is fenced here.

A visit is short, and its length bounded whatever the server does. A mail is marked as seen only by
`done`, which whoever reads it says after the commit.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from services.notify.channels.address import Place
from services.notify.channels.bounces.reading import LONGEST

#: How long a server may say nothing, and how long a whole visit may take, in seconds.
_REPLY: Final = 20.0
_VISIT: Final = 90.0
_FOLDER: Final = re.compile(r"[A-Za-z0-9 ._/-]{1,100}")
_EXAMPLE: Final = "imaps://user:password@mail.example"
_PLACE: Final = Place("LIENTHONG_BOUNCE_MAILBOX", _EXAMPLE, {"imaps": 993, "imap": 143})


class Away(Exception):
    """The mailbox cannot be read now; the text is a reason of ours, never the server's words."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One that nobody has marked as seen; `name` is its own in this mailbox."""

    name: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where it is; from `imaps://user:password@host[:port][?folder=INBOX]`, `imap://` by STARTTLS."""

    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    folder: str = "INBOX"
    implicit: bool = True
    context: ssl.SSLContext | None = field(default=None, repr=False)
    reply_seconds: float = _REPLY
    visit_seconds: float = _VISIT
    name: str = "email.bounces"

    @contextmanager
    def opened(self) -> Iterator[Visit]:
        """Signed in, the folder chosen; `Away` says at which step it failed."""
        line = _Line()
        guard = threading.Timer(self.visit_seconds, line.hang_up)
        guard.daemon = True
        guard.start()
        try:
            with _told("connect"):
                client = self._connected(line)
            with _told("sign-in"):
                self._sign_in(client)
            with _told("folder"):
                _ok(client.select(f'"{self.folder}"'))
            yield Visit(client)
            with _told("goodbye"):
                client.logout()
        finally:
            guard.cancel()
            line.hang_up()

    def check(self) -> Iterator[object]:
        """Sign in and choose the folder; `Away` says what failed."""
        with self.opened():
            yield None

    def _connected(self, line: _Line) -> imaplib.IMAP4:
        context = self.context or ssl.create_default_context()
        client = _Client(self, line, context if self.implicit else None)
        if not self.implicit:
            _ok(client.starttls(context))
            line.socket = client.socket()
        return client

    def _sign_in(self, client: imaplib.IMAP4) -> None:
        if "AUTH=PLAIN" in client.capabilities:
            # No password is impossible for its accents (RFC 4616).
            both = f"\0{self.user}\0{self.password}".encode()
            _ok(client.authenticate("PLAIN", lambda _: both))
        else:
            _ok(client.login(self.user, self.password))


class Visit:
    """The folder, for as long as the connection stands."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client = client

    def unseen(self) -> list[str]:
        """The names of mails that are not marked, the oldest first."""
        with _told("search"):
            found = _ok(self._client.uid("SEARCH", "UNSEEN", "UNDELETED"))
            names = found[0].split() if found and isinstance(found[0], bytes) else []
            return [name.decode("ascii") for name in names if name.isdigit()]

    def fetch(self, name: str) -> Mail | None:
        """One of them, as far as it is read; None where it is gone."""
        with _told("fetch"):
            found = _ok(self._client.uid("FETCH", name, f"(BODY.PEEK[]<0.{LONGEST}>)"))
            parts = [each[1] for each in found if isinstance(each, tuple) and len(each) > 1]
            return Mail(name, bytes(parts[0])) if parts else None

    def done(self, name: str, *, flagged: bool = False) -> None:
        """It was taken in: mark it as seen, and `flagged` for people where it was set aside."""
        with _told("mark"):
            flags = r"(\Seen \Flagged)" if flagged else r"(\Seen)"
            _ok(self._client.uid("STORE", name, "+FLAGS.SILENT", flags))


class _Line:
    """The socket, from its first byte on, for whoever ends the visit from outside."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None

    def hang_up(self) -> None:
        """Whoever waits in it is woken."""
        if self.socket is not None:
            for act in (partial(self.socket.shutdown, socket.SHUT_RDWR), self.socket.close):
                with contextlib.suppress(OSError, ValueError):
                    act()


class _Client(imaplib.IMAP4):
    """With TLS from the start where a context is given. IMAP4_SSL shakes hands unguarded."""

    def __init__(self, mailbox: Mailbox, line: _Line, context: ssl.SSLContext | None) -> None:
        self._line, self._context = line, context
        super().__init__(mailbox.host, mailbox.port, mailbox.reply_seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        self._line.socket = line = socket.create_connection((self.host, self.port), timeout)
        if self._context is not None:
            self._line.socket = line = self._context.wrap_socket(
                line, server_hostname=self.host, do_handshake_on_connect=False
            )
            line.do_handshake()
        return line

    def read(self, size: int) -> bytes:
        # The length is the server's word.
        if size > 2 * LONGEST:
            raise self.abort("too long")
        return super().read(size)


def parse_mailbox(url: str | None) -> Mailbox | None:
    """The setting, None where it is empty; SettingsError says which part is wrong, never repeats it."""
    if not url:
        return None
    found = _PLACE.read(url)
    if not found.user or not found.password:
        raise _PLACE.wrong("it needs a user and a password", "cần có tên và mật khẩu")
    options = dict(found.options)
    folder = options.pop("folder", ["INBOX"])[-1]
    if options or not _FOLDER.fullmatch(folder):
        raise _PLACE.wrong(
            "behind ? only folder=... is known, a name in ASCII",
            "sau dấu ? chỉ có folder=..., tên không dấu",
        )
    return Mailbox(
        found.host, found.port, found.user, found.password, folder, found.scheme == "imaps"
    )


def _ok(answer: tuple[str, Any]) -> list[Any]:
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(kind)
    found: list[Any] = data if isinstance(data, list) else []
    return found


@contextmanager
def _told(step: str) -> Iterator[None]:
    """What a server or a library makes of a step, in a word of ours."""
    try:
        yield
    except ssl.SSLError:
        raise Away(f"imap {step}: tls") from None
    except (OSError, EOFError) as broken:
        raise Away(f"imap {step}: {type(broken).__name__}") from None
    except imaplib.IMAP4.abort:
        raise Away(f"imap {step}: the server hung up") from None
    except imaplib.IMAP4.error:
        raise Away(f"imap {step}: refused") from None
    except (ValueError, LookupError, TypeError, AttributeError) as odd:
        # imaplib trusts what a server says; what it trips over is the server's doing.
        raise Away(f"imap {step}: {type(odd).__name__}") from None
