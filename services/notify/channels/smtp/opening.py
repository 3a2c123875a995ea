"""How a connection to a mail server is opened: greeting, TLS, sign-in.

Names and passwords are sent as UTF-8 (RFC 4616): no password is impossible for its accents.
"""

from __future__ import annotations

import base64
import hmac
import ssl
from collections.abc import Iterator
from typing import Final

from services.notify.channels.smtp.server import SmtpServer
from services.notify.channels.smtp.session import Refusal, Session, Times, is_yes
from services.notify.channels.smtp.wire import Broken, Reply, Talk, connected

_READY: Final = 220
_CONTINUE: Final = 334


def opened(server: SmtpServer, times: Times, context: ssl.SSLContext | None) -> Talk[Session]:
    """A session on which letters can be handed over; `Refusal` says at which step it failed."""
    step = "connect"
    try:
        wire = yield from connected(server.host, server.port, times.connect)
    except Broken as broken:
        raise Refusal(f"smtp {step}: {broken}") from None
    session = Session(wire, times)
    try:
        for step, act in _steps(session, server, context):  # noqa: B007 - told where it fails
            yield from act
    except (Broken, _No) as no:
        wire.close()
        raise Refusal(f"smtp {step}: {no}") from None
    except BaseException:  # also where the talk is left in the middle
        wire.close()
        raise
    return session


class _No(Exception):
    """A step did not succeed; the code, or words of ours."""


def _steps(
    session: Session, server: SmtpServer, context: ssl.SSLContext | None
) -> Iterator[tuple[str, Talk[None]]]:
    offered: list[str] = []
    if server.tls == "implicit":
        yield "tls", session.wire.encrypt(_context(context), server.host, session.times.connect)
    yield "greeting", _greeting(session)
    yield "greeting", _hello(session, offered)
    if server.tls == "starttls":
        yield "starttls", _start_tls(session, server, context, offered)
        yield "greeting", _hello(session, offered)
    if server.user is not None:
        yield "sign-in", _sign_in(session, server.user, server.password or "", offered)


def _context(given: ssl.SSLContext | None) -> ssl.SSLContext:
    return given or ssl.create_default_context()


def _greeting(session: Session) -> Talk[None]:
    _expect(_READY, (yield from session.wire.reply(session.times.reply)))


def _hello(session: Session, offered: list[str]) -> Talk[None]:
    # The line's own address: this machine's name may be none that a server accepts.
    address = session.wire.own_address
    name = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
    reply = yield from session.ask(f"EHLO {name}")
    offered[:] = [line.upper() for line in reply.lines[1:]]
    if not is_yes(reply):
        reply = yield from session.ask(f"HELO {name}")
    if not is_yes(reply):
        raise _No(reply.code)


def _start_tls(
    session: Session, server: SmtpServer, context: ssl.SSLContext | None, offered: list[str]
) -> Talk[None]:
    if "STARTTLS" not in offered:
        raise _No("the server does not offer it")
    _expect(_READY, (yield from session.ask("STARTTLS")))
    yield from session.wire.encrypt(_context(context), server.host, session.times.connect)


def _sign_in(session: Session, user: str, password: str, offered: list[str]) -> Talk[None]:
    ways = {
        way
        for line in offered
        if line.startswith(("AUTH ", "AUTH="))
        for way in line[len("AUTH ") :].split()
    }
    if "PLAIN" in ways:
        both = f"\0{user}\0{password}"
        reply = yield from session.ask(f"AUTH PLAIN {_coded(both.encode())}")
    elif "LOGIN" in ways:
        reply = yield from session.ask("AUTH LOGIN")
        for word in (user, password):
            _expect(_CONTINUE, reply)
            reply = yield from session.ask(_coded(word.encode()))
    elif "CRAM-MD5" in ways:
        reply = yield from session.ask("AUTH CRAM-MD5")
        _expect(_CONTINUE, reply)
        reply = yield from session.ask(_coded(_proof(user, password, reply)))
    else:
        raise _No("the server offers no way that is known here (PLAIN, LOGIN, CRAM-MD5)")
    if not is_yes(reply):
        raise _No(reply.code)


def _proof(user: str, password: str, challenge: Reply) -> bytes:
    try:
        asked = base64.b64decode(challenge.lines[0], validate=True)
    except ValueError:
        raise _No("a challenge that is no base64") from None
    return f"{user} {hmac.new(password.encode(), asked, 'md5').hexdigest()}".encode()


def _coded(word: bytes) -> str:
    return base64.b64encode(word).decode("ascii")


def _expect(code: int, reply: Reply) -> None:
    if reply.code != code:
        raise _No(reply.code)
