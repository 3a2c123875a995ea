"""Tables, exchanges and queues of the bare pipeline."""

from __future__ import annotations

import pika
import psycopg

PREFIX = "bare."
FACTS, CONTACTS, TASKS = PREFIX + "facts", PREFIX + "contacts", PREFIX + "tasks"
ROUTE, NOTIFY, INTAKE = PREFIX + "routing.facts", PREFIX + "notify.facts", PREFIX + "intake.facts"
AGENCY = PREFIX + "agency.tasks"

_OUTBOX = """
CREATE TABLE outbox (
  position bigserial PRIMARY KEY, id text NOT NULL, stream text NOT NULL, sequence bigint NOT NULL,
  exchange text NOT NULL, routing_key text NOT NULL, body bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(), sent_at timestamptz);
CREATE INDEX outbox_unsent ON outbox (position) WHERE sent_at IS NULL;
CREATE TABLE inbox (
  fact_id text PRIMARY KEY, type text NOT NULL, handled_at timestamptz NOT NULL DEFAULT now());
"""

TABLES = {
    "intake": _OUTBOX
    + """
CREATE TABLE dossiers (
  code text PRIMARY KEY, office text NOT NULL, procedure text NOT NULL, state text NOT NULL,
  form jsonb NOT NULL, submitted_at timestamptz NOT NULL, due_at timestamptz NOT NULL);
""",
    "routing": _OUTBOX
    + """
CREATE TABLE tasks (
  id text PRIMARY KEY, dossier text NOT NULL, agency text NOT NULL, step text NOT NULL,
  state text NOT NULL, due_at timestamptz NOT NULL);
CREATE INDEX tasks_dossier ON tasks (dossier);
""",
    "notify": _OUTBOX
    + """
CREATE TABLE contacts (
  dossier text PRIMARY KEY, phone text NOT NULL, language text NOT NULL, word text NOT NULL);
CREATE TABLE messages (
  id text PRIMARY KEY, dossier text NOT NULL, phone text NOT NULL, body text NOT NULL,
  state text NOT NULL, sent_at timestamptz);
CREATE INDEX messages_dossier ON messages (dossier);
""",
}


def create_tables(urls: dict[str, str]) -> None:
    """Fill the three empty databases."""
    for service, url in urls.items():
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLES[service])


def declare(amqp_url: str, *, all_facts: bool) -> None:
    """Make exchanges, quorum queues and bindings."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        for name, kind in ((FACTS, "topic"), (CONTACTS, "topic"), (TASKS, "direct")):
            channel.exchange_declare(name, kind, durable=True)
        bindings = [
            (ROUTE, FACTS, "intake.*.*"),
            (NOTIFY, FACTS, "intake.*.*"),
            (NOTIFY, CONTACTS, "intake.*.*"),
            (AGENCY, TASKS, "agency"),
        ]
        if all_facts:
            bindings += [
                (NOTIFY, FACTS, "routing.*.*"),
                (INTAKE, FACTS, "routing.*.*"),
                (INTAKE, FACTS, "notify.*.*"),
            ]
        for queue, exchange, key in bindings:
            channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
            channel.queue_bind(queue, exchange, key)
