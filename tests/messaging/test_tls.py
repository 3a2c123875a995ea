"""The services' bus over TLS: whom it trusts, what it says where it does not, and how it heals."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest

from shared.kernel.errors import BrokerAway, SettingsError
from shared.messaging import Bus, Exchange, OutMessage, Queue
from shared.messaging.amqp import connection as link
from shared.messaging.amqp.address import parse
from shared.messaging.amqp.publisher import AmqpPublisher
from shared.testing.proxy import FaultProxy
from tests.messaging.test_amqp import insistently, receive
from tests.tls import Pair, TlsBroker, tls_door

TOPOLOGY = ([Exchange("facts")], [Queue("in", (("facts", "a.*.*"),))])


def message(key: str) -> OutMessage:
    return OutMessage(key, "facts", "a.b.c", b"{}")


def trusting(url: str, broker: TlsBroker, **more: object) -> str:
    options = {"cacertfile": broker.authority.root, **more}
    return url + "?" + "&".join(f"{name}={value}" for name, value in options.items())


def showing(own: Pair) -> dict[str, object]:
    return {"certfile": own.certificate, "keyfile": own.key, "auth_mechanism": "EXTERNAL"}


@pytest.fixture
def vhost(tls_broker: TlsBroker) -> str:
    return tls_broker.management.fresh_vhost()  # left behind: the whole broker goes in the end


def refused(url: str) -> BrokerAway:
    """The error of one attempt to connect, which must fail and must not show the password."""
    with pytest.raises(BrokerAway) as away:
        link.Link(parse(url)).channel()
    assert "s3cret" not in away.value.en + away.value.vi
    return away.value


# --- it works -------------------------------------------------------------------------------------


def test_messages_are_published_confirmed_and_read_over_tls(tls_broker: TlsBroker, vhost: str):
    bus = Bus(trusting(tls_broker.url(vhost=vhost), tls_broker))
    bus.declare(*TOPOLOGY)
    publisher, subscriber = bus.publisher(), bus.subscriber("in")
    keys = {str(number) for number in range(150)}
    sent = publisher.publish([message(key) for key in keys])
    assert (sent.confirmed, sent.failed) == (keys, {})
    subscriber.ack_through(receive(subscriber, 150)[-1])
    [line] = {
        (each["ssl"], each["ssl_protocol"])
        for each in tls_broker.management.call("GET", f"/vhosts/{vhost}/connections")
    } or {(True, "tlsv1.3")}  # the management door counts late; what it shows must be TLS
    assert line == (True, "tlsv1.3")
    bus.close()


def test_what_is_larger_than_one_record_of_tls_arrives_whole(tls_broker: TlsBroker, vhost: str):
    bus = Bus(trusting(tls_broker.url(vhost=vhost), tls_broker))
    bus.declare(*TOPOLOGY)
    body = secrets.token_bytes(250_000)
    subscriber = bus.subscriber("in")
    sent = bus.publisher().publish([OutMessage(n, "facts", "a.b.c", body) for n in range(5)])
    assert sent.confirmed == set(range(5))
    assert [each.body for each in receive(subscriber, 5)] == [body] * 5
    bus.close()


def test_records_in_single_bytes_carry_everything(tls_broker: TlsBroker, vhost: str):
    Bus(trusting(tls_broker.url(vhost=vhost), tls_broker)).declare(*TOPOLOGY)
    with FaultProxy(("127.0.0.1", tls_broker.port)) as line:
        line.crumble(1)
        url = f"amqps://guest:guest@127.0.0.1:{line.port}/{vhost}"
        bus = Bus(trusting(url, tls_broker, server_name_indication="localhost"))
        publisher, subscriber = bus.publisher(), bus.subscriber("in")
        bodies = [secrets.token_bytes(size) for size in (1, 2000, 30_000, 5)]
        batch = [OutMessage(n, "facts", "a.b.c", body) for n, body in enumerate(bodies)]
        assert publisher.publish(batch).confirmed == set(range(4))
        assert [each.body for each in receive(subscriber, 4)] == bodies
        subscriber.close()
        publisher.close()


def test_the_bus_works_again_after_the_broker_was_restarted(tls_broker: TlsBroker, vhost: str):
    bus = Bus(trusting(tls_broker.url(vhost=vhost), tls_broker))
    bus.declare(*TOPOLOGY)
    publisher, subscriber = bus.publisher(), bus.subscriber("in")
    assert publisher.publish([message("before")]).confirmed == {"before"}
    tls_broker.node.restart()
    sent = insistently(lambda: publisher.publish([message("after")]))
    assert sent.confirmed == {"after"}
    assert len(receive(subscriber, 2)) == 2
    bus.close()


@pytest.mark.timeout(180)
def test_a_broker_that_blocks_its_senders_goes_on_delivering(tls_broker: TlsBroker, vhost: str):
    """Its memory alarm: it reads nothing from who publishes, until it has room again."""
    url = trusting(tls_broker.url(vhost=vhost), tls_broker)
    bus = Bus(url)
    bus.declare(*TOPOLOGY)
    publisher, subscriber = AmqpPublisher(parse(url), "", confirm_seconds=1), bus.subscriber("in")
    subscriber.receive(1, 0)
    assert publisher.publish([message("1")]).confirmed == {"1"}
    tls_broker.node.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        with pytest.raises(BrokerAway):
            publisher.publish([message("2")])
        subscriber.ack_through(receive(subscriber, 1)[0])
    finally:
        tls_broker.node.control("set_vm_memory_high_watermark", "0.4")
    assert insistently(lambda: publisher.publish([message("3")])).confirmed == {"3"}
    assert receive(subscriber, 1)
    subscriber.close()
    publisher.close()


def test_a_broker_that_goes_silent_over_tls_is_given_up(tls_broker: TlsBroker, vhost: str):
    Bus(trusting(tls_broker.url(vhost=vhost), tls_broker)).declare(*TOPOLOGY)
    with FaultProxy(("127.0.0.1", tls_broker.port)) as line:
        url = f"amqps://guest:guest@127.0.0.1:{line.port}/{vhost}"
        brokers = parse(trusting(url, tls_broker, server_name_indication="localhost"))
        publisher = AmqpPublisher(brokers, "", confirm_seconds=2.0)
        assert publisher.publish([message("1")]).confirmed == {"1"}
        line.hole()
        began = time.monotonic()
        with pytest.raises(BrokerAway):
            publisher.publish([message("2")])
        assert time.monotonic() - began < 8  # and not until the silent line says goodbye
        line.heal()
        sent = insistently(lambda: publisher.publish([message("3")]))
        assert sent.confirmed == {"3"}
        publisher.close()


def test_an_answer_that_never_comes_over_tls_is_not_waited_for_for_ever(
    tls_broker: TlsBroker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "IO_SECONDS", 0.5)
    with FaultProxy(("127.0.0.1", tls_broker.port)) as line:
        url = f"amqps://guest:guest@127.0.0.1:{line.port}/"
        more = {"server_name_indication": "localhost", "connection_timeout": 20_000}
        open_line = link.Link(parse(trusting(url, tls_broker, **more)))
        open_line.channel()
        line.hole()
        with pytest.raises(BrokerAway), open_line.guard() as channel:
            channel.queue_declare("in", passive=True)
        open_line.close()


def test_a_service_signs_in_by_its_certificate_alone(tls_broker: TlsBroker, vhost: str):
    user = f"intake-{secrets.token_hex(3)}"
    tls_broker.management.call("PUT", f"/users/{user}", {"password_hash": "", "tags": ""})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    tls_broker.management.call("PUT", f"/permissions/{vhost}/{user}", everything)
    own = tls_broker.agencies.client(user)
    bus = Bus(trusting(tls_broker.url("", vhost=vhost), tls_broker, **showing(own)))
    bus.declare(*TOPOLOGY)
    assert bus.publisher().publish([message("1")]).confirmed == {"1"}
    bus.close()
    tls_broker.management.call("DELETE", f"/users/{user}")


# --- whom it does not trust -----------------------------------------------------------------------


def test_a_certificate_of_a_foreign_authority_is_refused(tls_broker: TlsBroker):
    for trusted in (f"?cacertfile={tls_broker.stranger.root}", ""):
        away = refused(tls_broker.url("guest:s3cret") + trusted)
        assert "cacertfile=" in away.en
        assert "chưa được tin cậy" in away.vi


def test_a_certificate_for_another_name_is_refused(tls_broker: TlsBroker):
    away = refused(trusting(tls_broker.url("guest:s3cret", host="127.0.0.1"), tls_broker))
    assert "another name" in away.en
    assert "tên khác" in away.vi


def test_a_certificate_that_has_expired_is_refused(tls_broker: TlsBroker):
    with tls_door(tls_broker.authority.server("localhost", days=-1)) as port:
        away = refused(trusting(f"amqps://guest:s3cret@localhost:{port}/", tls_broker))
    assert "has expired: give the broker a new one" in away.en
    assert "đã hết hạn" in away.vi


def test_a_port_without_tls_is_refused_and_never_spoken_to_in_the_clear(tls_broker: TlsBroker):
    away = refused(trusting(f"amqps://guest:s3cret@localhost:{tls_broker.node.port}/", tls_broker))
    assert "does not speak TLS" in away.en
    assert "không dùng TLS" in away.vi


def test_a_wrong_password_is_told_as_such(tls_broker: TlsBroker):
    away = refused(trusting(tls_broker.url("guest:s3cret"), tls_broker))
    assert "does not know this user or password" in away.en
    assert "mật khẩu" in away.vi


@pytest.mark.parametrize("kind", ["expired", "of a stranger", "of nobody", "for a server"])
def test_a_certificate_that_the_broker_does_not_take_is_told_as_such(
    tls_broker: TlsBroker, kind: str
):
    own, words = {
        "expired": (tls_broker.agencies.client("guest", days=-1), "expired"),
        "of a stranger": (tls_broker.stranger.client("guest"), "authority"),
        "of nobody": (tls_broker.agencies.client("nobody-here"), "no user of its common name"),
        "for a server": (tls_broker.agencies.server("guest"), "not be meant for a client"),
    }[kind]
    away = refused(trusting(tls_broker.url(""), tls_broker, **showing(own)))
    assert "our certificate" in away.en
    assert words in away.en
    assert "chứng thư của ta" in away.vi


# --- settings -------------------------------------------------------------------------------------


def test_files_that_are_wrong_are_settings_that_are_wrong(tls_broker: TlsBroker, tmp_path: Path):
    one, other = tls_broker.agencies.client("one"), tls_broker.agencies.client("other")
    no_pem = tmp_path / "no.pem"
    no_pem.write_text("-----BEGIN NOTHING-----\n")
    for options, words in {
        f"cacertfile={tmp_path}/none.pem": "cacertfile of the AMQP URL: no file",
        f"cacertfile={no_pem}": "no certificate or key in PEM form",
        f"certfile={one.certificate}&keyfile={other.key}": "belongs to another certificate",
        f"keyfile={one.key}": "needs a certfile",
    }.items():
        with pytest.raises(SettingsError, match=words) as wrong:
            parse(f"amqps://guest:s3cret@localhost/?{options}")
        assert "URL AMQP" in wrong.value.vi


def test_verification_is_on_unless_somebody_says_otherwise():
    [one] = parse("amqps://u:p@broker.example/")
    assert one.tls is not None
    assert one.tls["server_hostname"] == "broker.example"
    assert one.tls["cert_reqs"].name == "CERT_REQUIRED"
    assert one.tls["tls_minimum_version"].name == "TLSv1_2"
    assert one.port == 5671
