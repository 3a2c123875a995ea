"""The one place that speaks to the broker: connect, take, acknowledge, publish with confirms.

pika's errors leave this module as BrokerUnreachable, CertificateTrouble or AccessDenied.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
import pika.exceptions as wrong

from partner import diagnosis
from partner.errors import (
    AccessDenied,
    AnswerRejected,
    BrokerUnreachable,
    CertificateTrouble,
    QueueGone,
)
from partner.frames import TolerantConnection
from partner.messages import CONTENT_TYPE, EXCHANGE, Answer, key_of, queue_of
from partner.settings import Address
from partner.transport import Arrival

_NO_RIGHT, _NOT_FOUND = 403, 404
_UNWRITABLE = (wrong.ShortStringTooLong, wrong.UnsupportedAMQPFieldException, UnicodeError)


class Broker:
    """One connection to the city's broker, made when first needed and again after a break."""

    def __init__(self, address: Address, agency: str, *, prefix: str, prefetch: int) -> None:
        self.address = address
        self._agency = agency
        self._prefix = prefix
        self._prefetch = prefetch
        self._connection: Any = None
        self._taking: Any = None
        self._giving: Any = None
        self._arrived: deque[Arrival] = deque()
        self._consuming = False
        self._cancelled = False
        self._epoch = 0

    @property
    def queue(self) -> str:
        """The real name of the agency's queue."""
        return self._prefix + queue_of(self._agency)

    def enter(self) -> None:
        """Connect and sign in, where that is not done yet."""
        with self.translated():
            self._connect()

    def look(self) -> tuple[int, int]:
        """How many messages lie ready on the queue, and how many programs read it."""
        with self.translated():
            self._connect()
            found = self._taking.queue_declare(self.queue, passive=True).method
            if not found.message_count:  # else it would take a message, if only to give it back
                self._taking.basic_get(self.queue)
            return found.message_count, found.consumer_count

    def readers(self) -> int:
        """How many others read the queue."""
        with self.translated():
            self._connect()
            found = self._taking.queue_declare(self.queue, passive=True).method.consumer_count
            return int(found) - self._consuming

    def receive(self, wait: float) -> list[Arrival]:
        """What has arrived, waiting at most `wait` seconds for the first; keeps the line alive.

        QueueGone where the broker has stopped to serve us, as it does when the queue is deleted or
        moves: what came before that is given out first.
        """
        with self.translated():
            self._consume()
            if not self._arrived:
                self._connection.process_data_events(time_limit=wait)
            arrived = list(self._arrived)
            self._arrived.clear()
            if self._cancelled and not arrived:
                self.close()
                raise QueueGone(
                    f"the broker no longer serves {self.queue}: it was deleted, or it moved",
                    f"máy chủ ngừng phục vụ hàng đợi {self.queue}: đã bị xóa hoặc chuyển chỗ",
                )
            return arrived

    def take_one(self) -> Arrival | None:
        """The next message of the queue if there is one now, asked for one by one."""
        with self.translated():
            self._connect()
            method, _, body = self._taking.basic_get(self.queue)
            if method is None:
                return None
            return Arrival(body, method.delivery_tag, self._epoch, method.redelivered)

    def acknowledge(self, arrival: Arrival) -> None:
        """Tell the broker that it may forget a message; void after a break (it comes again)."""
        if arrival.epoch != self._epoch or self._connection is None:
            return
        with self.translated():
            self._taking.basic_ack(arrival.tag)

    def publish(self, answer: Answer) -> bool:
        """Send an answer and wait for the broker's word; False where it would not take it now.

        AnswerRejected where this answer alone is wrong: the line goes on with the next.
        """
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=2,
            message_id=answer.id,
            user_id=self.address.user or self._agency,  # checked by the broker against who we are
            headers={"ce-id": answer.id, "ce-type": f"vn.lienthong.answer.{answer.kind}.v1"},
        )
        key = key_of(self._agency, answer.kind)
        with self.translated():
            self._connect()
            try:
                self._giving.basic_publish(
                    self._prefix + EXCHANGE, key, answer.body, properties, mandatory=True
                )
            except (wrong.UnroutableError, wrong.NackError):
                return False
            except _UNWRITABLE as unwritable:
                raise AnswerRejected(f"it cannot be written: {type(unwritable).__name__}") from None
            except wrong.ChannelClosedByBroker as refused:
                if refused.reply_code in (_NO_RIGHT, _NOT_FOUND):
                    raise  # that holds for every answer
                raise AnswerRejected(refused.reply_text) from refused
        return True

    def close(self) -> None:
        """Leave politely; what was not acknowledged goes back to the queue."""
        connection, self._connection = self._connection, None
        self._consuming = self._cancelled = False
        self._arrived.clear()
        if connection is not None:
            with contextlib.suppress(wrong.AMQPError, OSError):
                connection.close()

    def _connect(self) -> None:
        if self._connection is None or not self._connection.is_open:
            self.close()
            self._epoch += 1
            parameters = self.address.parameters()
            self._connection = pika.BlockingConnection(parameters, _impl_class=TolerantConnection)
            self._taking = self._connection.channel()
            self._taking.basic_qos(prefetch_count=self._prefetch)
            self._taking.add_on_cancel_callback(self._cancel)
            self._giving = None
        if self._giving is None or not self._giving.is_open:  # an answer of its own may close it
            self._giving = self._connection.channel()
            self._giving.confirm_delivery()

    def _consume(self) -> None:
        self._connect()
        if not self._consuming:
            self._taking.basic_consume(self.queue, self._arrive)
            self._consuming = True

    def _arrive(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        arrival = Arrival(body, method.delivery_tag, self._epoch, method.redelivered)
        self._arrived.append(arrival)

    def _cancel(self, _method: Any) -> None:
        self._cancelled = True

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn pika's errors into ours, and let go of the broken connection."""
        try:
            yield
        except (wrong.ProbableAuthenticationError, wrong.AuthenticationError) as refused:
            self.close()
            words = diagnosis.of_login(self.address.user, shown=self.address.shown)
            raise AccessDenied(words.en, words.vi) from refused
        except wrong.ProbableAccessDeniedError as refused:
            self.close()
            raise AccessDenied(
                "the broker refuses this user the virtual host (the end of the address)",
                "máy chủ không cho người dùng này vào virtual host (phần cuối của địa chỉ)",
            ) from refused
        except wrong.ChannelClosedByBroker as refused:
            self.close()
            if refused.reply_code == _NO_RIGHT:
                raise AccessDenied(refused.reply_text) from refused
            if refused.reply_code == _NOT_FOUND:
                raise QueueGone(
                    f"it is not there at the broker ({refused.reply_text}): is {self._agency} "
                    "really your agency code? If so, the city makes it again",
                    f"máy chủ hiện không có ({refused.reply_text}): {self._agency} có đúng là mã "
                    "đơn vị không? Nếu đúng, thành phố sẽ tạo lại",
                ) from refused
            raise BrokerUnreachable(refused.reply_text) from refused
        except (wrong.AMQPError, OSError) as broken:
            self.close()
            raise self._away(broken) from broken

    def _away(self, broken: BaseException) -> BrokerUnreachable:
        words = diagnosis.of(broken, secure=self.address.secure, shown=self.address.shown)
        kind = CertificateTrouble if words.trust else BrokerUnreachable
        host, port = self.address.place
        return kind(
            f"the broker {host}:{port} cannot be reached ({words.en})",
            f"chưa tới được máy chủ {host}:{port} ({words.vi})",
        )
