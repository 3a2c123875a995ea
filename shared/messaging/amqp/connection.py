"""One connection with one channel to one of the brokers, made when needed.

A link belongs to one thread. What py-amqp raises leaves as BrokerAway; a link that raised it is
closed, and the next call connects again, at most once per growing pause. What is sent over the
link is no business of this module.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kombu.connection import Connection
from kombu.exceptions import OperationalError

from shared.kernel.errors import BrokerAway
from shared.messaging.amqp import diagnosis
from shared.messaging.amqp.address import Address
from shared.messaging.amqp.buffered import BufferedTransport

# A broker that does not answer a request or take our bytes for so long is as good as gone.
IO_SECONDS = 10.0
_PAUSES = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)

CHANNEL_ERRORS: tuple[type[BaseException], ...] = tuple(BufferedTransport.channel_errors)
_BROKEN_OFF: tuple[type[BaseException], ...] = (
    *BufferedTransport.connection_errors,
    *BufferedTransport.channel_errors,
    OperationalError,
    # py-amqp raises it now and then when the connection goes while it is being used.
    AttributeError,
)


class Doubts(Protocol):
    """What must be there before a connection is of use, and may be gone after it broke off."""

    def doubt(self) -> None: ...
    def ensure(self) -> None: ...


class Link:
    """The connection of one publisher, subscriber or declaration.

    `prepare` is called with each new channel, `topology.ensure` before a connection is made.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        prepare: Callable[[Any], None] | None = None,
        topology: Doubts | None = None,
    ) -> None:
        self._addresses = list(addresses)
        self._prepare = prepare
        self._topology = topology
        self._amqp: Any = None
        self._channel: Any = None
        self._tls: Any = None  # the connection's socket, where it speaks TLS
        self._poller: Any = None
        self._failures = 0
        self._not_before = 0.0
        self._next_tick = 0.0
        self.epoch = 0

    @property
    def open(self) -> bool:
        return self._channel is not None

    def channel(self) -> Any:
        """The channel, on a new connection where there is none; BrokerAway."""
        if self._channel is None:
            self._connect()
        return self._channel

    def _connect(self) -> None:
        if time.monotonic() < self._not_before:
            raise BrokerAway("the broker was away a moment ago; it is tried again soon")
        try:
            if self._topology is not None:
                self._topology.ensure()
        except BrokerAway:
            self._pause()
            raise
        reasons: list[tuple[Address, diagnosis.Diagnosis]] = []
        for address in list(self._addresses):
            try:
                self._connect_to(address)
            except _BROKEN_OFF as exc:
                self.drop()
                reasons.append((address, diagnosis.of(exc, address)))
                # The next attempt begins with the next broker of the list.
                self._addresses.append(self._addresses.pop(0))
            else:
                self._failures = 0
                self._not_before = 0.0
                return
        self._pause()
        en = "; ".join(f"{address}: {reason.en}" for address, reason in reasons)
        vi = "; ".join(f"{address}: {reason.vi}" for address, reason in reasons)
        raise BrokerAway(
            f"the broker cannot be reached ({en})", vi=f"Chưa tới được máy chủ bản tin ({vi})."
        )

    def _pause(self) -> None:
        self._doubt()
        self._failures += 1
        pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._not_before = time.monotonic() + pause

    def _doubt(self) -> None:
        if self._topology is not None:
            self._topology.doubt()

    def _connect_to(self, address: Address) -> None:
        client = Connection(
            hostname=address.host,
            port=address.port,
            userid=address.user,
            password=address.password,
            virtual_host=address.vhost,
            login_method=address.login_method,
            heartbeat=address.heartbeat,
            connect_timeout=address.connect_timeout,
            ssl=address.tls or False,
            transport=BufferedTransport,
            transport_options={"read_timeout": IO_SECONDS, "write_timeout": IO_SECONDS},
        )
        self._amqp = client.transport.establish_connection()
        self._tls = self._amqp.transport.sock if address.tls is not None else None
        if self._tls is not None:
            # Over TLS py-amqp leaves the time to connect as the limit of every read and write.
            self._tls.settimeout(IO_SECONDS)
        self._channel = self._amqp.channel()
        self._poller = _poller(self._amqp.transport.sock)
        self.epoch += 1
        self._next_tick = time.monotonic() + 1.0
        if self._prepare is not None:
            self._prepare(self._channel)

    @contextlib.contextmanager
    def guard(self, *, letting: tuple[type[BaseException], ...] = ()) -> Iterator[Any]:
        """The channel, with the library's errors turned into BrokerAway and the link closed.

        Errors of the types `letting` pass as they are.
        """
        channel = self.channel()
        try:
            yield channel
        except letting:
            self.drop()
            raise
        except _BROKEN_OFF as exc:
            self.lost()
            raise BrokerAway(f"the broker broke off ({type(exc).__name__})") from exc
        except BaseException:
            # Something of ours: nobody knows how far it came, so the next call begins anew.
            self.drop()
            raise

    def pump(self) -> None:
        """Handle every frame that has arrived, without waiting for more."""
        amqp = self._amqp
        for frame in amqp.transport.arrived():
            amqp.on_inbound_frame(frame)

    def wait(self, timeout: float, wakeups: socket.socket | None = None) -> None:
        """Wait until something new can be read, here or from `wakeups`, or `timeout` s are over.

        What was read already has been handled: `pump` leaves nothing but the beginning of a frame.
        """
        poller = self._poller if wakeups is None else _poller(self._amqp.transport.sock, wakeups)
        poller.poll(timeout * 1000)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is sent meanwhile leaves at the end in one write."""
        with self._amqp.transport.together():
            yield

    def tick(self) -> None:
        """Send a heartbeat when one is due; call about once a second."""
        now = time.monotonic()
        if self._amqp is not None and now >= self._next_tick:
            self._next_tick = now + 1.0
            self._amqp.heartbeat_tick(rate=2)

    def close(self) -> None:
        """Say goodbye to the broker, as far as it listens."""
        amqp, self._amqp, self._channel = self._amqp, None, None
        if amqp is not None:
            with contextlib.suppress(*_BROKEN_OFF):
                amqp.close()

    def lost(self) -> None:
        """As `drop`, where what we need on the broker may be gone as well."""
        self.drop()
        self._doubt()

    def drop(self) -> None:
        """Close the socket without a word; the next call makes a new connection."""
        amqp, self._amqp, self._channel = self._amqp, None, None
        if amqp is not None:
            if self._tls is not None:
                # py-amqp says goodbye in TLS and waits for the answer: a silent line has none.
                with contextlib.suppress(OSError):
                    self._tls.settimeout(0.0)
            with contextlib.suppress(*_BROKEN_OFF):
                amqp.collect()


def _poller(*sockets: socket.socket) -> select.poll:
    poller = select.poll()
    for each in sockets:
        poller.register(each, select.POLLIN)
    return poller
