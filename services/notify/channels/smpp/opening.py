"""Coming to a bound connection: connect, TLS, sign in; or a reason of ours why not."""

from __future__ import annotations

import socket
import ssl

from services.notify.channels.smpp import pdus
from services.notify.channels.smpp.line import Broken, Line, Times
from services.notify.channels.smpp.server import SmppServer


def opened(server: SmppServer, times: Times, context: ssl.SSLContext | None = None) -> Line:
    """A bound line; `Broken` says at which step it came to nothing, such as `smpp bind: 14`."""
    line = Line(_connected(server, times, context), server, times)
    try:
        sequence, raw = line.make.bind()
        line.ask(sequence, raw)
        answer = line.answer(sequence, times.reply)
    except Broken as broken:
        raise Broken(f"smpp bind: {broken}") from None
    if answer is None or answer.status != pdus.OK:
        line.close("not bound")
        said = "no answer" if answer is None else f"{answer.status}"
        raise Broken(f"smpp bind: {said}")
    return line


def _connected(server: SmppServer, times: Times, context: ssl.SSLContext | None) -> socket.socket:
    try:
        plain = socket.create_connection((server.host, server.port), times.connect)
    except (OSError, UnicodeError) as error:
        raise Broken(f"smpp connect: {type(error).__name__}") from None
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not server.tls:
        return plain
    try:
        made = context or ssl.create_default_context()
        return made.wrap_socket(plain, server_hostname=server.host)
    except ssl.SSLCertVerificationError:
        step = "smpp tls: the certificate is not valid for this name"
    except OSError as error:
        step = f"smpp tls: {type(error).__name__}"
    plain.close()
    raise Broken(step)
