"""E-mail by SMTP: one connection per batch, and an honest answer for every letter.

Only here is smtplib used. Which failures may be tried again: replies 4xx and a server that is
away (nothing was handed over); 5xx never. Once the text itself went out and no reply came, the
letter is `Unknown`: sending it again could reach the citizen twice.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from services.notify.channels.mail import mail_of
from services.notify.domain.delivery import Failed, Letter, Result, Sent, Unknown
from shared.kernel.errors import SettingsError

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over; from `smtp://[user:password@]host[:port][?starttls=no]`."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: str  # "starttls" | "implicit" | "none"


def parse_smtp_url(url: str | None) -> SmtpServer:
    """Reads `smtp://` (STARTTLS unless `?starttls=no`) or `smtps://` (TLS from the start)."""
    parts = urlsplit(url or "")
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsError(
            "the e-mail channel smtp needs LIENTHONG_SMTP_URL, for example "
            "smtp://user:password@mail.example:587",
            vi="Kênh thư điện tử smtp cần LIENTHONG_SMTP_URL.",
        )
    options = parse_qs(parts.query)
    plain = options.get("starttls") == ["no"]
    implicit = parts.scheme == "smtps"
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or (465 if implicit else 587),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls="implicit" if implicit else "none" if plain else "starttls",
    )


class SmtpChannel:
    """Hands letters to a mail server; not idempotent, because SMTP has no such promise."""

    idempotent = False
    remote = True

    def __init__(
        self,
        server: SmtpServer,
        mail_from: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = "email.smtp"
        self._server = server
        self._mail_from = mail_from
        self._timeout = timeout
        self._context = tls_context

    def send(self, letters: Iterable[Letter]) -> Iterator[Result]:
        connection: smtplib.SMTP | None = None
        away: Failed | None = None
        try:
            for letter in letters:
                if connection is None and away is None:
                    opened = self._connect()
                    if isinstance(opened, Failed):
                        away = opened
                    else:
                        connection = opened
                if connection is None:
                    # One wait for a server that is away is enough for the whole batch.
                    yield away or Failed("smtp connect")
                    continue
                result, alive = self._hand_over(connection, letter)
                if not alive:
                    connection.close()
                    connection = None
                yield result
        finally:
            if connection is not None:
                _quit(connection)

    def close(self) -> None:
        """Connections live no longer than a batch."""

    def _connect(self) -> smtplib.SMTP | Failed:
        server = self._server
        try:
            if server.tls == "implicit":
                connection: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=self._timeout, context=self._tls()
                )
            else:
                connection = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        except (OSError, smtplib.SMTPException) as error:
            return Failed(f"smtp connect: {_brief(error)}")
        try:
            if server.tls == "starttls":
                connection.starttls(context=self._tls())
            connection.ehlo_or_helo_if_needed()
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except (OSError, smtplib.SMTPException) as error:
            # A wrong password is the operator's fault, not the letter's: mended, it can go.
            connection.close()
            return Failed(f"smtp greeting: {_brief(error)}")
        return connection

    def _tls(self) -> ssl.SSLContext:
        return self._context or ssl.create_default_context()

    def _hand_over(self, connection: smtplib.SMTP, letter: Letter) -> tuple[Result, bool]:
        """The result and whether the connection can be used for the next letter."""
        mail = mail_of(letter, self._mail_from)
        try:
            refused = _open_letter(connection, mail["From"].addresses[0].addr_spec, letter.to)
            if refused is not None:
                connection.rset()
                return refused, True
        except (OSError, smtplib.SMTPException) as error:
            return Failed(f"smtp: {_brief(error)}"), False
        try:
            connection.send(_on_the_wire(mail.as_bytes()))
            code, _ = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Unknown(f"smtp text: {_brief(error)}"), False
        return (Sent() if code < 400 else _refusal("smtp text", code)), True


def _open_letter(connection: smtplib.SMTP, sender: str, to: str) -> Failed | None:
    """Everything before the text itself; after None the server waits for the text."""
    code, _ = connection.mail(sender)
    if code >= 400:
        return _refusal("smtp sender", code)
    code, _ = connection.rcpt(to)
    if code >= 400:
        return _refusal("smtp recipient", code)
    code, _ = connection.docmd("data")
    return None if code == 354 else _refusal("smtp data", code)


def _on_the_wire(text: bytes) -> bytes:
    # RFC 5321, 4.5.2: a line that begins with a dot gets another; a lone dot ends the text.
    return text.replace(b"\r\n.", b"\r\n..").rstrip(b"\r\n") + b"\r\n.\r\n"


def _refusal(where: str, code: int) -> Failed:
    # Only the code: a server's sentence often repeats the citizen's address.
    return Failed(f"{where}: {code}", permanent=code >= 500)


def _brief(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__


def _quit(connection: smtplib.SMTP) -> None:
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()
