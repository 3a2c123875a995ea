"""The loop that acts on what citizens have written: one text after the other, each once in effect.

A look-up is asked of intake with no transaction open; whoever dies over it leaves the text to be
taken up again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from services.notify.delivery.asking import LookUp
from services.notify.delivery.lookout import Lookout
from services.notify.domain.incoming import Kind, phone_of, understood
from services.notify.storage import heard as rows
from services.notify.storage.heard import Heard
from services.notify.usecases.answering import act, may_answer
from services.notify.usecases.hearing import HEARD
from shared.catalogue.model import AnsweringRule
from shared.database import Store
from shared.kernel.actor import Actor
from shared.log import get

AT_ONCE: Final = 20
#: Longer than intake takes to answer.
LEASE: Final = timedelta(minutes=2)
LOOK_EVERY_SECONDS: Final = 30.0
_ANSWERER: Final = Actor("service", "notify")
_log = get("notify.answers")


class Answerer:
    """Acts on texts by the rule of the day; `look_up` is how intake is asked."""

    name = "notify.answerer"

    def __init__(
        self, store: Store, rule: Callable[[datetime], AnsweringRule], look_up: LookUp
    ) -> None:
        self.look_up = look_up
        self._store = store
        self._rule = rule
        self._signal = store.signal(HEARD)
        self._lookout = Lookout(store, self._signal, rows.next_due, every=LOOK_EVERY_SECONDS)

    def step(self, wait: float) -> int:
        """Act on what is due; where nothing is, wait up to `wait` s for it."""
        heard = self._signal.count
        if not self._lookout.is_due():
            if wait <= 0:
                return 0
            self._lookout.rest(heard, wait)
            if not self._lookout.is_due():
                return 0
        with self._store.query() as connection:
            due = rows.due(connection, self._store.clock.now(), AT_ONCE)
        self._lookout.forget()
        done = Counter(kind.value for one in due if (kind := self._take(one)) is not None)
        if done:
            _log.info("answers.acted", **done)
        return done.total()

    def next_due(self) -> datetime | None:
        """When a text is looked at next, UTC."""
        return self._lookout.next_due()

    def wake(self) -> None:
        """Look again now."""
        self._lookout.forget()
        self._signal.set()

    def close(self) -> None:
        """Let go of the line to intake."""
        self.look_up.close()

    def _take(self, one: Heard) -> Kind | None:
        """Act on one; None where another has it."""
        now = self._store.clock.now()
        until, rule = now + LEASE, self._rule(now)
        asked, phone = understood(one.text, rule), phone_of(one.sender)
        with self._store.begin(_ANSWERER) as uow:
            if not rows.claim(uow.connection, one, until):
                return None
            asks = asked.kind is Kind.STATUS and phone and may_answer(uow, one, rule)
        told = self.look_up.ask(asked.code, asked.word, phone) if asks and phone else None
        with self._store.begin(_ANSWERER) as uow:
            if not rows.is_claimed(uow.connection, one, until):
                return None
            return act(uow, one, asked, told, rule)
