"""The product's processes on PostgreSQL and RabbitMQ."""

from __future__ import annotations

from typing import Any

from bench.crew import Tally
from bench.product.build import Watch, Where, build
from bench.product.dossiers import Door, HandBack, issue_keys
from bench.schedule import Accepted, Order, carry_out
from shared.messaging.loops.supervisor import Supervisor
from shared.messaging.loops.wakeups import listeners, notifiers


class Submit:
    """intake web: the doors, and word of each commit to the working process."""

    def __init__(self, _tally: Tally, where: Where, offices: list[str]) -> None:
        self._service = build(where, "intake")
        self._beside = Supervisor(notifiers(self._service.store, "intake"))
        self._beside.start()
        secrets = issue_keys(self._service, offices)
        self._door = Door(self._service, offices, secrets, by_mail=where.smtp_url is not None)

    def ask(self, message: Order | HandBack) -> list[Accepted] | int:
        if isinstance(message, HandBack):
            return self._door.hand_back(message)
        return carry_out(message, self._door.submit)

    def stop(self) -> None:
        self._beside.stop()
        self._service.close()


class Work:
    """<service> work: its loops, as `lienthong <service> work` runs them."""

    def __init__(self, tally: Tally, where: Where, name: str) -> None:
        self._watch = Watch(tally) if name == "notify" else None
        self._service = build(where, name)
        loops = [*self._service.loops, *listeners(self._service.store, name)]
        self._supervisor = Supervisor(loops)
        self._supervisor.start()

    def ask(self, message: Any) -> Any:
        """("log", n) where this is notify, else an echo."""
        return message if self._watch is None else self._watch.log(message[1])

    def stop(self) -> None:
        self._supervisor.stop()
        self._service.close()
