"""The bare relay: claim, publish, gather the confirms, mark, on pika's select connection."""

from __future__ import annotations

import threading
from typing import Any

import pika
import psycopg

_CLAIM = """
SELECT position, exchange, routing_key, body FROM outbox WHERE sent_at IS NULL
ORDER BY position LIMIT 100 FOR UPDATE SKIP LOCKED
"""
_MARK = "UPDATE outbox SET sent_at = now() WHERE position = ANY(%s)"
_IDLE_SECONDS = 0.005
_PROPERTIES = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")


class Relay:
    """One service's outbox to the broker."""

    def __init__(self, _tally: Any, database_url: str, amqp_url: str) -> None:
        self._db = psycopg.connect(database_url)
        self._tags = 0
        self._waiting: set[int] = set()
        self._claimed: list[int] = []
        self._channel: Any = None
        self._connection = pika.SelectConnection(
            pika.URLParameters(amqp_url), on_open_callback=self._opened
        )
        self._thread = threading.Thread(target=self._connection.ioloop.start, daemon=True)
        self._thread.start()

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._ready)

    def _ready(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed)
        self._round()

    def _returned(self, *_: Any) -> None:
        raise RuntimeError("a message came back: no queue is bound for it")

    def _round(self) -> None:
        rows = self._db.execute(_CLAIM).fetchall()
        if not rows:
            self._db.rollback()
            self._connection.ioloop.call_later(_IDLE_SECONDS, self._round)
            return
        self._claimed = [row[0] for row in rows]
        for _, exchange, routing_key, body in rows:
            self._tags += 1
            self._waiting.add(self._tags)
            self._channel.basic_publish(exchange, routing_key, body, _PROPERTIES, mandatory=True)

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        if method.NAME != "Basic.Ack":
            raise RuntimeError("the broker refused a message")
        if method.multiple:
            self._waiting = {tag for tag in self._waiting if tag > method.delivery_tag}
        else:
            self._waiting.discard(method.delivery_tag)
        if not self._waiting and self._claimed:
            self._db.execute(_MARK, (self._claimed,))
            self._db.commit()
            self._claimed = []
            self._round()

    def ask(self, message: Any) -> Any:
        return message

    def stop(self) -> None:
        self._connection.ioloop.add_callback_threadsafe(self._connection.ioloop.stop)
        self._thread.join(5)
