"""The bare submitter: one statement and one commit for each dossier."""

from __future__ import annotations

import json
import threading
import uuid

import psycopg

from bench.bare import facts, schema
from bench.crew import Tally
from bench.schedule import Accepted, Order, carry_out

_SUBMIT = """
WITH dossier AS (
  INSERT INTO dossiers (code, office, procedure, state, form, submitted_at, due_at)
  VALUES (%(code)s, 'ubnd-phuong-1', '2.000815', 'received', %(form)s, now(), %(due)s))
INSERT INTO outbox (id, stream, sequence, exchange, routing_key, body) VALUES
  (%(one)s, %(code)s, 1, %(contacts)s, 'intake.contact.given', %(contact)s),
  (%(two)s, %(code)s, 1, %(facts)s, 'intake.dossier.received', %(received)s)
"""


class Submit:
    """Accepts dossiers as ordered."""

    def __init__(self, _tally: Tally, database_url: str) -> None:
        self._url = database_url
        self._local = threading.local()

    def _submit(self, number: int) -> str:
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = psycopg.connect(self._url, autocommit=True)
        code = f"H20.1-261123-{number:06d}"
        db.execute(
            _SUBMIT,
            {
                "code": code,
                "form": json.dumps(facts.FORM, ensure_ascii=False),
                "due": facts.DUE,
                "one": str(uuid.uuid4()),
                "two": str(uuid.uuid4()),
                "contacts": schema.CONTACTS,
                "facts": schema.FACTS,
                "contact": facts.contact(code),
                "received": facts.received(code),
            },
        )
        return code

    def ask(self, message: Order) -> list[Accepted]:
        return carry_out(message, self._submit)

    def stop(self) -> None:
        """Its connections end with the process."""
