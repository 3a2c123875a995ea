"""A citizen and a desk officer for tests of the whole city; no test lives here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from werkzeug.test import Client

from services.embedded.city import City
from services.notify.domain.messages import Message
from services.notify.storage import queries
from shared.catalogue import FormField, Procedure
from shared.identity.keys import issue
from shared.kernel.clock import to_vn
from shared.messaging.tables import DONE, LATE, LEDGERS

OFFICE = "ubnd-phuong-1"
INTERLINKED = "2.000986"  # birth, then residence and insurance card side by side
LAND = "1.013831"  # land, tax, the citizen pays while the clock stands, sign
PATIENCE_SECONDS = 60.0


class Desk:
    """One office's desk, through the public API."""

    def __init__(self, city: City, office: str = OFFICE) -> None:
        self.city = city
        self.office = office
        self._client = Client(city.intake.web)
        with city.intake.store.begin() as uow:
            _, text = issue(uow, kind="desk", bound_to=office, label="thử")
        self._headers = {"Authorization": f"Bearer {text}"}

    def submit(self, code: str = INTERLINKED, *, key: str | None = None, number: int = 1) -> str:
        """File a dossier of this procedure; its code."""
        today = to_vn(self.city.clock.now()).date()
        procedure = self.city.catalogue.procedure(code, today)
        return str(self.post("", filing(procedure, number), key=key)["code"])

    def post(self, path: str, body: Any, *, key: str | None = None) -> dict[str, Any]:
        """One command; the answer, which must be a success."""
        headers = dict(self._headers) | ({"Idempotency-Key": key} if key else {})
        reply = self._client.post(f"/api/v1/dossiers{path}", json=body, headers=headers)
        assert reply.status_code in (200, 201), (reply.status_code, reply.get_data(as_text=True))
        told: dict[str, Any] = reply.get_json()
        return told

    def get(self, code: str, part: str = "") -> dict[str, Any]:
        reply = self._client.get(f"/api/v1/dossiers/{code}{part}", headers=self._headers)
        assert reply.status_code == 200, reply.get_data(as_text=True)
        told: dict[str, Any] = reply.get_json()
        return told

    def status(self, code: str) -> int:
        """The official number of the dossier's status."""
        return int(self.get(code)["status"]["number"])


def filing(procedure: Procedure, number: int) -> dict[str, Any]:
    """What a citizen hands in; `number` makes it another citizen."""
    return {
        "procedure": procedure.code,
        "channel": "direct",
        "form": {field.name: _value(field) for field in procedure.form if field.required},
        "papers": [
            {"code": paper.code, "original": paper.original, "copy": paper.copy}
            for paper in procedure.papers
            if paper.condition is None
        ],
        "contact": {
            "name": f"Nguyễn Thị Sáu {number}",
            "phone": f"09071{number:05}",
            "email": f"sau{number}@example.vn",
            "consent": {"sms": True, "email": True},
        },
    }


def _value(field: FormField) -> Any:
    return {
        "text": "Nguyễn Văn Tư"[: field.max_length],
        "date": "2020-02-29",
        "number": 12,
        "choice": field.choices[0] if field.choices else "",
        "bool": True,
        "phone": "0907123456",
        "id_number": "087190001234",
    }[field.type]


def carry(city: City, done: Callable[[], bool]) -> None:
    """Move the city until it is so; a real broker takes its time to deliver."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        moved = city.pump()
        if done():
            return
        assert time.monotonic() < end, "the city came to rest too early"
        if not moved:
            time.sleep(0.005)


def messages(city: City) -> list[Message]:
    """All messages, oldest first."""
    with city.notify.store.read() as connection:
        return queries.find(connection, queries.Search(limit=10_000))[::-1]


def all_sent(city: City, count: int) -> bool:
    """Whether so many messages were sent and none is on its way."""
    with city.notify.store.read() as connection:
        return queries.by_state(connection) == {"sent": count}


def held(city: City) -> list[tuple[str, str, str, str | None]]:
    """Whatever came in and is not done: (service, type, state, reason)."""
    found = []
    for service in city.services.values():
        inbox = LEDGERS.inbox
        query = sa.select(inbox.c.type, inbox.c.state, inbox.c.reason).where(
            inbox.c.state.not_in((DONE, LATE))
        )
        with service.store.read() as connection:
            found += [(service.name, *row) for row in connection.execute(query)]
    return found


def unsent(city: City) -> int:
    """Facts that no relay has sent yet."""
    return sum(_count_unsent(LEDGERS.outbox, service.store) for service in
               city.services.values())  # fmt: skip


def _count_unsent(outbox: sa.Table, store: Any) -> int:
    with store.read() as connection:
        query = sa.select(sa.func.count()).where(outbox.c.sent_at.is_(None))
        return int(connection.execute(query).scalar_one())


def moments(found: Sequence[Message]) -> list[tuple[str, str]]:
    """(moment, channel) of messages, sorted."""
    return sorted((message.moment, message.channel) for message in found)
