"""Where a process can die on the way of a dossier: every stop of every service, one after the other.

Each stop is armed on a built city and raises `Crash` when the city comes by there for the n-th
time. No test lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import sqlalchemy as sa

from services.embedded.city import City
from shared.database import Store
from shared.messaging.consumer import Handler


class Crash(BaseException):
    """The process dies here: nothing may catch it."""


class Fuse:
    """Dies at the n-th time that the stop is passed; afterwards it is spent."""

    def __init__(self, passes: int) -> None:
        self.left = passes
        self.blown = False

    def burn(self) -> None:
        if self.left > 0:
            self.left -= 1
            if self.left == 0:
                self.blown = True
                raise Crash


Arm = Callable[[City, Fuse, ExitStack], None]


@dataclass(frozen=True)
class Stop:
    """One place to die: `<service>: <part>: <moment>` is what the table of tests shows."""

    service: str
    part: str
    moment: str
    arm: Arm

    def __str__(self) -> str:
        return f"{self.service} | {self.part} | {self.moment}".replace(" ", "_")

    @contextmanager
    def armed(self, city: City, passes: int = 1) -> Iterator[Fuse]:
        """The stop armed on this city."""
        fuse = Fuse(passes)
        with ExitStack() as stack:
            self.arm(city, fuse, stack)
            yield fuse


def loop(city: City, name: str) -> Any:
    """The loop of that name."""
    return next(each for each in city.loops if each.name == name)


# --- ways to die --------------------------------------------------------------------------------------


def before(owner: Any, name: str, fuse: Fuse, stack: ExitStack) -> None:
    """Dies when the method is called."""
    original = getattr(owner, name)

    def die(*args: Any, **kwargs: Any) -> Any:
        fuse.burn()
        return original(*args, **kwargs)

    stack.enter_context(mock.patch.object(owner, name, die))


def after(owner: Any, name: str, fuse: Fuse, stack: ExitStack) -> None:
    """Dies when the method has done something, before its caller hears of it."""
    original = getattr(owner, name)

    def work_and_die(*args: Any, **kwargs: Any) -> Any:
        done = original(*args, **kwargs)
        if done is None or done:
            fuse.burn()
        return done

    stack.enter_context(mock.patch.object(owner, name, work_and_die))


def at_commit(store: Store, owner: Any, name: str, fuse: Fuse, stack: ExitStack) -> None:
    """Dies at a COMMIT made inside the method; it is not made."""
    original = getattr(owner, name)
    inside: list[bool] = []

    def work(*args: Any, **kwargs: Any) -> Any:
        inside.append(True)
        try:
            return original(*args, **kwargs)
        finally:
            inside.pop()

    def die(_connection: Any) -> None:
        if inside:
            fuse.burn()

    stack.enter_context(mock.patch.object(owner, name, work))
    sa.event.listen(store.engine, "commit", die)
    stack.callback(sa.event.remove, store.engine, "commit", die)


# --- the desk -----------------------------------------------------------------------------------------


def _filing_commit(city: City, fuse: Fuse, stack: ExitStack) -> None:
    at_commit(city.intake.store, city.intake.web, "wsgi_app", fuse, stack)


def _filing_answer(city: City, fuse: Fuse, stack: ExitStack) -> None:
    after(city.intake.web, "wsgi_app", fuse, stack)


# --- relays -------------------------------------------------------------------------------------------


def _relay(service: str, way: Callable[..., None]) -> Arm:
    def arm(city: City, fuse: Fuse, stack: ExitStack) -> None:
        way(city.services[service].store, loop(city, f"{service}.relay"), fuse, stack)

    return arm


def _before_publishing(_: Store, relay: Any, fuse: Fuse, stack: ExitStack) -> None:
    original = relay._publish

    def die(rows: Any) -> Any:
        if rows:
            fuse.burn()
        return original(rows)

    stack.enter_context(mock.patch.object(relay, "_publish", die))


def _before_the_confirm(_: Store, relay: Any, fuse: Fuse, stack: ExitStack) -> None:
    original = relay._publish

    def die(rows: Any) -> Any:
        sent = original(rows)
        if len(rows) > len(sent.failed):
            fuse.burn()
        return sent

    stack.enter_context(mock.patch.object(relay, "_publish", die))


def _before_the_mark(store: Store, relay: Any, fuse: Fuse, stack: ExitStack) -> None:
    """The commit of the mark: the claim's own on PostgreSQL, one for itself on SQLite."""
    at_commit(store, relay, "_send_batch", fuse, stack)
    at_commit(store, relay, "_mark", fuse, stack)


def _after_the_mark(_: Store, relay: Any, fuse: Fuse, stack: ExitStack) -> None:
    original = relay._marked

    def die() -> None:
        if relay._confirmed:
            fuse.burn()
        original()

    stack.enter_context(mock.patch.object(relay, "_marked", die))


RELAY = {
    "claimed, not published": _before_publishing,
    "published, confirm not seen": _before_the_confirm,
    "confirmed, not marked": _before_the_mark,
    "marked as sent": _after_the_mark,
}


# --- consumers ----------------------------------------------------------------------------------------


def _consumer(service: str, name: str, way: Callable[..., None]) -> Arm:
    def arm(city: City, fuse: Fuse, stack: ExitStack) -> None:
        way(city.services[service].store, loop(city, name), fuse, stack)

    return arm


def _received(_: Store, consumer: Any, fuse: Fuse, stack: ExitStack) -> None:
    after(consumer._window, "take", fuse, stack)


def _handled(_: Store, consumer: Any, fuse: Fuse, stack: ExitStack) -> None:
    def dying(handler: Handler) -> Handler:
        def apply(uow: Any, envelope: Any) -> Any:
            done = handler.apply(uow, envelope)
            fuse.burn()
            return done

        return Handler(apply, handler.load)

    setup = consumer._setup
    handlers = {kind: dying(handler) for kind, handler in setup.handlers.items()}
    stack.enter_context(mock.patch.object(consumer, "_setup", replace(setup, handlers=handlers)))


def _before_its_commit(store: Store, consumer: Any, fuse: Fuse, stack: ExitStack) -> None:
    at_commit(store, consumer, "_settle", fuse, stack)


def _before_the_ack(_: Store, consumer: Any, fuse: Fuse, stack: ExitStack) -> None:
    before(consumer._window, "acknowledge", fuse, stack)


def _after_the_ack(_: Store, consumer: Any, fuse: Fuse, stack: ExitStack) -> None:
    after(consumer._window, "acknowledge", fuse, stack)


CONSUMER = {
    "received, not handled": _received,
    "handled, nothing written": _handled,
    "written, not committed": _before_its_commit,
    "committed, not acknowledged": _before_the_ack,
    "acknowledged": _after_the_ack,
}


# --- senders ------------------------------------------------------------------------------------------


def _sender(kind: str, way: Callable[..., None]) -> Arm:
    def arm(city: City, fuse: Fuse, stack: ExitStack) -> None:
        way(city.notify.store, loop(city, f"notify.sender.{kind}"), fuse, stack)

    return arm


def _before_the_claim(store: Store, sender: Any, fuse: Fuse, stack: ExitStack) -> None:
    at_commit(store, sender, "_send", fuse, stack)


def _before_the_channel(_: Store, sender: Any, fuse: Fuse, stack: ExitStack) -> None:
    before(sender, "_go_on", fuse, stack)


def _after_the_channel(_: Store, sender: Any, fuse: Fuse, stack: ExitStack) -> None:
    after(sender, "_leave", fuse, stack)


def _before_the_record(store: Store, sender: Any, fuse: Fuse, stack: ExitStack) -> None:
    at_commit(store, sender, "_record", fuse, stack)


def _after_the_record(_: Store, sender: Any, fuse: Fuse, stack: ExitStack) -> None:
    after(sender, "_record", fuse, stack)


SENDER = {
    "not yet claimed": _before_the_claim,
    "claimed, not handed over": _before_the_channel,
    "handed to the channel": _after_the_channel,
    "recorded, not committed": _before_the_record,
    "recorded as sent": _after_the_record,
}


def _all() -> Iterator[Stop]:
    yield Stop("intake", "desk", "filed, not committed", _filing_commit)
    yield Stop("intake", "desk", "committed, not answered", _filing_answer)
    for service in ("intake", "routing", "notify"):
        for moment, way in RELAY.items():
            yield Stop(service, "relay", moment, _relay(service, way))
        for name in (n for s, n in CONSUMERS if s == service):
            for moment, way in CONSUMER.items():
                yield Stop(service, name, moment, _consumer(service, name, way))
    for moment, way in SENDER.items():
        yield Stop("notify", "sms sender", moment, _sender("sms", way))


CONSUMERS = (
    ("intake", "intake.facts"),
    ("routing", "routing.facts"),
    ("routing", "routing.answers"),
    ("notify", "notify.facts"),
    ("notify", "notify.contacts"),
)
STOPS = tuple(_all())
