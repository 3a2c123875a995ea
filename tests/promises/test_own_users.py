"""Broker users of their own: who may speak as whom, and what becomes of what the broker gives up.

One town for all of it, since it takes long to build; each test has dossiers of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pika.exceptions
import pytest
import sqlalchemy as sa

from shared.catalogue import Catalogue
from shared.messaging.parked import Held
from shared.messaging.tables import LEDGERS
from shared.settings import SERVICES
from tests.backends import Servers, ServersBackend, Templates
from tests.embedded.townsfolk import INTERLINKED
from tests.promises.own_users import AGENCY, OwnUsers, answer, own_users

TASKS = f"agency.{AGENCY}.tasks"
FACTS = "dossier.facts"
STOPPED = {"reason": "giả", "next_step": "giả", "stopped_at": "2022-03-14T08:15:00Z"}
QUEUES = {"routing.facts": "routing", "notify.facts": "notify", "notify.contacts": "notify"}


@pytest.fixture(scope="module")
def town(
    servers: Servers,
    templates: Templates,
    catalogue: Catalogue,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OwnUsers]:
    backend = ServersBackend(tmp_path_factory.mktemp("own-users"), templates, servers)
    with own_users(backend, catalogue) as made:
        yield made
    backend.close()


def is_done(town: OwnUsers, fact_id: str) -> bool:
    inbox = LEDGERS.inbox.c
    with town.city.routing.store.read() as connection:
        asked = sa.select(inbox.state).where(inbox.fact_id == fact_id)
        return connection.scalar(asked) == "done"


# --- what the broker gives up ---------------------------------------------------------------------


def hand_one_over(town: OwnUsers) -> None:
    """A task, alone on the agency's queue."""
    with town.channel() as channel:
        channel.queue_purge(TASKS)
    town.desk.submit(INTERLINKED)
    town.carry(lambda: town.waiting(TASKS) == 1)


def reasons(town: OwnUsers, service: str) -> set[tuple[str, str | None]]:
    return {(row.consumer, row.reason) for row in town.held(service)}


def task_of(town: OwnUsers) -> dict[str, Any]:
    """The one message on the agency's queue, acknowledged by the agency."""
    with town.channel(AGENCY) as channel:
        method, _, body = channel.basic_get(TASKS)
        assert method is not None
        channel.basic_ack(method.delivery_tag)
    told: dict[str, Any] = json.loads(body)
    return told


def test_what_the_broker_gives_up_is_parked_with_its_reader_and_goes_on_from_there(
    town: OwnUsers,
):
    code = town.desk.submit(INTERLINKED).code
    town.send_only("intake")
    given_up = {queue: town.reject_all(queue) for queue in QUEUES}
    assert min(given_up.values()) > 0
    letters = {s: sum(n for queue, n in given_up.items() if QUEUES[queue] == s) for s in SERVICES}
    # One of notify's holds a phone number; and what is dead is there for its own service alone.
    town.carry(lambda: {s: len(town.held(s)) for s in SERVICES} == letters)
    assert reasons(town, "notify") == {
        (queue, f"dead_letter: rejected on {queue} (1)")
        for queue in ("notify.facts", "notify.contacts")
    }
    assert reasons(town, "routing") == {
        ("routing.facts", "dead_letter: rejected on routing.facts (1)")
    }
    for row in town.held("notify"):
        assert (row.routing_key or "").startswith("intake.")
        assert row.user_id == "intake"
    assert town.desk.status(code) == 2
    for service in SERVICES:
        town.replay_all(service)
        assert town.waiting(f"{service}.dead-letters") == 0
    town.carry(lambda: town.desk.status(code) == 4)
    assert not [row for service in SERVICES for row in town.held(service)]


def test_a_task_and_an_answer_that_are_given_up_go_their_way_again(town: OwnUsers):
    hand_one_over(town)
    with town.channel(AGENCY) as channel:
        method, properties, body = channel.basic_get(TASKS)
        assert properties.user_id == "routing"
        channel.basic_reject(method.delivery_tag, requeue=False)
    for _ in range(2):  # once more after a person has sent it again
        town.carry(lambda: len(town.held("routing")) == 1)
        (row,) = town.held("routing")
        assert (row.consumer, row.reason, row.routing_key) == (
            "routing.dead-letters", f"dead_letter: rejected on {TASKS} (1)", TASKS,
        )  # fmt: skip
        town.replay_all("routing")
        assert town.held("routing") == []
        town.carry(lambda: town.waiting(TASKS) == 1)
        assert town.reject_all(TASKS, AGENCY) == 1
    town.carry(lambda: len(town.held("routing")) == 1)
    town.replay_all("routing")
    town.carry(lambda: town.waiting(TASKS) == 1)
    again = task_of(town)
    assert again == json.loads(body), "under the same id and number"

    town.rest_your_eyes()
    taken = answer(again["data"]["task"], "taken", "answer-1", officer="máy chủ")
    town.put(AGENCY, "agency.answers", f"answer.{AGENCY}.taken", taken, user_id=AGENCY)
    assert town.reject_all("routing.answers") == 1
    town.carry(lambda: len(town.held("routing")) == 1)
    (row,) = town.held("routing")
    assert (row.consumer, row.fact_id, row.user_id) == ("routing.answers", "answer-1", AGENCY)
    town.replay_all("routing")
    town.carry(lambda: is_done(town, "answer-1"))
    assert town.held("routing") == []


def test_nobody_reads_or_writes_another_s_dead_letters(town: OwnUsers):
    for user, service in product([*SERVICES, AGENCY], SERVICES):
        queue = f"{service}.dead-letters"
        with refused(town, user) as channel:
            channel.basic_publish("", queue, b"x")
        if user != service:
            with refused(town, user) as channel:
                channel.basic_get(queue)
            with refused(town, user) as channel:
                channel.queue_delete(queue)


@contextmanager
def refused(town: OwnUsers, user: str) -> Iterator[Any]:
    """What is done on this channel, the broker must not allow."""
    with town.channel(user) as channel:
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
            yield channel
        assert closed.value.reply_code == 403


# --- who speaks -----------------------------------------------------------------------------------


def fact(source: str, kind: str, code: str, number: int, **data: Any) -> dict[str, Any]:
    """What a service would say of a dossier, if it were the one who says it."""
    return {
        "specversion": "1.0",
        "id": "forged",
        "source": source,
        "type": f"vn.lienthong.{kind}.v1",
        "subject": code,
        "time": "2022-03-14T08:15:00Z",
        "datacontenttype": "application/json",
        "sequence": f"{number:010d}",
        "data": {"dossier": code, **data},
    }


def parked_at(town: OwnUsers, service: str, count: int) -> list[Held]:
    town.carry(lambda: len(town.held(service)) == count)
    return town.held(service)


def test_a_service_s_user_cannot_speak_for_another(town: OwnUsers):
    code = town.desk.submit(INTERLINKED).code
    town.carry(lambda: town.desk.status(code) == 4)
    forgeries: list[tuple[str, dict[str, Any]]] = [
        ("/routing", {}),  # as routing, under its own key
        ("/routing", {"user_id": "notify"}),
        ("/notify", {"user_id": "notify"}),  # as itself, of what is not its to say
    ]
    for tried, (source, more) in enumerate(forgeries):
        number = next_number(town, source, code)
        forged = fact(source, "dossier.stopped", code, number, **STOPPED) | {
            "id": f"forged-{tried}"
        }
        town.put("notify", FACTS, "notify.dossier.stopped", forged, **more)
    rows = parked_at(town, "intake", len(forgeries))
    assert {row.routing_key for row in rows} == {"notify.dossier.stopped"}
    assert {row.user_id for row in rows} == {None, "notify"}
    assert all((row.reason or "").startswith("unknown_sender: ") for row in rows)
    town.replay_all("intake")  # whoever presses that button is no voucher
    assert len(parked_at(town, "intake", len(forgeries))) == len(forgeries)
    assert town.desk.status(code) == 4


def next_number(town: OwnUsers, source: str, code: str) -> int:
    """The number that intake waits for: a forgery under any other would change nothing anyway."""
    streams = LEDGERS.streams.c
    with town.city.services[source.removeprefix("/")].store.read() as connection:
        asked = sa.select(streams.last).where(streams.stream == f"{source} {code}")
        return int(connection.scalar(asked) or 0) + 1


def test_an_answer_is_taken_from_the_agency_s_own_user_alone(town: OwnUsers):
    hand_one_over(town)
    with town.channel(AGENCY) as channel:
        task = json.loads(channel.basic_get(TASKS, auto_ack=True)[2])["data"]["task"]
    key = f"answer.{AGENCY}.taken"
    town.put(AGENCY, "agency.answers", key, answer(task, "taken", "unsigned", officer="x"))
    (row,) = parked_at(town, "routing", 1)
    assert row.reason == "unknown_sender: an answer must name its broker user (user_id)"
    assert (row.routing_key, row.user_id) == (key, None)
    signed = answer(task, "taken", "signed-answer", officer="x")
    town.put(AGENCY, "agency.answers", key, signed, user_id=AGENCY)
    town.carry(lambda: is_done(town, "signed-answer"))
    assert [row.reason for row in town.held("routing")] == [row.reason]
