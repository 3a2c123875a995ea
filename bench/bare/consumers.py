"""The bare consumers: take what has arrived, write it in one commit, acknowledge it at once."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pika
import psycopg

from bench.bare import facts, schema
from bench.crew import Tally
from bench.sheet import Sheet

_BATCH, _WINDOW = 50, 250
_RECEIVED = "vn.lienthong.dossier.received.v1"
_CONTACT = "vn.lienthong.contact.given.v1"

_ROUTE = """
WITH fresh AS (
  INSERT INTO inbox (fact_id, type) SELECT * FROM unnest(%s::text[], %s::text[])
  ON CONFLICT DO NOTHING RETURNING fact_id),
given AS (
  INSERT INTO tasks (id, dossier, agency, step, state, due_at)
  SELECT t.id, t.dossier, 'ubnd-phuong-1', 'certify', 'open', t.due_at
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[])
    AS t (fact_id, id, dossier, due_at) JOIN fresh USING (fact_id))
INSERT INTO outbox (id, stream, sequence, exchange, routing_key, body)
SELECT o.id, o.stream, 1, o.exchange, o.routing_key, o.body
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[])
  WITH ORDINALITY AS o (fact_id, id, stream, exchange, routing_key, body, place)
  JOIN fresh USING (fact_id) ORDER BY o.place
"""
_SEEN = """
INSERT INTO inbox (fact_id, type) SELECT * FROM unnest(%s::text[], %s::text[])
ON CONFLICT DO NOTHING RETURNING fact_id
"""
_CONTACTS = """
INSERT INTO contacts (dossier, phone, language, word)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT (dossier) DO UPDATE SET phone = excluded.phone
"""
_MESSAGES = """
INSERT INTO messages (id, dossier, phone, body, state)
SELECT m.id, m.dossier, c.phone, m.body, 'queued'
FROM unnest(%s::text[], %s::text[], %s::text[]) AS m (id, dossier, body)
JOIN contacts c USING (dossier) RETURNING id, dossier, phone, body
"""
_SENT = "UPDATE messages SET state = 'sent', sent_at = now() WHERE id = ANY(%s)"
_NOTIFIED = """
INSERT INTO outbox (id, stream, sequence, exchange, routing_key, body)
SELECT o.id, o.id, 1, %s, 'notify.citizen.notified', o.body
FROM unnest(%s::text[], %s::bytea[]) AS o (id, body)
"""
_STATE = """
UPDATE dossiers SET state = 'processing'
FROM unnest(%s::text[]) AS d (code) WHERE dossiers.code = d.code
"""

Fact = dict[str, Any]


class Consumer:
    """Reads one queue and hands what has arrived, decoded, to `apply(connection, facts)`."""

    def __init__(
        self,
        database_url: str,
        amqp_url: str,
        queue: str,
        apply: Callable[[psycopg.Connection[Any], list[Fact]], Callable[[], None] | None],
    ) -> None:
        self._db = psycopg.connect(database_url)
        self._apply = apply
        self._arrived: list[tuple[int, bytes]] = []
        self._stopping = threading.Event()
        self._broker = pika.BlockingConnection(pika.URLParameters(amqp_url))
        self._channel = self._broker.channel()
        self._channel.basic_qos(prefetch_count=_WINDOW)
        self._channel.basic_consume(queue, self._on_message)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _on_message(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        self._arrived.append((method.delivery_tag, body))

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._arrived:
                self._broker.process_data_events(time_limit=0.2)
                continue
            batch, self._arrived = self._arrived[:_BATCH], self._arrived[_BATCH:]
            afterwards = self._apply(self._db, [json.loads(body) for _, body in batch])
            self._db.commit()
            self._channel.basic_ack(batch[-1][0], multiple=True)
            if afterwards is not None:
                afterwards()
            if not self._arrived:
                self._broker.process_data_events(time_limit=0)

    def ask(self, message: Any) -> Any:
        return message

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)


class Route(Consumer):
    """dossier.received -> inbox, task row, task.assigned in the outbox."""

    def __init__(self, _tally: Tally, db_url: str, amqp_url: str, *, all_facts: bool) -> None:
        self._all_facts = all_facts
        super().__init__(db_url, amqp_url, schema.ROUTE, self._route)

    def _route(self, db: psycopg.Connection[Any], batch: list[Fact]) -> None:
        ids = [fact["id"] for fact in batch]
        codes = [fact["subject"] for fact in batch]
        tasks = [str(uuid.uuid4()) for _ in batch]
        out = [
            each
            for fact_id, code, task in zip(ids, codes, tasks, strict=True)
            for each in self._outgoing(fact_id, code, task)
        ]
        db.execute(
            _ROUTE,
            [
                ids,
                [fact["type"] for fact in batch],
                ids,
                tasks,
                codes,
                [fact["data"]["due_at"] for fact in batch],
                *map(list, zip(*out, strict=True)),
            ],
        )

    def _outgoing(self, fact_id: str, code: str, task: str) -> Sequence[tuple[str, ...]]:
        rows: list[Any] = []
        if self._all_facts:
            started = facts.small("/routing", "dossier.started", code, 1)
            opened = facts.small("/routing", "step.opened", code, 2)
            for key, body in (("started", started), ("opened", opened)):
                new = str(uuid.uuid4())
                rows.append((fact_id, new, code, schema.FACTS, f"routing.dossier.{key}", body))
        new = str(uuid.uuid4())
        rows.append((fact_id, new, code, schema.TASKS, "agency", facts.assigned(code, task)))
        return rows


class Notify(Consumer):
    """contact.given -> contact row; dossier.received -> message row -> null channel -> sent."""

    def __init__(self, tally: Tally, db_url: str, amqp_url: str, *, all_facts: bool) -> None:
        self._tally = tally
        self._all_facts = all_facts
        self._log = Sheet()
        super().__init__(db_url, amqp_url, schema.NOTIFY, self._notify)

    def _notify(self, db: psycopg.Connection[Any], batch: list[Fact]) -> Callable[[], None] | None:
        rows = db.execute(_SEEN, ([f["id"] for f in batch], [f["type"] for f in batch]))
        fresh = {row[0] for row in rows.fetchall()}
        new = [fact for fact in batch if fact["id"] in fresh]
        contacts = [fact["data"] for fact in new if fact["type"] == _CONTACT]
        received = [fact["data"] for fact in new if fact["type"] == _RECEIVED]
        if contacts:
            names = ("dossier", "phone", "language", "lookup_word")
            db.execute(_CONTACTS, [[data[name] for data in contacts] for name in names])
        if not received:
            return None
        codes = [data["dossier"] for data in received]
        texts = [
            f"UBND Phuong 1: da nhan ho so {data['dossier']}, hen tra {data['due_at'][:10]}"
            for data in received
        ]
        made = db.execute(_MESSAGES, ([str(uuid.uuid4()) for _ in codes], codes, texts)).fetchall()

        def hand_over() -> None:
            for _, code, phone, text in made:
                self._null_channel(code, phone, text)
            db.execute(_SENT, ([row[0] for row in made],))
            if self._all_facts:
                bodies = [facts.small("/notify", "citizen.notified", row[1], 1) for row in made]
                ids = [str(uuid.uuid4()) for _ in made]
                db.execute(_NOTIFIED, (schema.FACTS, ids, bodies))
            db.commit()

        return hand_over

    def _null_channel(self, code: str, _phone: str, _text: str) -> None:
        self._log.note(code, time.monotonic())
        self._tally.messages.value += 1

    def ask(self, message: Any) -> Any:
        """("log", n): the entries from the n-th on."""
        return self._log.since(message[1])


class Intake(Consumer):
    """Only with all facts: what routing and notify say goes into intake's inbox and dossiers."""

    def __init__(self, _tally: Tally, db_url: str, amqp_url: str) -> None:
        super().__init__(db_url, amqp_url, schema.INTAKE, self._follow)

    @staticmethod
    def _follow(db: psycopg.Connection[Any], batch: list[Fact]) -> None:
        db.execute(_SEEN, ([f["id"] for f in batch], [f["type"] for f in batch]))
        codes = sorted({f["subject"] for f in batch if ".started." in f["type"]})
        if codes:
            db.execute(_STATE, (codes,))
