"""One request to an agency: bounded in time and size, to checked addresses alone, never redirected."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.routing.delivery.posting import Poster
from services.routing.domain.webhook import Outcome
from tests.routing.peer import Peer, Temper, drips, hangs, hangs_up, never_ends, peer, says
from tests.tls import Authority

BODY = b'{"specversion": "1.0"}'


@pytest.fixture
def poster() -> Iterator[Poster]:
    made = Poster(loopback=True, seconds=1.5)
    yield made
    made.close()


@pytest.fixture
def agency() -> Iterator[Peer]:
    with peer() as made:
        yield made


def test_a_request_is_a_post_with_our_headers_and_the_very_body(poster: Poster, agency: Peer):
    assert poster.post(agency.url, {"webhook-id": "1"}, BODY) == Outcome()
    ((headers, body),) = agency.came
    assert body == BODY
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == "1"


@pytest.mark.parametrize(
    ("temper", "outcome"),
    [
        (says(200), Outcome()),
        (says(500), Outcome("http 500")),
        (says(410), Outcome("http 410")),
        (says(302, Location="http://127.0.0.1:1/"), Outcome("http 302")),
        (says(503, Retry_After="120"), Outcome("http 503", timedelta(seconds=120))),
        (says(429, Retry_After="soon"), Outcome("http 429")),
        (says(429, Retry_After="9" * 400), Outcome("http 429", timedelta(seconds=999999))),
        (hangs, Outcome("timeout")),
        (drips, Outcome("timeout")),
        (hangs_up, Outcome("broken")),
        (never_ends, Outcome()),
    ],
    ids=["200", "500", "410", "redirect", "wait", "wait odd", "wait huge", "hang", "drip", "cut",
         "body without end"],
)  # fmt: skip
def test_every_temper_ends_in_time_with_a_word_of_ours(
    poster: Poster, agency: Peer, temper: Temper, outcome: Outcome
):
    agency.tempers = [temper]
    began = time.monotonic()
    assert poster.post(agency.url, {}, BODY) == outcome
    assert time.monotonic() - began < 15
    assert len(agency.came) == 1, "nothing is followed or repeated"


def test_a_date_in_retry_after_is_a_span_from_now(poster: Poster, agency: Peer):
    agency.tempers = [says(503, Retry_After="Fri, 31 Dec 2077 23:59:59 GMT")]
    wait = poster.post(agency.url, {}, BODY).wait
    assert wait is not None
    assert wait > timedelta(days=1000)


def test_nobody_there_and_no_such_name(poster: Poster):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert poster.post(url, {}, BODY) == Outcome("unreachable")
    assert poster.post("https://khong-co.invalid/", {}, BODY) == Outcome("name")


def test_a_certificate_is_checked_with_its_name(tmp_path: Path):
    city, stranger = Authority(tmp_path / "a", "A"), Authority(tmp_path / "b", "B")
    for name, trusted, outcome in (
        ("localhost", city, Outcome()),
        ("localhost", stranger, Outcome("tls")),
        ("example.vn", city, Outcome("tls")),
    ):
        own = city.server(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate, own.key)
        trust = ssl.create_default_context(cafile=str(trusted.root))
        poster = Poster(loopback=True, seconds=20.0, context=trust)
        with peer(context) as agency:
            assert poster.post(agency.url, {}, BODY) == outcome
            assert len(agency.came) == (outcome == Outcome())
        poster.close()


def test_a_name_that_leads_into_a_private_network_is_not_called(
    agency: Peer, monkeypatch: pytest.MonkeyPatch
):
    poster = Poster(loopback=False, seconds=20.0)
    assert poster.post(agency.url, {}, BODY) == Outcome("private")
    real = socket.getaddrinfo
    answers = iter(["203.0.113.7", "10.0.0.1", "::ffff:192.168.1.1", "169.254.169.254", "fd00::1"])

    def rebinding(_host: str, port: int, **more: int) -> list[tuple[object, ...]]:
        return real(next(answers), port, **more)  # type: ignore[return-value,arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    for _ in range(5):
        assert poster.post("https://doi.example/", {}, BODY) == Outcome("private")
    assert agency.came == []


def test_the_address_that_was_checked_is_the_one_that_is_called(
    agency: Peer, monkeypatch: pytest.MonkeyPatch
):
    """A name that answers otherwise the second time is asked once."""
    poster, asked = Poster(loopback=True, seconds=20.0), []
    real = socket.getaddrinfo

    def once(host: str, *rest: int, **more: int) -> list[tuple[object, ...]]:
        if host == "doi.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "10.255.255.1"
        return real(host, *rest, **more)  # type: ignore[return-value,arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    url = agency.url.replace("127.0.0.1", "doi.example")
    assert poster.post(url, {}, BODY) == Outcome()
    assert asked == ["doi.example"]
    poster.close()
