"""The kit against routing itself: what agencies are sent and what becomes of their answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.rabbitmq.make import definitions
from partner import Client, Message
from services.routing.usecases.answer import ANSWERS_QUEUE
from tests.backends import ServersBackend
from tests.partner.conftest import SmallCity
from tests.routing.town import Town, migrate, received, withdrawn

Agency = Callable[[str], Client]


@pytest.fixture
def town(on_servers: ServersBackend) -> Iterator[Town]:
    on_servers.migrated("routing", migrate)
    made = Town(on_servers.settings("routing"))
    yield made
    made.close()


@pytest.fixture
def agency(town: Town, on_servers: ServersBackend, tmp_path: Path) -> Iterator[Agency]:
    """Makes the client of one agency of the town, with a user of its own at the broker."""
    codes = list(town.rules.agency_codes())
    passwords = {code: secrets.token_urlsafe(16) for code in codes}
    made = definitions(SmallCity(codes), passwords, vhost=on_servers.vhost)
    made["users"] = [user for user in made["users"] if user["name"] in codes]
    for name in ("permissions", "topic_permissions"):
        made[name] = [row for row in made[name] if row["user"] in codes]
    with on_servers.management.defined(made, codes), ExitStack() as stack:

        def client(code: str) -> Client:
            url = on_servers.amqp_url(code, passwords[code])
            return stack.enter_context(Client(code, url=url, store=tmp_path / f"{code}.db"))

        yield client


def settle(town: Town, answers: int) -> None:
    """Carry everything to rest once so many answers, already confirmed, have been handled."""
    town._sent[ANSWERS_QUEUE] = town._sent.get(ANSWERS_QUEUE, 0) + answers
    town.rest()


def completing(client: Client) -> Callable[[Message], None]:
    def handle(message: Message) -> None:
        if message.kind == "assigned":
            client.take(message.task)
            client.complete(message.task, result_code=message.data["results"][0])

    return handle


def test_a_dossier_goes_through_three_agencies_with_the_kit(town: Town, agency: Agency):
    town.intake(received("D-1"))
    justice, police, insurance = (agency(code) for code in ("phuong-1", "cong-an", "bhxh"))
    assert police.drain(completing(police)) == 0
    assert justice.drain(completing(justice)) == 1
    settle(town, answers=2)
    assert police.drain(completing(police)) == 1
    assert insurance.drain(completing(insurance)) == 1
    settle(town, answers=4)
    results = town.one("D-1", "dossier.resolved")["results"]
    assert {row["agency"]["code"] for row in results} == {"phuong-1", "cong-an", "bhxh"}
    assert {row["result_code"] for row in results} == {"KQ.1", "KQ.2", "KQ.3"}


def test_an_agency_sees_only_the_fields_that_its_step_shares(town: Town, agency: Agency):
    town.intake(received("D-1"))
    justice, police = agency("phuong-1"), agency("cong-an")
    justice.drain(completing(justice))
    settle(town, answers=2)
    police.drain(lambda message: None)
    assert justice.tasks(closed=True)[0].data["form"] == {"child": "Bé An", "mother": "Lê Thị Hoa"}
    assert police.tasks()[0].data["form"] == {"child": "Bé An"}


def test_a_task_that_was_withdrawn_is_cancelled_at_the_agency(town: Town, agency: Agency):
    town.intake(received("D-1"))
    justice = agency("phuong-1")
    justice.drain(lambda message: None)
    town.intake(withdrawn("D-1"))
    justice.drain(lambda message: None)
    assert [task.state for task in justice.tasks(closed=True)] == ["cancelled"]


def test_an_answer_that_routing_does_not_apply_comes_back_and_can_be_given_anew(
    town: Town, agency: Agency
):
    town.intake(received("D-1"))
    justice = agency("phuong-1")
    justice.drain(lambda message: None)
    (task,) = justice.tasks()
    wrong = justice.refuse(task.id, "Không thuộc thẩm quyền")
    (kept,) = justice._outbox.unsent()
    body = kept.body.replace(b'"reason":', b'"reasons":')  # as a kit with a typing mistake would
    justice._store.do("UPDATE answers SET body = ? WHERE id = ?", body, wrong)
    assert justice.flush() == 1, "a confirm is the broker's"
    settle(town, answers=1)
    handled: list[Message] = []
    assert justice.drain(handled.append) == 1
    assert [message.kind for message in handled] == ["answer_refused"]
    (refusal,) = justice.refusals()
    assert (refusal.answer, refusal.task, refusal.kind) == (wrong, task.id, "refused")
    assert (refusal.rule, refusal.place) == ("missing_field", "reason")
    assert refusal.vi
    assert refusal.said
    assert [each.state for each in justice.tasks()] == ["open"]
    justice.complete(task.id, result_code=task.results[0])
    assert justice.flush() == 1
    settle(town, answers=1)
    assert justice.drain(handled.append) == 0
    assert justice.refusals(standing=True) == []
