"""A database with so many dossiers behind a door: what its sixteen clients look up, search and list."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from bench.intake import doors
from bench.intake.clients import Act, Line, request
from bench.intake.filling import fill
from bench.intake.finding import Desk, searches
from bench.product.build import Where, build
from bench.product.dossiers import issue_keys
from bench.servers import SERVICES, Place, Servers, fresh
from services.intake.app import MIGRATIONS
from services.intake.storage.search import Index
from services.intake.web.pages.listing import LISTS
from shared.catalogue import load
from shared.database import make_engine
from shared.database.engine import Limits
from shared.database.migrate import upgrade
from shared.settings import PROJECT

_WORDS = {"Content-Type": "application/x-www-form-urlencoded"}


def desk(url: str, many: int) -> Desk:
    """An intake database with so many dossiers, and its office with half of them."""
    engine = make_engine(url, Limits(statement=3600, answer=3600))
    upgrade(engine, MIGRATIONS)
    catalogue, now = load(PROJECT / "catalogue"), datetime.now(UTC)
    offices = [each for each in catalogue.offices(now.date()) if each.is_office]
    index = Index(catalogue, doors.SECRET)
    return Desk(engine, index, offices[0], fill(engine, index, offices, many, now), now)


@dataclass(frozen=True)
class Filled:
    """A filled database and the door before it."""

    desk: Desk
    door: doors.Door
    key: str

    def acts(self) -> Mapping[str, Act]:
        """What is asked of it, by kind: each act is one thing that a person waits for."""
        bearer = {"Authorization": f"Bearer {self.key}"}
        codes = [each.code for each in self.desk.sample]
        typed = _in_turn(searches(random.Random(7), self.desk.sample))

        def look_up(line: Line, number: int) -> None:
            code = codes[number % len(codes)]
            line.ask(request("GET", f"/api/v1/dossiers/{code}", bearer), 200)

        def search(line: Line, _number: int) -> None:
            body = urlencode({"q": typed()}).encode()
            found = line.ask(request("POST", "/ho-so/tim", {**bearer, **_WORDS}, body), 303)
            line.ask(request("GET", found, bearer), 200)

        names = [*LISTS]

        def list_(line: Line, number: int) -> None:
            chosen = names[number % len(names)]
            line.ask(request("GET", f"/ho-so?xem={chosen}", bearer), 200)

        return {"look-ups": look_up, "searches": search, "lists": list_}


def _in_turn(kinds: Mapping[str, Callable[[], str]]) -> Callable[[], str]:
    """Words of one kind after the other, whichever client asks."""
    order, lock = itertools.cycle(kinds.values()), threading.Lock()

    def next_one() -> str:
        with lock:
            return next(order)()

    return next_one


def key_of(place: Place, folder: Path, *offices: str) -> list[str]:
    """A key for each of these offices, in an intake database that is migrated here."""
    where = Where({name: place.databases[name] for name in SERVICES}, place.amqp_url, str(folder))
    service = build(where, "intake")
    try:
        service.migrate()
        return issue_keys(service, offices)
    finally:
        service.close()
        service.bus.close()


@contextmanager
def filled(servers: Servers, folder: Path, many: int) -> Iterator[Filled]:
    """The product's door before a database of so many dossiers."""
    with fresh(servers) as place:
        made = desk(place.databases["intake"], many)
        try:
            (key,) = key_of(place, folder, made.office.code)
            with doors.product(place, folder) as door:
                yield Filled(made, door, key)
        finally:
            made.engine.dispose()
