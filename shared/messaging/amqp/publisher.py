"""Publishing with pipelined confirms.

A whole batch is written at once, then the broker's answers are gathered: acks come out of order
and partly `multiple` when a topic fans out, so the set of outstanding tags is kept. What becomes
of a message that failed is the relay's business.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from amqp import exceptions

from shared.kernel.errors import BrokerAway
from shared.messaging.amqp.address import Address
from shared.messaging.amqp.connection import CHANNEL_ERRORS, IO_SECONDS, Doubts, Link
from shared.messaging.amqp.contents import Content, returned
from shared.messaging.model import CONTENT_TYPE, OutMessage, Sent

# What the broker says of a message itself, whatever becomes of the others; some close the link.
_OF_ITSELF: Final = (
    exceptions.ContentTooLarge,
    exceptions.PreconditionFailed,
    exceptions.FrameError,
    exceptions.FrameSyntaxError,
    exceptions.InvalidCommand,
    exceptions.UnexpectedFrame,
)
_SAID: Final = (*CHANNEL_ERRORS, *_OF_ITSELF, exceptions.InternalError)
# What AMQP has no way to write down: a key of more than 255 bytes, half a letter.
_CANNOT_BE_WRITTEN: Final = (struct.error, UnicodeError)

_PERSISTENT = 2
_PART = 256 * 1024  # bytes of bodies that go out in one write


class AmqpPublisher:
    """Sends batches over one connection with confirms; `confirm_seconds` is for a whole batch."""

    def __init__(
        self,
        addresses: Sequence[Address],
        prefix: str,
        topology: Doubts | None = None,
        confirm_seconds: float = IO_SECONDS,
    ) -> None:
        self._prefix = prefix
        self._confirm_seconds = confirm_seconds
        self._link = Link(addresses, self._prepare, topology)
        self._last_tag = 0
        self._waiting: dict[int, Any] = {}
        self._by_id: dict[str, Any] = {}
        self._sent = Sent()

    def _prepare(self, channel: Any) -> None:
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.connection.take = self._on_return
        channel.confirm_select()
        self._last_tag = 0

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        """Send all and wait for the word on each.

        A connection that breaks after some were confirmed leaves the others failed; when none
        was, BrokerAway.
        """
        self._refresh()
        sent = self._sent = Sent()
        try:
            self._attempt(batch)
        except _SAID as exc:
            if _is_of_the_line(exc):
                self._broken_off(batch, BrokerAway(f"the broker broke off ({type(exc).__name__})"))
            else:
                self._singly(batch, exc)
        except BrokerAway as exc:
            self._broken_off(batch, exc)
        return sent

    def _broken_off(self, batch: Sequence[OutMessage], away: BrokerAway) -> None:
        if not self._sent.confirmed:
            raise away
        self._fail_rest(batch, str(away))

    def _refresh(self) -> None:
        """Notice a connection that the broker closed while nothing was sent, and make a new one."""
        if self._link.open:
            with contextlib.suppress(BrokerAway), self._link.guard():
                self._link.pump()

    def _attempt(self, batch: Sequence[OutMessage]) -> None:
        self._waiting.clear()
        self._by_id.clear()
        deadline = time.monotonic() + self._confirm_seconds
        with self._link.guard(letting=_SAID) as channel:
            for part in _parts(batch):
                with self._link.together():
                    for message in part:
                        self._write(channel, message)
                # A broker that sends much back (unroutable messages) must not wait for us to read.
                self._link.pump()
            while self._waiting:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._link.wait(left)
                self._link.pump()
        if self._waiting:
            self._time_out()

    def _write(self, channel: Any, message: OutMessage) -> None:
        try:
            self._publish_one(channel, message)
        except _CANNOT_BE_WRITTEN as wrong:
            self._sent.refused[message.key] = (
                f"it cannot be written as AMQP ({type(wrong).__name__})"
            )

    def _publish_one(self, channel: Any, message: OutMessage) -> None:
        ident = str(message.key)
        signature = {} if message.user_id is None else {"user_id": message.user_id}
        prepared = channel.prepare_message(
            message.body,
            content_type=CONTENT_TYPE,
            headers=dict(message.headers),
            properties={"delivery_mode": _PERSISTENT, "message_id": ident, **signature},
        )
        channel.basic_publish(
            prepared,
            exchange=self._prefix + message.exchange,
            routing_key=message.routing_key,
            mandatory=True,
        )
        self._last_tag += 1
        self._waiting[self._last_tag] = message.key
        self._by_id[ident] = message.key

    def _singly(self, batch: Sequence[OutMessage], first: BaseException) -> None:
        """One by one, so that only the message fails over which the broker closed the channel.

        It may name an exchange that is not there, need a right we lack, or be too large.
        """
        sent = self._sent
        told = sent.confirmed | sent.failed.keys() | sent.refused.keys()
        rest = [m for m in batch if m.key not in told]
        if len(rest) == 1:
            self._blame(rest[0], first)
            return
        for message in rest:
            try:
                self._attempt([message])
            except _SAID as exc:
                self._blame(message, exc)
            except BrokerAway as exc:
                self._fail_rest(rest, str(exc))
                return

    def _blame(self, message: OutMessage, exc: BaseException) -> None:
        text = getattr(exc, "reply_text", None) or type(exc).__name__
        of_itself = isinstance(exc, _OF_ITSELF) and not _is_of_the_line(exc)
        into = self._sent.refused if of_itself else self._sent.failed
        into[message.key] = f"the broker refused it ({text})"

    def _fail_rest(self, batch: Sequence[OutMessage], reason: str) -> None:
        for message in batch:
            if message.key not in self._sent.confirmed | self._sent.refused.keys():
                self._sent.failed.setdefault(message.key, reason)

    def _time_out(self) -> None:
        # Late answers would speak of tags that nobody remembers: begin with a new channel.
        self._link.drop()
        if not self._sent.confirmed:
            raise BrokerAway(f"the broker confirmed nothing in {self._confirm_seconds:g} s")
        for key in self._waiting.values():
            self._sent.failed.setdefault(key, "not confirmed in time")
        self._waiting.clear()

    def _settle(self, tag: int, *, multiple: bool) -> list[Any]:
        if not multiple:
            return [self._waiting.pop(tag)] if tag in self._waiting else []
        tags = [waiting for waiting in self._waiting if waiting <= tag]
        return [self._waiting.pop(waiting) for waiting in tags]

    def _on_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - called by py-amqp
        for key in self._settle(tag, multiple=multiple):
            # A returned message is acknowledged as well: nobody got it.
            if key not in self._sent.failed:
                self._sent.confirmed.add(key)

    def _on_nack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - called by py-amqp
        for key in self._settle(tag, multiple=multiple):
            self._sent.failed.setdefault(key, "the broker refused it (nack)")

    def _on_return(self, content: Content) -> None:
        exchange, routing_key = returned(content)
        ident = content.properties.message_id
        if ident is not None and ident in self._by_id:
            self._sent.unroutable.add(self._by_id[ident])
            self._sent.failed[self._by_id[ident]] = (
                f"unroutable: no queue is bound to {exchange} for {routing_key}"
            )

    def confirmed(self) -> set[Any]:
        """Nothing later than its batch: `publish` waits for every word."""
        return set()

    def tend(self) -> None:
        """Keep the idle connection alive: heartbeats both ways."""
        if self._link.open:
            with contextlib.suppress(BrokerAway), self._link.guard():
                self._link.pump()
                self._link.tick()

    def close(self) -> None:
        self._link.close()


def _is_of_the_line(exc: BaseException) -> bool:
    """Whether it was made up on this side of the line: the broker names the method that failed."""
    return getattr(exc, "method_sig", None) is None


def _parts(batch: Sequence[OutMessage]) -> Iterator[list[OutMessage]]:
    """The batch in parts of about a piece: mostly one, and large bodies are not held in memory."""
    part: list[OutMessage] = []
    size = 0
    for message in batch:
        part.append(message)
        size += len(message.body)
        if size >= _PART:
            yield part
            part, size = [], 0
    if part:
        yield part
