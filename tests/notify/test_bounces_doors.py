"""The two ways by which mail that came back comes in: a door for the mail server, and its mailbox."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from services.notify.channels.bounces import Away, Mailbox, parse_mailbox
from services.notify.delivery.postbox import Postbox
from services.notify.domain.bounces import Bounce, Fate, Other
from services.notify.domain.states import State
from services.notify.storage import bounces
from services.notify.storage.standing import lines
from services.notify.web import create_web
from services.notify.web.bounces import Returns
from shared.identity.guard import assert_every_route_is_guarded
from shared.kernel.errors import SettingsError
from shared.settings import PROJECT
from shared.web.server import WebServer, serving
from tests.backends import Backend
from tests.notify.conftest import opened
from tests.notify.imap_peer import ImapPeer, imap_peer
from tests.notify.ledger import START, a_contact, received
from tests.notify.returned import AWAY, DSN, PERSON, written
from tests.notify.test_bounces import PATH, READER, Post
from tests.notify.test_notify_web import PUBLIC
from tests.tls import Authority

DOOR = "/tin-nhan/thu-tra-lai"
SECRET = "a-secret-of-the-mail-server"
PASSWORD = "mật khẩu"


@pytest.fixture
def post(embedded: Backend, clock) -> Iterator[Post]:  # type: ignore[no-untyped-def]
    """One letter that a mail server has taken."""
    with opened(embedded, clock) as ledger:
        ledger.hear(a_contact(first="email"), received())
        made = Post(ledger)
        made.send()
        yield made


@pytest.fixture
def app(post: Post, embedded: Backend) -> Flask:
    settings = replace(embedded.settings("notify"), cookie_secure=False)
    made = create_web(
        settings, post.ledger.store, post.ledger.composer, returns=Returns(SECRET, READER)
    )
    assert_every_route_is_guarded(made, public={*PUBLIC, "bounces.told"})
    return made


def back(post: Post, name: str = "n-1", words: str = DSN, **changes: str) -> bytes:
    return written(words, "x", PATH.of(post.mail().letter()), name=name, **changes)


def signed(body: bytes, key: str = SECRET, kind: str = "message/rfc822") -> dict[str, str]:
    made = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Signature": made, "Content-Type": kind}


# --- the door ------------------------------------------------------------------------------------


def test_a_mail_server_hands_over_what_came_back_and_may_do_so_twice(post: Post, app: Flask):
    client, mail = app.test_client(), back(post)
    for said in ("bounced", "repeated"):
        answer = client.post(DOOR, data=mail, headers=signed(mail))
        assert (answer.status_code, answer.text) == (200, said)
        assert post.states() == {"email": State.UNDELIVERABLE, "sms": State.QUEUED}


def test_a_report_may_come_as_its_own_kind(post: Post, app: Flask):
    head, _, body = back(post).partition(b"\r\n\r\n")
    kind = next(line for line in head.decode().split("\r\n") if line.startswith("Content-Type"))
    answer = app.test_client().post(
        DOOR, data=body, headers=signed(body, kind=kind.partition(": ")[2])
    )
    # Its own head is not there: what came back in it names the letter.
    assert (answer.status_code, answer.text) == (200, "unknown")
    named = body.replace(b"<x@example.vn>", f"<{post.mail().id}@example.vn>".encode())
    kinds = signed(named, kind=kind.partition(": ")[2])
    assert app.test_client().post(DOOR, data=named, headers=kinds).text == "bounced"


def test_strangers_get_nothing_and_odd_mail_is_set_aside_in_words(post: Post, app: Flask):
    client, mail, odd = app.test_client(), back(post), written(PERSON, "x")
    for headers in ({}, signed(mail, "wrong"), signed(mail + b" ")):
        found = client.post(DOOR, data=mail, headers={"Content-Type": "message/rfc822", **headers})
        assert found.status_code == 404
    assert client.post(DOOR, data=mail, headers=signed(mail, kind="text/plain")).status_code == 415
    answer = client.post(DOOR, data=odd, headers=signed(odd))
    assert answer.status_code == 422
    assert "giữ thư này" in answer.text
    assert post.mail().state is State.SENT
    with post.ledger.store.read() as connection:
        (line,) = (each for each in lines(connection, START) if each.name == "bounces")
        assert line.count == 1


def test_without_a_secret_there_is_no_door(post: Post, embedded: Backend):
    made = create_web(
        replace(embedded.settings("notify"), cookie_secure=False),
        post.ledger.store,
        post.ledger.composer,
    )
    assert made.test_client().post(DOOR, data=b"x", headers=signed(b"x")).status_code == 405


def test_the_mail_servers_program_brings_them_and_says_when_to_come_again(
    post: Post, app: Flask, tmp_path: Path
):
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    server = WebServer(app)

    def run(mail: bytes, url: str) -> int:
        command = [sys.executable, PROJECT / "deploy/mail/return_mail.py", url, secret]
        return subprocess.run(command, input=mail, timeout=30, check=False).returncode

    with serving(server):
        assert run(back(post), f"{server.url}{DOOR}") == 0
        assert run(written(PERSON, "x"), f"{server.url}{DOOR}") == 65
        assert run(back(post), f"{server.url}/nowhere") == 75
    assert run(back(post), f"{server.url}{DOOR}") == 75
    assert post.mail().state is State.UNDELIVERABLE


# --- the mailbox ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("imap") / "ca", "Mail Root")


@pytest.fixture(scope="module")
def own(authority: Authority) -> tuple[str, str]:
    pair = authority.server("localhost")
    return str(pair.certificate), str(pair.key)


@pytest.fixture
def peer(own: tuple[str, str]) -> Iterator[ImapPeer]:
    with imap_peer(own) as made:
        yield made


def box(peer: ImapPeer, authority: Authority, seconds: float = 5.0, visit: float = 20.0) -> Mailbox:
    context = ssl.create_default_context(cafile=str(authority.root))
    return Mailbox(
        "localhost", peer.port, "tra-lai", PASSWORD,
        context=context, reply_seconds=seconds, visit_seconds=visit,
    )  # fmt: skip


def postbox(post: Post, mailbox: Mailbox) -> Postbox:
    return Postbox(mailbox, post.ledger.store, READER.read)


def test_the_mailbox_is_read_once_and_what_says_nothing_is_flagged(
    post: Post, peer: ImapPeer, authority: Authority
):
    peer.put(back(post), written(AWAY, "x", name="n-2"), written(PERSON, "x", name="n-3"))
    peer.put(b"\xff\x00", back(post))
    loop = postbox(post, box(peer, authority))
    assert loop.step(0) == 5
    assert post.states() == {"email": State.UNDELIVERABLE, "sms": State.QUEUED}
    seen, aside = {r"\Seen"}, {r"\Seen", r"\Flagged"}
    assert peer.flags == {1: seen, 2: seen, 3: aside, 4: aside, 5: seen}
    assert loop.step(0) == 0
    assert peer.visits == 1
    loop.wake()
    assert loop.step(0) == 0  # nothing is met again
    with post.ledger.store.read() as connection:
        assert bounces.counts(connection, START) == {
            "bounced": 1, "repeated": 1, "auto_reply": 1, "set_aside": 2,
        }  # fmt: skip


def test_a_mail_is_marked_after_our_commit_alone(
    post: Post, peer: ImapPeer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    peer.put(back(post))
    loop = postbox(post, box(peer, authority))
    begin = post.ledger.store.begin

    def seen_before(*given):  # type: ignore[no-untyped-def]
        assert peer.flags[1] == set()
        return begin(*given)

    monkeypatch.setattr(post.ledger.store, "begin", seen_before)
    assert loop.step(0) == 1
    assert peer.flags[1] == {r"\Seen"}


def test_where_it_cannot_be_marked_it_is_told_again_and_changes_nothing(
    post: Post, peer: ImapPeer, authority: Authority
):
    peer.temper = "store-fails"
    peer.put(back(post))
    loop = postbox(post, box(peer, authority))
    loop.step(0)
    assert loop.away
    assert post.mail().state is State.UNDELIVERABLE
    before, peer.temper = post.ledger.messages(), ""
    loop.wake()
    assert loop.step(0) == 1
    assert (post.ledger.messages(), loop.away) == (before, False)
    assert peer.flags[1] == {r"\Seen"}


def test_one_mail_that_brings_us_to_fall_holds_back_no_other(
    post: Post, peer: ImapPeer, authority: Authority
):
    peer.put(b"the bad one", back(post))

    def read(raw: bytes) -> Bounce | Other:
        told = READER.read(raw)
        return told if isinstance(told, Bounce) else Bounce("b", ["x"], True, True)  # type: ignore[arg-type]

    loop = Postbox(box(peer, authority), post.ledger.store, read)
    assert loop.step(0) == 2
    assert peer.flags == {1: {r"\Seen", r"\Flagged"}, 2: {r"\Seen"}}
    assert post.mail().state is State.UNDELIVERABLE


@pytest.mark.parametrize(
    ("temper", "said"),
    [
        ("hang-up:CAPABILITY", "imap connect"),
        ("hang-up:AUTHENTICATE", "imap sign-in"),
        ("refuse", "imap sign-in: refused"),
        ("read-only", "imap folder"),
        ("hang-up:UID SEARCH", "imap search"),
        ("hang-up:UID FETCH", "imap fetch"),
        ("long-literal", "imap fetch"),
        ("hang-up:UID STORE", "imap mark"),
        ("slow", "imap connect: "),
        ("drip", "imap "),
    ],
)
def test_each_temper_ends_the_visit_in_a_word_of_ours_and_in_time(
    post: Post, peer: ImapPeer, authority: Authority, temper: str, said: str
):
    peer.temper = temper
    peer.put(back(post))
    mailbox = box(peer, authority, 0.3, 0.5)
    loop, began = postbox(post, mailbox), time.monotonic()
    loop.step(0)
    assert time.monotonic() - began < 3
    assert loop.away
    with pytest.raises(Away, match=said), mailbox.opened() as visit:
        visit.done(visit.fetch(visit.unseen()[0]).name)  # type: ignore[union-attr]
    peer.temper = ""
    peer.flags[1] = set()
    loop.wake()
    loop._mailbox = box(peer, authority)
    assert loop.step(0) == 1
    assert post.mail().state is State.UNDELIVERABLE
    assert PASSWORD not in repr(mailbox)


def test_a_certificate_that_is_not_trusted_and_a_port_without_anybody(
    post: Post, peer: ImapPeer, authority: Authority
):
    stranger = replace(box(peer, authority), context=ssl.create_default_context())
    with pytest.raises(Away, match="imap connect: tls"):
        list(stranger.check())
    nobody = box(peer, authority)
    peer.close()
    with pytest.raises(Away, match="imap connect: ConnectionRefusedError"):
        list(nobody.check())


def test_a_letter_in_a_senders_hands_is_left_for_the_next_visit(
    post: Post, peer: ImapPeer, authority: Authority
):
    peer.put(back(post), back(post, "n-2"))
    loop = postbox(post, box(peer, authority))
    told = iter([Fate.LATER, Fate.BOUNCED])
    loop._applied = lambda _: next(told)  # type: ignore[method-assign]
    loop.step(0)
    assert peer.flags == {1: set(), 2: {r"\Seen"}}


@pytest.mark.parametrize(
    "url",
    ["pop3://a:b@c.vn", "imaps://c.vn", "imaps://a:b@c.vn/INBOX", "imaps://a:b@c.vn?starttls=no",
     "imaps://a:b@c.vn?folder=%22x"],
)  # fmt: skip
def test_a_wrong_setting_is_told_and_not_repeated(url: str):
    with pytest.raises(SettingsError, match="LIENTHONG_BOUNCE_MAILBOX") as told:
        parse_mailbox(url)
    assert "b@c" not in str(told.value)


def test_a_setting_is_read():
    assert parse_mailbox("") is None
    read = parse_mailbox(
        "imap://tra%40lai:m%E1%BA%ADt@mail.example:1430?folder=Tra lai".replace(" ", "%20")
    )
    assert read is not None
    assert (read.user, read.password, read.folder) == ("tra@lai", "mật", "Tra lai")
    assert (read.port, read.implicit) == (1430, False)
