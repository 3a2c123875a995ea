"""The channel: letters by SMTP, one connection per batch.

Whatever fails before a text goes out is `Failed`, and may be tried again unless the server said no
for good (5xx). Only a text that went out whole and got no clear word is `Unknown`.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from services.notify.channels.bounces.path import ReturnPath
from services.notify.channels.mail import MailFrom, is_address, on_the_wire
from services.notify.channels.smtp.opening import opened
from services.notify.channels.smtp.server import SmtpServer
from services.notify.channels.smtp.session import Refusal, Session, Times
from services.notify.channels.smtp.wire import Talk
from services.notify.channels.unsubscribing import Unsubscribing, more_of
from services.notify.domain.delivery import Failed, Letter, Result, Waiting, Word

NO_ADDRESS = "smtp: an address that no mail server takes"


class SmtpChannel:
    """Hands letters to a mail server; not idempotent, because SMTP has no such promise."""

    idempotent = False
    remote = True

    def __init__(
        self,
        server: SmtpServer,
        sender: MailFrom,
        *,
        times: Times = Times(),  # noqa: B008 - frozen
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = "email.smtp"
        self._server = server
        self._sender = sender
        self._times = times
        self._context = tls_context
        self.unsubscribing: Unsubscribing | None = None
        self.returning: ReturnPath | None = None

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        line = _Line()
        try:
            for letter in letters:
                yield (yield from self._hand_over(letter, line))
            if line.session is not None:
                yield from line.session.quit()
        finally:
            # Left in the middle: without its final dot a text is no letter.
            if line.session is not None:
                line.session.wire.close()

    def close(self) -> None:
        """Connections live no longer than a batch."""

    def check(self) -> Iterator[Waiting]:
        """Connect, sign in and name the sender, and send nothing; `Refusal` says what failed."""
        session = yield from self._open()
        try:
            path = self.returning
            yield from session.check(path.address if path else self._sender.address)
        finally:
            session.wire.close()

    def _open(self) -> Talk[Session]:
        return opened(self._server, self._times, self._context)

    def _hand_over(self, letter: Letter, line: _Line) -> Generator[Word, None, Result]:
        if not is_address(letter.to):
            return Failed(NO_ADDRESS, permanent=True)
        text = on_the_wire(letter, self._sender, more_of(letter, self.unsubscribing))
        back = self.returning.of(letter) if self.returning else self._sender.address
        while line.away is None:
            if line.session is None:
                try:
                    line.session = yield from self._open()
                except Refusal as refusal:
                    line.away = Failed(str(refusal))
                    break
            result = yield from line.session.hand_over(back, letter.to, text)
            if line.session.wire.closed:
                line.session = None
            if result is not None:
                return result
        # One wait for a server that is away is enough for the whole batch.
        return line.away


@dataclass(slots=True)
class _Line:
    """What is known of the server during one batch."""

    session: Session | None = None
    away: Failed | None = None
