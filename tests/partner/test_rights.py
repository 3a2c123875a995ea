"""Promise 6: an agency's user can read its own queue and answer under its own name, no more.

Tried with the users' real credentials on the real broker, by plain pika: a stranger's eyes.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
import pika.exceptions
import pytest

from partner.settings import Address, Tls
from services.routing.delivery import rights
from shared.kernel.errors import BrokerAway
from shared.messaging.amqp.address import parse
from shared.messaging.amqp.connection import Link
from tests.partner.conftest import CityBroker


@contextmanager
def channel_of(broker: CityBroker, user: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    finally:
        if connection.is_open:
            connection.close()


def refused(broker: CityBroker, user: str, act: Any) -> str:
    """What the broker says to an act that it must refuse."""
    with channel_of(broker, user) as channel:
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
            act(channel)
    assert closed.value.reply_code == 403
    return str(closed.value.reply_text)


def publish(exchange: str, key: str, **properties: Any) -> Any:
    def act(channel: Any) -> None:
        channel.basic_publish(exchange, key, b"{}", pika.BasicProperties(**properties))

    return act


def test_its_own_queue_can_be_read_and_acknowledged(broker: CityBroker):
    broker.assign(1)
    with channel_of(broker, broker.agency) as channel:
        method, _, body = channel.basic_get(f"agency.{broker.agency}.tasks")
        assert body.startswith(b'{"specversion"')
        channel.basic_ack(method.delivery_tag)
    assert broker.waiting() == 0


def open_until_refused(broker: CityBroker) -> None:
    for _ in range(50):  # the broker counts connections a little later
        pika.BlockingConnection(pika.URLParameters(broker.url())).close()
        time.sleep(0.1)


def test_nobody_keeps_the_others_out_by_opening_more_and_more(broker: CityBroker):
    most = rights.LIMITS["max-connections"]
    opened = [pika.BlockingConnection(pika.URLParameters(broker.url())) for _ in range(most)]
    try:
        with pytest.raises(pika.exceptions.AMQPConnectionError, match="connection limit"):
            open_until_refused(broker)
        with pytest.raises(BrokerAway, match="as many connections as it may have"):
            Link(parse(broker.url())).channel()
        with channel_of(broker, broker.other) as channel:
            assert channel.is_open
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            _ = [each.channel() for each in opened for _ in range(5)]
    finally:
        for each in opened:
            if each.is_open:
                each.close()


def test_its_own_queue_can_be_emptied_which_a_right_to_read_includes(broker: CityBroker):
    broker.assign(1)
    with channel_of(broker, broker.agency) as channel:
        emptied = channel.queue_purge(f"agency.{broker.agency}.tasks")
        assert emptied.method.message_count == 1
    assert broker.waiting() == 0


@pytest.mark.parametrize(
    "queue",
    [
        "agency.OTHER.tasks",
        "routing.answers",
        "intake.facts",
        "notify.contacts",
        "routing.dead-letters",
    ],
)
def test_no_other_queue_can_be_read(broker: CityBroker, queue: str):
    name = queue.replace("OTHER", broker.other)
    assert "ACCESS_REFUSED" in refused(broker, broker.agency, lambda c: c.basic_get(name))
    for act in (
        lambda c: c.basic_consume(name, lambda *_: None),
        lambda c: c.queue_purge(name),
    ):
        assert "ACCESS_REFUSED" in refused(broker, broker.agency, act)


def test_an_answer_under_its_own_name_is_taken(broker: CityBroker):
    with channel_of(broker, broker.agency) as channel:
        channel.basic_publish(
            "agency.answers",
            f"answer.{broker.agency}.taken",
            b"{}",
            pika.BasicProperties(user_id=broker.agency),
            mandatory=True,
        )
    ((_, properties, _),) = broker.answers()
    assert properties.user_id == broker.agency


@pytest.mark.parametrize(
    "key", ["answer.OTHER.completed", "answer.OWN.completed.more", "answer.OWN", "x.answer.OWN.y"]
)
def test_an_answer_under_another_name_is_refused(broker: CityBroker, key: str):
    real = key.replace("OTHER", broker.other).replace("OWN", broker.agency)
    assert "ACCESS_REFUSED" in refused(broker, broker.agency, publish("agency.answers", real))
    assert broker.answers() == []


def test_the_broker_refuses_a_user_id_that_is_not_one_s_own(broker: CityBroker):
    connection = pika.BlockingConnection(pika.URLParameters(broker.url()))
    channel = connection.channel()
    channel.confirm_delivery()
    key = f"answer.{broker.agency}.taken"
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        publish("agency.answers", key, user_id=broker.other)(channel)
    assert closed.value.reply_code == 406
    connection.close()
    assert broker.answers() == []


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        ("dossier.facts", "intake.dossier.received"),
        ("citizen.contacts", "intake.contact.given"),
        ("agency.tasks", "agency.OTHER.tasks"),
        ("agency.tasks", "agency.OWN.tasks"),
        ("", "routing.dead-letters"),
        ("", "routing.answers"),  # the default exchange reaches every queue by its name
        ("", "agency.OTHER.tasks"),
        ("amq.topic", "anything"),
    ],
)
def test_no_other_exchange_can_be_written_to(broker: CityBroker, exchange: str, key: str):
    real = key.replace("OTHER", broker.other).replace("OWN", broker.agency)
    assert "ACCESS_REFUSED" in refused(broker, broker.agency, publish(exchange, real))


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.queue_declare("mine", durable=True),
        lambda c: c.queue_declare("", exclusive=True),
        lambda c: c.exchange_declare("mine", "topic"),
        lambda c: c.exchange_delete("agency.answers"),
    ],
    ids=["a queue", "a private queue", "an exchange", "delete an exchange"],
)
def test_nothing_can_be_made_or_deleted(broker: CityBroker, act: Any):
    assert "ACCESS_REFUSED" in refused(broker, broker.agency, act)


def test_its_own_queue_cannot_be_deleted_or_bound(broker: CityBroker):
    own = f"agency.{broker.agency}.tasks"
    broker.assign(1)
    for act in (
        lambda c: c.queue_delete(own),
        lambda c: c.queue_bind(own, "dossier.facts", "intake.*.*"),
        lambda c: c.queue_unbind(own, "agency.tasks", own),
    ):
        assert "ACCESS_REFUSED" in refused(broker, broker.agency, act)
    assert broker.waiting() == 1


def test_another_virtual_host_is_closed(broker: CityBroker):
    url = broker.url().rpartition("/")[0] + "/%2F"
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(url))


@pytest.mark.parametrize("service", ["intake", "routing", "notify"])
def test_each_service_can_declare_what_it_needs_under_its_own_user(
    broker: CityBroker, service: str
):
    from shared.messaging import Bus, topology

    queues = list(topology.queues_of(service))
    if service == "routing":
        queues += topology.agency_queues(broker.city.agency_codes())
    bus = Bus(broker.url(service))
    bus.declare(topology.exchanges_of(service), queues)
    bus.ping()
    bus.close()


@pytest.mark.parametrize(
    ("service", "exchange", "key", "allowed"),
    [
        ("intake", "dossier.facts", "intake.dossier.received", True),
        ("intake", "citizen.contacts", "intake.contact.given", True),
        ("intake", "dossier.facts", "routing.dossier.started", False),
        ("intake", "dossier.facts", "steps.step.opened", False),
        ("routing", "dossier.facts", "routing.dossier.started", True),
        ("routing", "dossier.facts", "steps.step.opened", True),
        ("routing", "agency.tasks", "agency.OWN.tasks", True),
        ("routing", "citizen.contacts", "intake.contact.given", False),
        ("notify", "dossier.facts", "notify.citizen.notified", True),
        ("notify", "agency.answers", "answer.OWN.taken", False),
    ],
)
def test_each_service_speaks_under_its_own_name_alone(
    broker: CityBroker, service: str, exchange: str, key: str, allowed: bool
):
    act = publish(exchange, key.replace("OWN", broker.agency))
    if not allowed:
        assert "ACCESS_REFUSED" in refused(broker, service, act)
        return
    with channel_of(broker, service) as channel:
        act(channel)


def test_an_agency_with_a_certificate_needs_no_password():
    parameters = Address("amqps://broker.example/city").parameters()
    assert isinstance(parameters.credentials, pika.credentials.ExternalCredentials)
    assert parameters.ssl_options.context.verify_mode == ssl.CERT_REQUIRED
    assert parameters.ssl_options.server_hostname == "broker.example"
    assert Tls().context().check_hostname is True
