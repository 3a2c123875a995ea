"""The committed broker definitions: made by the generator, complete, and without any secret."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from pathlib import Path

import pika
import pika.exceptions
import pytest

from deploy.rabbitmq import dead_letters, make
from shared.catalogue import load
from shared.events import names
from shared.events.registry import KINDS
from shared.messaging import topology
from tests.backends import ServersBackend
from tests.partner.conftest import CityBroker, SmallCity

PROJECT = Path(__file__).resolve().parent.parent.parent


def test_the_committed_file_is_what_the_generator_makes():
    made = make.text(make.definitions(load(PROJECT / "catalogue")))
    assert make.COMMITTED.read_text(encoding="utf-8") == made, (
        "the agencies have changed: run python deploy/rabbitmq/make.py"
    )


def test_the_committed_file_holds_no_password():
    held = json.loads(make.COMMITTED.read_text(encoding="utf-8"))
    assert {user["password_hash"] for user in held["users"]} == {""}
    assert "guest" not in {user["name"] for user in held["users"]}


def test_the_definitions_hold_every_queue_and_binding_that_the_services_declare():
    catalogue = load(PROJECT / "catalogue")
    made = make.definitions(catalogue)
    declared, held = set(), set()
    for service in make.SERVICES:
        queues = [*topology.queues_of(service)]
        if service == "routing":
            queued = (each for each in catalogue.every_agency() if each.reach == "amqp")
            queues += topology.agency_queues(each.code for each in queued)
        held |= {queue.name for queue in queues}
        for queue in queues:
            declared |= {(queue.name, *binding) for binding in queue.bindings}
    bound = {(b["destination"], b["source"], b["routing_key"]) for b in made["bindings"]}
    assert declared == bound
    assert {q["name"] for q in made["queues"]} == held
    assert held - {name for name, *_ in bound} == set(map(names.dead_letters, make.SERVICES))
    assert all(q["arguments"] == {"x-queue-type": "quorum"} for q in made["queues"])


def test_a_service_may_write_under_the_key_of_each_of_its_events_and_of_no_other():
    addresses = {address for kind in KINDS.values() for address in kind.addresses}
    topics = {name for name, kind in names.EXCHANGE_KINDS.items() if kind == "topic"}
    for service in make.SERVICES:
        for to in (each for each in addresses if each.exchange in topics):
            allowed = make.WRITES[service].get(to.exchange, make.NOTHING)
            may = re.match(allowed, to.routing_key) is not None
            assert may == (to.source.split("/")[1] == service), (service, to)


def test_a_password_becomes_the_salted_hash_that_the_broker_knows():
    made = make.password_hash("mật khẩu", b"\x01\x02\x03\x04")
    raw = base64.b64decode(made)
    assert raw[:4] == b"\x01\x02\x03\x04"
    assert raw[4:] == hashlib.sha256(raw[:4] + "mật khẩu".encode()).digest()
    assert make.password_hash("a") != make.password_hash("a")


def test_passwords_come_from_files_and_from_the_environment(tmp_path):
    (tmp_path / "intake").write_text("one\n")
    (tmp_path / "phuong-1").write_text("two")
    (tmp_path / ".hidden").write_text("no")
    env = {"LIENTHONG_BROKER_PASSWORD_PHUONG_1": "three", "HOME": "/root"}
    assert make.read_passwords(tmp_path, env) == {"intake": "one", "phuong-1": "three"}


def test_a_password_for_nobody_is_a_mistake():
    with pytest.raises(ValueError, match="phuong-99"):
        make.definitions(SmallCity(["phuong-1"]), {"phuong-99": "x"})


def test_passwords_never_go_into_the_committed_file(tmp_path, capsys):
    (tmp_path / "intake").write_text("one")
    before = make.COMMITTED.read_bytes()
    assert make.main(["--passwords", str(tmp_path)]) == 2
    assert make.COMMITTED.read_bytes() == before
    out = tmp_path / "out.json"
    assert make.main(["--passwords", str(tmp_path), "--out", str(out)]) == 0
    assert out.stat().st_mode & 0o077 == 0
    users = {u["name"]: u["password_hash"] for u in json.loads(out.read_text())["users"]}
    assert users["intake"]
    assert not users["routing"]
    assert "certificate alone" in capsys.readouterr().out


def test_the_policies_attach_to_every_queue(broker: CityBroker):
    """Read back from the broker: it accepts unknown arguments and policies silently."""
    management, vhost = broker.backend.management, broker.backend.vhost
    wanted = {
        "intake.facts": "lienthong-intake",
        "routing.answers": "lienthong-routing",
        "notify.contacts": "lienthong-notify",
        f"agency.{broker.agency}.tasks": "lienthong-agencies",
        "notify.dead-letters": "lienthong-dead-letters",
    }
    for queue, policy in wanted.items():
        found = _when_there(management, f"/queues/{vhost}/{queue}", "policy")
        assert found["policy"] == policy
        assert found["type"] == "quorum"
        if policy != "lienthong-dead-letters":
            effective = found["effective_policy_definition"]
            dead = "routing" if policy == "lienthong-agencies" else policy.partition("-")[2]
            assert effective["dead-letter-routing-key"] == f"{dead}.dead-letters"
            assert effective["delivery-limit"] == make.DELIVERY_LIMIT
            assert effective["dead-letter-strategy"] == "at-least-once"
            assert effective["overflow"] == "reject-publish"


def test_the_committed_definitions_load_and_let_nobody_in_by_password(on_servers: ServersBackend):
    held = json.loads(make.COMMITTED.read_text(encoding="utf-8"))
    made = {
        name: [{**row, "vhost": on_servers.vhost} if "vhost" in row else row for row in rows]
        for name, rows in held.items()
        if name != "vhosts"
    }
    with on_servers.management.defined(made, [user["name"] for user in held["users"]]):
        queues = on_servers.management.call("GET", f"/queues/{on_servers.vhost}?columns=name")
        assert {queue["name"] for queue in queues} == {queue["name"] for queue in held["queues"]}
        for password in ("", "intake", "guest"):
            url = on_servers.amqp_url("intake", password)
            with pytest.raises(pika.exceptions.ProbableAuthenticationError):
                pika.BlockingConnection(pika.URLParameters(url))


def _when_there(management, path, name):
    """Policies attach a moment after they were made."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = management.call("GET", path)
        if found and found.get(name):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{path} never had a {name}")


def test_a_message_given_back_too_often_lands_among_the_dead_letters(broker: CityBroker):
    management, vhost = broker.backend.management, broker.backend.vhost
    queue = f"agency.{broker.agency}.tasks"
    _when_there(management, f"/queues/{vhost}/{queue}", "policy")
    broker.assign(1)
    connection = pika.BlockingConnection(pika.URLParameters(broker.url()))
    channel = connection.channel()
    tries, silent = 0, 0
    for method, _, _ in channel.consume(queue, inactivity_timeout=2):
        if method is None:  # the end, or a broker that has much to do
            silent += 1
            if tries > make.DELIVERY_LIMIT or silent > 20:
                break
            continue
        tries += 1
        assert tries <= 60, "redelivered without end"
        channel.basic_reject(method.delivery_tag, requeue=True)
    connection.close()
    assert tries == make.DELIVERY_LIMIT + 1
    _, _, body = broker._channel.basic_get("routing.dead-letters", auto_ack=True)
    assert json.loads(body)["data"]["task"] == "task-1"


def test_the_dead_letters_of_a_former_version_are_handed_to_whose_they_are(broker: CityBroker):
    """Its exchange and queue as it had them; the user who sent each stays with it."""
    operator, own = broker.backend.amqp_url(), f"agency.{broker.agency}.tasks"
    fields = {"exchange_type": "fanout", "durable": True}
    quorum = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
    channel = broker._channel
    channel.exchange_declare(dead_letters.OLD, **fields)
    channel.queue_declare(dead_letters.OLD, **quorum)
    channel.queue_bind(dead_letters.OLD, dead_letters.OLD)
    queues = {"notify.contacts": "notify", "routing.answers": "routing", own: "routing"}
    for queue in queues:
        deaths = [{"queue": queue, "reason": "delivery_limit", "count": 1}]
        properties = pika.BasicProperties(headers={"x-death": deaths}, user_id="guest")
        channel.basic_publish(dead_letters.OLD, "", queue.encode(), properties, mandatory=True)
    management = broker.backend.management
    tags = {"tags": "administrator,impersonator"}
    management.call("PUT", "/users/operator-of-letters", {"password": "x", **tags})
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    management.call("PUT", f"/permissions/{broker.backend.vhost}/operator-of-letters", rights)
    try:
        url = operator.replace("guest:guest", "operator-of-letters:x")
        assert dead_letters.move(url) == dead_letters.Moved(3, 0)
        assert dead_letters.move(url) == dead_letters.Moved(0, 0), "there is none any more"
    finally:
        management.call("DELETE", "/users/operator-of-letters")
    for service in queues.values():
        method, properties, body = channel.basic_get(f"{service}.dead-letters", auto_ack=True)
        assert method is not None
        assert body.decode() in queues
        assert queues[body.decode()] == service
        assert properties.user_id == "guest"
        assert properties.headers["x-death"][0]["queue"] == body.decode()
