"""What is said to a mail server on a connection that is open: one letter after the other.

Replies are judged by their code alone: a server's sentence often repeats the citizen's address.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from services.notify.channels.smtp.wire import Broken, Reply, Talk, Wire
from services.notify.domain.delivery import Failed, GoingOut, Result, Sent, Unknown, Waiting

_SEND_TEXT: Final = 354
_TRY_LATER: Final = 421
# Noes that speak of us and not of the letter: not understood, out of turn, not signed in.
_ABOUT_US: Final = frozenset({500, 502, 503, 504, 530})
# For words on which nothing depends any more.
_PARTING_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Times:
    """How long a server may take, in seconds.

    Where nothing is lost by giving up, little. After the final dot RFC 5321 (4.5.3.2.6) wants ten
    minutes: a server that looks through the text slowly has taken it all the same.
    """

    connect: float = 20.0
    reply: float = 60.0
    text: float = 180.0
    verdict: float = 600.0


class Refusal(Exception):
    """The server will not have us; the text is a reason of ours."""


@dataclass(slots=True)
class Session:
    """A connection on which letters can be handed over."""

    wire: Wire
    times: Times
    used: bool = False
    begun: bool = False  # the server has answered for the letter in hand

    def hand_over(
        self, sender: str, to: str, text: bytes
    ) -> Generator[GoingOut | Waiting, None, Result | None]:
        """What became of the letter; the session is over where the server was not clear.

        None: the server had enough of this session before the letter began; a new one may do.
        """
        used, self.used = self.used, True
        try:
            refused = yield from self._open_letter(sender, to)
        except Broken as broken:
            refused = Failed(f"smtp: {broken}")
            self.wire.close()
        if used and not self.begun:
            self.wire.close()
            return None
        if refused is not None:
            yield from self._reset()
            return refused
        yield GoingOut()
        return (yield from self._send_text(text))

    def check(self, sender: str) -> Talk[None]:
        """Whether letters from this address would be taken; `Refusal` if not."""
        try:
            reply = yield from self.ask(f"MAIL FROM:<{sender}>")
        except Broken as broken:
            raise Refusal(f"smtp sender: {broken}") from None
        if not is_yes(reply):
            raise Refusal(f"smtp sender: {reply.code}")
        yield from self.quit()

    def quit(self) -> Iterator[Waiting]:
        """Say goodbye and hang up; whatever the server makes of it."""
        try:
            yield from self.ask("QUIT", _PARTING_SECONDS)
        except Broken:
            pass
        finally:
            self.wire.close()

    def ask(self, line: str, seconds: float | None = None) -> Talk[Reply]:
        """One command and its reply; `Broken` without one."""
        seconds = self.times.reply if seconds is None else seconds
        yield from self.wire.send(f"{line}\r\n".encode(), seconds)
        return (yield from self.wire.reply(seconds))

    def _open_letter(self, sender: str, to: str) -> Talk[Failed | None]:
        """Everything before the text itself; after None the server waits for the text."""
        self.begun = False
        reply = yield from self.ask(f"MAIL FROM:<{sender}>")
        self.begun = reply.code != _TRY_LATER
        if not is_yes(reply):
            # Not wanted as a sender: the operator's fault, not the letter's; mended, it can go.
            return _refused("sender", reply, permanent=False)
        reply = yield from self.ask(f"RCPT TO:<{to}>")
        if not is_yes(reply):
            return _refused("recipient", reply)
        reply = yield from self.ask("DATA")
        if reply.code != _SEND_TEXT:
            return _refused("data", reply)
        return None

    def _reset(self) -> Talk[None]:
        try:
            if is_yes((yield from self.ask("RSET", _PARTING_SECONDS))):
                return
        except Broken:
            pass
        self.wire.close()

    def _send_text(self, text: bytes) -> Talk[Result]:
        try:
            self.wire.expect_silence()
            yield from self.wire.send(_with_final_dot(text), self.times.text)
        except Broken as broken:
            # Without the final dot there is no letter. The server may have said why it hung up.
            result = yield from self._verdict(_PARTING_SECONDS)
            self.wire.close()
            final = isinstance(result, Failed)
            return result if final else Failed(f"smtp text: {broken}")
        return (yield from self._verdict(self.times.verdict))

    def _verdict(self, seconds: float) -> Talk[Result]:
        """What the server says of the text: a clear yes or no, or nobody knows."""
        try:
            reply = yield from self.wire.reply(seconds)
            if reply.code == _SEND_TEXT:  # said twice
                reply = yield from self.wire.reply(seconds)
            return Sent() if is_yes(reply) else _refused("text", reply)
        except Broken as broken:
            self.wire.close()
            return Unknown(f"smtp text: {broken}")


def _with_final_dot(text: bytes) -> bytes:
    # RFC 5321, 4.5.2: a line that begins with a dot gets another; a lone dot ends the text.
    stuffed = (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:]
    return stuffed.rstrip(b"\r\n") + b"\r\n.\r\n"


def is_yes(reply: Reply) -> bool:
    """Whether the server has done what it was asked for."""
    return 200 <= reply.code < 300


def _refused(where: str, reply: Reply, *, permanent: bool = True) -> Failed:
    """A clear no to the letter is final (5xx); `Broken` where it is neither yes nor no."""
    if reply.code < 400:
        raise Broken(f"{where} {reply.code}")
    final = permanent and reply.code >= 500 and reply.code not in _ABOUT_US
    return Failed(f"smtp {where}: {reply.code}", permanent=final)
