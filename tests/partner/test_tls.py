"""An agency over TLS, by password or by certificate, against a broker with the deployed settings."""

from __future__ import annotations

import secrets
import urllib.parse
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest

from deploy.rabbitmq.make import definitions
from partner import AccessDenied, BadSettings, BrokerUnreachable, CertificateTrouble, Client, Tls
from partner.__main__ import main
from partner.settings import Address
from services.commands.certificates import Authority, NoAuthority
from services.routing.app import open_store
from services.routing.delivery.carrying import carry_out
from services.routing.delivery.management import Management
from services.routing.usecases import queues
from shared.kernel.actor import Actor
from shared.kernel.clock import RealClock
from shared.kernel.ids import RandomIds
from tests.backends import EmbeddedBackend
from tests.partner.conftest import CityBroker, SmallCity, until
from tests.routing.town import catalogue, migrate
from tests.tls import Pair, TlsBroker, tls_door


class _Operator:
    """What a CityBroker asks of a back end: where the operator enters, in the clear, at home."""

    def __init__(self, broker: TlsBroker, vhost: str) -> None:
        self._url = broker.node.url + vhost

    def amqp_url(self, *_: str) -> str:
        return self._url


class TlsCity(CityBroker):
    """A small city whose agencies have no password, or one of their own, and come by TLS."""

    def __init__(self, broker: TlsBroker, vhost: str, city: SmallCity, passwords: Any) -> None:
        super().__init__(_Operator(broker, vhost), city, passwords)  # type: ignore[arg-type]
        self.tls, self.vhost = broker, vhost

    def login(self, user: str | None = None, host: str = "localhost") -> str:
        """The agency's address with its password."""
        user = user or self.other
        return self.tls.url(f"{user}:{self.passwords[user]}", host=host, vhost=self.vhost)

    def bare(self) -> str:
        """The address without a user: the certificate says who it is."""
        return self.tls.url("", vhost=self.vhost)

    def files(self, own: Pair | None = None) -> Tls:
        root = str(self.tls.authority.root)
        return Tls(root) if own is None else Tls(root, str(own.certificate), str(own.key))


@pytest.fixture
def town(tls_broker: TlsBroker) -> Iterator[TlsCity]:
    """`agency` has a certificate and no password, `other` has a password."""
    city = SmallCity()
    vhost = tls_broker.management.fresh_vhost()
    passwords = {city.codes[1]: secrets.token_urlsafe(16)}
    made = definitions(city, passwords, vhost=vhost)
    tls_broker.management.call("POST", "/definitions", made)
    opened = TlsCity(tls_broker, vhost, city, passwords)
    yield opened
    opened.close()
    # The virtual host is left behind: 3.10 does not outlive that queues with a dead-letter strategy
    # are deleted a second after a restart (rabbit_fifo_dlx_worker), and the broker goes anyway.
    for user in city.codes:
        tls_broker.management.call("DELETE", f"/users/{urllib.parse.quote(user)}")


@pytest.fixture
def own(town: TlsCity) -> Pair:
    return town.tls.agencies.client(town.agency)


def answer_all(client: Client) -> int:
    return client.drain(lambda message: (client.take(message.task), None)[1])


# --- it works -------------------------------------------------------------------------------------


def test_a_certificate_signs_an_agency_in_as_its_own_user(town, own, tmp_path):
    town.assign(1, 2)
    with Client(
        town.agency, store=tmp_path / "a.db", url=town.bare(), tls=town.files(own)
    ) as client:
        assert answer_all(client) == 2
    assert town.waiting() == 0
    answers = town.answers()
    assert [method.routing_key for method, _, _ in answers] == [f"answer.{town.agency}.taken"] * 2
    assert {properties.user_id for _, properties, _ in answers} == {town.agency}


def test_a_password_works_over_tls_as_well(town, tmp_path):
    with Client(town.other, store=tmp_path / "b.db", url=town.login(), tls=town.files()) as client:
        assert client.poll(lambda _: None) == 0


def test_it_goes_on_by_itself_after_the_broker_was_restarted(town, own, tmp_path):
    town.assign(1)
    with Client(
        town.agency, store=tmp_path / "a.db", url=town.bare(), tls=town.files(own)
    ) as client:
        assert answer_all(client) == 1
        town._connection.close()
        town.tls.node.restart()
        with pytest.raises(BrokerUnreachable):
            client.poll(lambda _: None)
        town.__init__(town.tls, town.vhost, town.city, town.passwords)
        town.assign(2)
        assert answer_all(client) == 1
    assert len(town.answers()) == 2


def channel_of(town: TlsCity, own: Pair) -> Any:
    connection = pika.BlockingConnection(Address(town.bare(), town.files(own)).parameters())
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


@pytest.mark.parametrize(
    "act",
    [
        lambda c, town: c.basic_get(f"agency.{town.other}.tasks"),
        lambda c, town: c.basic_get("routing.answers"),
        lambda c, town: c.basic_publish("agency.answers", f"answer.{town.other}.taken", b"{}"),
        lambda c, town: c.basic_publish("dossier.facts", "intake.dossier.received", b"{}"),
        lambda c, town: c.queue_declare("mine", durable=True),
    ],
    ids=["another's queue", "routing's queue", "another's key", "another exchange", "a queue"],
)
def test_a_certificate_opens_nothing_but_its_own(town, own, act):
    channel = channel_of(town, own)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        act(channel, town)
    assert closed.value.reply_code == 403
    channel.connection.close()


def test_the_broker_refuses_a_user_id_other_than_the_certificates(town, own):
    channel = channel_of(town, own)
    properties = pika.BasicProperties(user_id=town.other)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        channel.basic_publish("agency.answers", f"answer.{town.agency}.taken", b"{}", properties)
    assert closed.value.reply_code == 406
    channel.connection.close()
    assert town.answers() == []


# --- whom it does not trust, and who is not trusted -----------------------------------------------


def trouble(town: TlsCity, url: str, tls: Tls, kind: type[BrokerUnreachable | AccessDenied]) -> str:
    """The English and Vietnamese words of an attempt that must fail, without the password."""
    with Client(town.agency, store=":memory:", url=url, tls=tls) as client:
        with pytest.raises(kind) as failed:
            client.poll(lambda _: None)
    assert failed.value.vi
    said = f"{failed.value} | {failed.value.vi}"
    assert not any(password in said for password in town.passwords.values())
    return said


def test_a_foreign_authority_is_refused(town):
    for tls in (Tls(str(town.tls.stranger.root)), Tls()):
        said = trouble(town, town.login(), tls, CertificateTrouble)
        assert "--ca (PARTNER_CA)" in said
        assert "chưa được tin cậy" in said


def test_another_name_than_the_certificates_is_refused(town):
    said = trouble(town, town.login(host="127.0.0.1"), town.files(), CertificateTrouble)
    assert "for another name" in said
    assert "tên khác" in said


def test_an_expired_certificate_of_the_city_is_refused(town):
    with tls_door(town.tls.authority.server("localhost", days=-1)) as port:
        url = town.login().replace(f":{town.tls.port}/", f":{port}/")
        said = trouble(town, url, town.files(), CertificateTrouble)
    assert "its certificate has expired: tell the city" in said
    assert "đã hết hạn: hãy báo thành phố" in said


def test_there_is_no_way_back_to_a_line_in_the_clear(town):
    plain = town.login().replace(f":{town.tls.port}/", f":{town.tls.node.port}/")
    assert "does not speak TLS" in trouble(town, plain, town.files(), BrokerUnreachable)
    clear = town.login().replace("amqps:", "amqp:")
    assert "amqps:// instead of amqp://" in trouble(town, clear, town.files(), BrokerUnreachable)


@pytest.mark.parametrize("kind", ["expired", "of a stranger", "for a server"])
def test_a_certificate_that_the_city_does_not_take_is_told_as_such(town, kind):
    shown = {
        "expired": lambda: town.tls.agencies.client(town.agency, days=-1),
        "of a stranger": lambda: town.tls.stranger.client(town.agency),
        "for a server": lambda: town.tls.agencies.server(town.agency),
    }[kind]()
    said = trouble(town, town.bare(), town.files(shown), CertificateTrouble)
    assert "your certificate" in said
    assert "chứng thư của đơn vị" in said


def test_a_certificate_of_a_name_that_is_no_user_is_refused(town):
    shown = town.tls.agencies.client("nobody-of-this-name")
    said = trouble(town, town.bare(), town.files(shown), AccessDenied)
    assert "no user of the name (CN)" in said


def test_no_password_and_no_certificate_is_told_as_such(town):
    said = trouble(town, town.bare(), town.files(), AccessDenied)
    assert "give --certificate and --key" in said


def test_files_that_are_wrong_are_told_by_name(town, own, tmp_path):
    other = town.tls.agencies.client("other")
    for tls, words in {
        Tls(str(tmp_path / "none.pem")): "--ca: the file cannot be read",
        Tls(str(own.key)): "--ca: no certificate or key in PEM form",
        Tls(None, str(own.certificate), str(other.key)): "belongs to another certificate",
        Tls(None, None, str(own.key)): "--key needs the certificate",
    }.items():
        with pytest.raises(BadSettings, match=words) as wrong:
            tls.context()
        assert wrong.value.vi


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def check(tmp_path: Path, capsys):
    def run(agency: str, url: str, tls: Tls) -> tuple[int, str, str]:
        env = {"PARTNER_AGENCY": agency, "PARTNER_URL": url, "PARTNER_STORE": ":memory:"}
        for name, path in (("CA", tls.ca), ("CERTIFICATE", tls.certificate), ("KEY", tls.key)):
            if path is not None:
                env[f"PARTNER_{name}"] = path
        status = main(["check"], env)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_the_check_says_who_which_queue_and_how_many_wait_and_takes_none(town, own, check):
    town.assign(1, 2, 3)
    status, out, err = check(town.agency, town.bare(), town.files(own))
    assert (status, err) == (0, "")
    assert "answers by TLSv1.3; its certificate holds until" in out
    assert "29 days are left" in out
    assert "signed in by your certificate" in out
    assert f"queue agency.{town.agency}.tasks: 3 messages are waiting, 0 programs" in out
    assert "3 bản tin đang chờ" in out
    assert "nobody reads them" in out
    assert town.waiting() == 3


def test_the_check_names_the_user_of_a_password(town, check):
    status, out, _ = check(town.other, town.login(), town.files())
    assert status == 0
    assert f"signed in as the user {town.other}" in out
    assert "0 messages are waiting" in out


def test_the_check_says_what_is_wrong_in_both_languages(town, own, check):
    status, _, err = check(town.other, town.login(), Tls())
    vi, en = err.splitlines()
    assert status == 2
    assert "tổ chức" in vi
    assert "authority" in en
    status, _, err = check(town.agency, town.login(), town.files())
    assert status == 2
    assert "they must be the same" in err
    status, _, err = check("no-such-agency", town.bare(), town.files(own))
    assert status == 2
    assert "really your agency code" in err
    status, _, err = check(town.other, town.bare(), town.files(own))
    assert status == 2
    assert "really your agency code" in err
    status, _, err = check(town.other, "http://x", town.files())
    assert status == 2
    assert "amqps://USER:PASSWORD@HOST" in err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("amqps://u:p@localhost:1/", "nobody listens at that port"),
        ("amqps://u:p@no-such-machine.invalid/", "no machine of that name"),
    ],
)
def test_the_check_tells_a_wrong_place(check, url, words):
    status, _, err = check("u", url, Tls())
    assert status == 2
    assert words in err


def test_the_check_warns_of_a_line_that_others_can_read(town, check, monkeypatch):
    monkeypatch.setattr("partner.check.AT_HOME", ())
    plain = town.login().replace("amqps:", "amqp:").replace(
        f":{town.tls.port}/", f":{town.tls.node.port}/"
    )  # fmt: skip
    status, out, _ = check(town.other, plain, Tls())
    assert status == 0
    assert "!!!" in out
    assert "NOT ENCRYPTED" in out


# --- one answer that the broker will not have -----------------------------------------------------


def test_an_answer_that_the_broker_refuses_for_its_own_sake_does_not_hold_back_the_others(
    town, own, tmp_path, caplog
):
    """By the broker's own limit of size, which closes the channel (406) and not the line."""
    limit = "application:set_env(rabbit, max_message_size, {})."
    town.assign(1, 2, 3)
    town.tls.node.control("eval", limit.format(4096))
    try:
        with Client(
            town.agency, store=tmp_path / "a.db", url=town.bare(), tls=town.files(own)
        ) as client:
            client.drain(lambda message: None)
            client.take("task-1")
            huge = client.refuse("task-2", "x" * 5000)
            client.take("task-3")
            assert client.flush() == 2
            assert client.poll(lambda message: None) == 1, "the program hears of it like any other"
            assert client.poll(lambda message: None) == 0
            (refused,) = client.refusals()
            assert (refused.answer, refused.rule, refused.task) == (huge, "not_taken", "task-2")
            assert "PRECONDITION_FAILED" in refused.said
            assert client.task("task-2").state == "open"
            assert client.unsent() == 0
    finally:
        town.tls.node.control("eval", limit.format(134217728))
    assert [answer["subject"] for _, _, answer in town.answers()] == ["task-1", "task-3"]
    assert "refused the answer" in caplog.text


def test_an_answer_that_cannot_be_written_does_not_hold_back_the_others(town, own, tmp_path):
    ids = iter(["a-1", "x" * 300, "a-3"])
    town.assign(1, 2, 3)
    with Client(
        town.agency,
        store=tmp_path / "a.db",
        url=town.bare(),
        tls=town.files(own),
        new_id=lambda: next(ids),
    ) as client:
        assert client.drain(lambda message: client.take(message.task) and None) == 3
        assert client.unsent() == 0
        assert [refused.task for refused in client.refusals()] == ["task-2"]
    assert [answer["id"] for _, _, answer in town.answers()] == ["a-1", "a-3"]


def test_a_certificate_that_we_issued_opens_until_its_user_is_gone(
    tls_broker: TlsBroker, embedded: EmbeddedBackend, tmp_path: Path
) -> None:
    embedded.migrated("routing", migrate)
    store = open_store(embedded.settings("routing"), clock=RealClock(), ids=RandomIds())
    rules, code = catalogue(queues=()), "cong-an"
    with store.begin(Actor("operator")) as uow:
        queues.open_queue(uow, rules, code, certified=True)
        _, queue = queues.rotate(uow, rules, code, timedelta(0), certified=True)
    agencies = tls_broker.agencies
    signs = Authority.read(agencies.root, agencies.root.with_suffix(".key"))
    own, key = signs.issue(queue.user, tmp_path / "own", RealClock().now(), 30)
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(NoAuthority):
        signs.issue(queue.user, tmp_path / "own", RealClock().now(), 30)
    vhost = tls_broker.management.fresh_vhost()
    door = Management(tls_broker.node.management_url, vhost)
    assert all(each.well for each in carry_out(store, door))
    url = tls_broker.url(f"{code}.2", vhost=vhost)
    tls = Tls(str(tls_broker.authority.root), str(own), str(key))
    with Client(code, store=tmp_path / "a.db", url=url, tls=tls) as client:
        assert client.poll(lambda _: None) == 0
        with store.begin(Actor("operator")) as uow:
            queues.close(uow, rules, code)
        carry_out(store, door)
        until(lambda: refused(client))
    door.close()
    store.close()


def refused(client: Client) -> bool:
    try:
        client.poll(lambda _: None, wait=0.1)
    except (AccessDenied, BrokerUnreachable):
        return True
    return False
