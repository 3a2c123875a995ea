"""A real process with texts in hand is killed at each turn of an SMSC's talk; judged by the SMSC.

Nobody has the same words twice, nothing is lost, and uncertain is no more than the open window;
of that a receipt tells.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from services.notify.app import open_store
from services.notify.channels.smpp import SmppChannel, Times, parse_smpp_url
from services.notify.delivery.processes import SILENT_BEATS, Presence
from services.notify.delivery.receiving import Receiver
from services.notify.delivery.sender import Sender
from services.notify.domain.composing import Composer
from services.notify.usecases.receiving import due_looks, look_again
from shared.kernel.clock import FixedClock, RealClock
from shared.kernel.ids import RandomIds
from shared.testing.smsc import THROTTLED, Smsc, Temper
from simulation.kit import Process
from tests.backends import Backend
from tests.notify.ledger import Ledger, a_contact, migrate, received, the_catalogue
from tests.notify.processes import sending

pytestmark = [pytest.mark.slow, pytest.mark.long("servers")]
TEXTS = 12
WINDOW = 4
QUICK = Times(reply=2, throttled=0.05, longest_pause=0.2)


@pytest.fixture
def ledger(backend: Backend) -> Iterator[Ledger]:
    """Notify's store, in which twelve texts are due."""
    backend.migrated("notify", migrate)
    clock = FixedClock(RealClock().now())
    store = open_store(backend.settings("notify"), clock=clock, ids=RandomIds())
    made = Ledger(store, Composer(the_catalogue()), clock)
    for number in range(TEXTS):
        code = f"000.00.15.H20-220314-{number:04}"
        made.hear(a_contact(code, phone=f"+8490712{number:04}", consent_email=False))
        made.hear(received(code))
    yield made
    store.close()


def address(smsc: Smsc) -> str:
    return f"smpp://city:secret@127.0.0.1:{smsc.port}?from=UBND&window={WINDOW}"


@contextmanager
def sending_to(smsc: Smsc, backend: Backend) -> Iterator[Process]:
    """A process of this installation whose texts go to the SMSC."""
    env = {"LIENTHONG_CHANNEL_SMS": "smpp", "LIENTHONG_SMPP_URL": address(smsc)}
    with sending(backend, env) as process:
        yield process


def finish(ledger: Ledger, smsc: Smsc) -> None:
    """Another process, started after the first is gone: it sends what is left, and hears."""
    smsc.temper = Temper(receipts="never")
    ledger.clock.set(RealClock().now() + timedelta(minutes=1))
    presence = Presence(ledger.store)
    for _ in range(SILENT_BEATS + 1):  # a minute in which the first says nothing any more
        presence.beat()
    channel = SmppChannel("sms.smpp", parse_smpp_url(address(smsc)), times=QUICK)
    sender = Sender("sms", channel, ledger.store, presence=presence)
    end = time.monotonic() + 20
    while ledger.states().keys() & {"queued", "sending", "failed"} and time.monotonic() < end:
        ledger.clock.advance(timedelta(minutes=2))
        sender.step(0.1)
    receiver, binds = Receiver(channel, ledger.store), len(smsc.binds)
    channel.close()
    while len(smsc.binds) == binds:
        receiver.step(0.1)
    for number in range(1, len(smsc.taken) + 1):
        smsc.tell(number, times=2)
    thanked = len(smsc.thanked)
    while len(smsc.thanked) < thanked + 2 * len(smsc.taken) and time.monotonic() < end:
        receiver.step(0.1)
    ledger.clock.advance(timedelta(minutes=10))
    with ledger.store.begin() as uow:
        look_again(uow, due_looks(uow, ()))
    sender.close()


def at_number(which: int, met: threading.Event, go: threading.Event) -> Callable[[int], None]:
    """Holds the SMSC at its n-th text, which it has taken."""

    def hold(number: int) -> None:
        if number == which:
            met.set()
            go.wait(30)

    return hold


def judged(ledger: Ledger, smsc: Smsc) -> None:
    """By the SMSC's own list: each text once, each citizen's, and each known to have arrived."""
    came = [to for to, _ in smsc.texts()]
    assert len(came) == len(set(came)), "a citizen was told twice"
    assert len(smsc.texts()) == len(smsc.taken)
    states = ledger.states()
    # What the SMSC never had and nobody can know of is a person's to decide; all else arrived.
    assert states == {"delivered": len(came)} | (
        {"uncertain": TEXTS - len(came)} if len(came) < TEXTS else {}
    )
    assert states.get("uncertain", 0) <= WINDOW
    assert len(ledger.told()) == len(came)


@pytest.mark.parametrize("which", [1, WINDOW, WINDOW + 2, TEXTS])
def test_killed_while_the_smsc_has_taken_a_text_and_not_said_so(
    ledger: Ledger, backend: Backend, which: int
):
    met, go = threading.Event(), threading.Event()
    with Smsc(Temper(receipts="never", hold=at_number(which, met, go))) as smsc:
        with sending_to(smsc, backend) as process:
            assert met.wait(60), process.log.read_text()
            process.send(signal.SIGKILL)
            process.wait()
            go.set()
        finish(ledger, smsc)
        judged(ledger, smsc)


def test_killed_behind_the_answers_and_before_they_are_written(ledger: Ledger, backend: Backend):
    # A receipt comes with each answer: the process dies somewhere in writing either down.
    with Smsc(Temper(receipts="before", slow=0.02)) as smsc, sending_to(smsc, backend) as process:
        end = time.monotonic() + 60
        while len(smsc.taken) < WINDOW and time.monotonic() < end:
            time.sleep(0.001)
        process.send(signal.SIGKILL)
        process.wait()
        finish(ledger, smsc)
        judged(ledger, smsc)


def test_killed_while_it_waits_because_the_smsc_had_enough(ledger: Ledger, backend: Backend):
    temper = Temper(receipts="never", status=lambda n: THROTTLED if n > WINDOW + 1 else 0)
    with Smsc(temper) as smsc, sending_to(smsc, backend) as process:
        end = time.monotonic() + 60
        while smsc.submits <= WINDOW + 2 and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)
        process.send(signal.SIGKILL)
        process.wait()
        assert ledger.states()["queued"] >= TEXTS - 2 * WINDOW
        finish(ledger, smsc)
        judged(ledger, smsc)
        assert "uncertain" not in ledger.states()


def test_a_stop_says_goodbye_and_leaves_nothing_uncertain(ledger: Ledger, backend: Backend):
    with Smsc(Temper(receipts="now", slow=0.05)) as smsc, sending_to(smsc, backend) as process:
        end = time.monotonic() + 60
        while not smsc.taken and time.monotonic() < end:
            time.sleep(0.01)
        process.send(signal.SIGTERM)
        assert process.wait(30) == 0, process.log.read_text()
        assert "uncertain" not in ledger.states()
        finish(ledger, smsc)
        judged(ledger, smsc)


def test_a_line_that_drops_again_and_again_loses_nothing_and_repeats_nothing(
    ledger: Ledger, backend: Backend
):
    with Smsc(Temper(receipts="never", drop_after=frozenset({2, 6}))) as smsc:
        with sending_to(smsc, backend) as process:
            end = time.monotonic() + 40
            while len(smsc.binds) < 3 and time.monotonic() < end:
                time.sleep(0.05)
            process.send(signal.SIGTERM)
            process.wait(30)
        finish(ledger, smsc)
        judged(ledger, smsc)
