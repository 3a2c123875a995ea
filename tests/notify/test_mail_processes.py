"""A real process with eleven letters in hand is stopped or killed at each turn of a mail server's talk.

At most the one letter whose text was going out is uncertain; no letter goes twice.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.notify.app import open_store
from services.notify.channels.smtp import SmtpChannel, SmtpServer
from services.notify.delivery.processes import SILENT_BEATS, Presence
from services.notify.delivery.sender import Sender
from services.notify.domain.composing import Composer
from shared.kernel.clock import FixedClock, RealClock
from shared.kernel.ids import RandomIds
from simulation.kit import Process
from tests.backends import Backend
from tests.notify.ledger import Ledger, a_contact, migrate, received, the_catalogue
from tests.notify.mail_peer import HOLD, Peer, mail_peer
from tests.notify.processes import sending
from tests.notify.test_smtp import CITY

pytestmark = [pytest.mark.slow]
LETTERS = 11
STOP_SECONDS = 10.0


@pytest.fixture
def ledger(backend: Backend) -> Iterator[Ledger]:
    """Notify's store, in which eleven e-mails are due."""
    backend.migrated("notify", migrate)
    clock = FixedClock(RealClock().now())
    store = open_store(backend.settings("notify"), clock=clock, ids=RandomIds())
    made = Ledger(store, Composer(the_catalogue()), clock)
    for number in range(LETTERS):
        code = f"000.00.15.H20-220314-{number:04}"
        mail = {"email": f"c{number}@example.vn", "consent_sms": False}
        made.hear(a_contact(code, **mail))
        made.hear(received(code))
    yield made
    store.close()


@contextmanager
def sending_to(peer: Peer, backend: Backend) -> Iterator[Process]:
    """A process of this installation whose mail goes to the peer."""
    env = {
        "LIENTHONG_CHANNEL_EMAIL": "smtp",
        "LIENTHONG_SMTP_URL": f"smtp://127.0.0.1:{peer.port}?starttls=no",
    }
    with sending(backend, env) as process:
        yield process


def finish(ledger: Ledger, peer: Peer) -> None:
    """Another sender, started after the first is gone, by a mail server that is well."""
    server = SmtpServer("127.0.0.1", peer.port, None, None, "none")
    ledger.clock.set(RealClock().now())
    presence = Presence(ledger.store)
    for _ in range(SILENT_BEATS + 1):  # a minute in which the first says nothing any more
        presence.beat()
    sender = Sender("email", SmtpChannel(server, CITY), ledger.store, presence=presence)
    while sender.step(0):
        pass
    sender.close()


def once(*peers: Peer) -> set[str]:
    came = [to for peer in peers for to, _ in peer.texts]
    assert len(came) == len(set(came)), "a citizen was told twice"
    return set(came)


def test_a_stop_makes_no_more_than_one_letter_uncertain_and_takes_no_time(
    ledger: Ledger, backend: Backend
):
    # Where the server is waited for: before the text, and behind it.
    turn = "EHLO" if backend.embedded else "text"
    with mail_peer({turn: HOLD}) as slow, sending_to(slow, backend) as process:
        assert slow.at.wait(60)
        process.send(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(3 * STOP_SECONDS) == 0, process.log.read_text()
        assert time.monotonic() - began < STOP_SECONDS
        uncertain = {"uncertain": 1} if turn == "text" else {}
        assert ledger.states() == {"queued": LETTERS - len(uncertain), **uncertain}
        with mail_peer() as well:
            finish(ledger, well)
            assert len(once(slow, well)) == LETTERS
    assert ledger.states() == {"sent": LETTERS - len(uncertain), **uncertain}


def test_a_kill_makes_the_one_letter_uncertain_whose_text_was_going_out(
    ledger: Ledger, backend: Backend
):
    count = iter(range(LETTERS))
    fifth = {"text": lambda _: HOLD if next(count) == 4 else None}
    with mail_peer(fifth) as slow, sending_to(slow, backend) as process:
        assert slow.at.wait(60)
        process.send(signal.SIGKILL)
        process.wait()
        with mail_peer() as well:
            finish(ledger, well)
            came = once(slow, well)
    assert ledger.states() == {"sent": LETTERS - 1, "uncertain": 1}
    (uncertain,) = ledger.messages(states=("uncertain",))
    assert uncertain.to == slow.texts[4][0]
    assert len(came) == LETTERS
    assert len(ledger.told()) == LETTERS - 1
