"""Settings of the services under test, and the null channel with a watch beside it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.crew import Tally
from bench.sheet import Sheet
from services.notify.channels.null import NullChannel
from services.notify.domain.delivery import Letter, Result
from shared import log
from shared.catalogue import load
from shared.kernel.clock import RealClock
from shared.kernel.ids import RandomIds
from shared.messaging.service import Service
from shared.settings import PROJECT, Settings

if TYPE_CHECKING:
    from services.embedded.city import City

PRIVACY_KEYS = PROJECT / "bench" / "privacy.keys"
_CODE = re.compile(r"[0-9.]+H\d\d-\d{6}-\d{4,}")


@dataclass(frozen=True, slots=True)
class Where:
    """Databases by service, the broker, a folder for logs, and a mail server if there is one."""

    databases: dict[str, str]
    amqp_url: str
    folder: str
    smtp_url: str | None = None


def settings(where: Where, service: str) -> Settings:
    """As in production, the channels null, or e-mail to the mail server named."""
    return Settings(
        service=service,
        data_dir=Path(where.folder),
        database_url=where.databases[service],
        amqp_url=where.amqp_url,
        catalogue_dir=PROJECT / "catalogue",
        port=0,
        secret_key="a key for this benchmark alone, nobody signs in",
        privacy_keys=PRIVACY_KEYS,
        log_format="json",
        channel_sms="null",
        courtesy="off",
        channel_email="smtp" if where.smtp_url else "null",
        smtp_url=where.smtp_url,
    )


def build(where: Where, name: str) -> Service:
    """One service as the real command builds it, its log in a file of the folder."""
    from services.commands.run_service import build as build_service

    chosen = settings(where, name)
    _log_into(where, chosen)
    return build_service(chosen)


def build_city(where: Where) -> City:
    """The whole city in this process, as `lienthong serve` builds it."""
    from services.embedded.city import City

    chosen = {name: settings(where, name) for name in where.databases}
    _log_into(where, chosen["intake"])
    catalogue = load(chosen["intake"].catalogue_dir)
    return City(chosen, catalogue=catalogue, clock=RealClock(), ids=RandomIds())


def _log_into(where: Where, chosen: Settings) -> None:
    name = f"{chosen.service}-{time.monotonic_ns()}.log"
    log.configure(chosen, stream=(Path(where.folder) / name).open("w", buffering=1))


class Watch:
    """Notes when each message was handed to the null channel of this process."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._log = Sheet()
        real = NullChannel.send
        watch = self

        def send(channel: NullChannel, letters: Iterable[Letter]) -> Iterator[Result]:
            return real(channel, watch.noting(letters))

        setattr(NullChannel, "send", send)  # noqa: B010 - mypy takes no new method

    def noting(self, letters: Iterable[Letter]) -> Iterator[Letter]:
        """The same letters, each noted as it is taken."""
        for letter in letters:
            self._log.note(_code(letter.body), time.monotonic())
            self._tally.messages.value += 1
            yield letter

    def log(self, start: int) -> Sheet:
        """The entries from number `start` on."""
        return self._log.since(start)


def _code(body: str) -> str:
    found = _CODE.search(body)
    if found is None:
        raise RuntimeError("a message without a dossier code")
    return found.group()


def migrate(where: Where) -> None:
    """Bring the three databases to the newest version."""
    for name in where.databases:
        service = build(where, name)
        service.migrate()
        service.close()
        service.bus.close()
