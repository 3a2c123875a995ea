"""What is not finished is found by its own small index, however many messages were ever sent."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from services.notify.domain.states import State
from services.notify.storage import heard, stops
from services.notify.storage.tables import in_states, messages, metadata


@pytest.mark.parametrize(
    ("states", "index"),
    [
        ((State.QUEUED, State.FAILED), "messages_due"),
        ((State.SENDING,), "messages_sending"),
        ((State.AWAITING_CONTACT,), "messages_awaiting"),
        ((State.UNCERTAIN, State.UNDELIVERABLE), "messages_stuck"),
    ],
)
def test_sqlite_finds_unfinished_messages_by_their_index(
    states: tuple[State, ...], index: str
) -> None:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    asked = str(sa.select(messages.c.id).where(in_states(*states)).compile(engine))
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all()
    assert any(index in row[-1] for row in plan), plan
    engine.dispose()


def test_who_is_reached_at_an_address_is_found_by_its_mark_and_not_by_reading_all_messages() -> (
    None
):
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    asked: list[tuple[str, object]] = []
    sa.event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _cur, text, values, *_: asked.append((text, values)),
    )
    with engine.connect() as connection:
        stops.dossiers_of(connection, "email", "sau@example.vn")
        stops.dossiers_of(connection, "sms", "+84907123456")
        heard.sent_to(connection, "+84907123456")
        assert len(asked) == 6, "by the mark, and as a version before has written it"
        for text, values in tuple(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
            assert not [row[-1] for row in plan if row[-1].startswith("SCAN")], (text, plan)
    engine.dispose()
