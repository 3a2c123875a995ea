"""The lists of a desk: a page of one, how long they all are, who holds what, what a search finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from services.intake.domain.finding import read_search
from services.intake.storage.queries import Filters, Listed, Page, Sort, list_dossiers
from services.intake.storage.search import Found, Index, find
from services.intake.storage.timelines import said_of
from shared.database import Store
from shared.events.routing import StepAnswered, StepOpened, StepSentBack, StepTransferred
from shared.kernel.errors import InvalidInput

#: Rows that a file is written from at a time; each time a short look of its own.
CHUNK: Final = 500
#: Rows of a file: what a person still looks at, and what is written within a minute.
MOST_EXPORTED: Final = 50_000


def searched(
    connection: sa.Connection, index: Index, office: str, official_id: str, words: str
) -> Found:
    """The office's dossiers that these words mean."""
    return find(connection, index, office, read_search(words, official_id))


def one_page(
    connection: sa.Connection,
    filters: Filters,
    now: datetime,
    sort: Sort,
    size: int,
    cursor: str | None,
) -> Page:
    """A page; a cursor that was cut or belongs to another order begins from the start.

    Its `total` is no more than one beyond what a file of the list holds.
    """
    page = partial(
        list_dossiers, connection, filters, now, sort=sort, size=size, most=MOST_EXPORTED
    )
    try:
        return page(cursor=cursor)
    except InvalidInput:
        return page()


def every(store: Store, filters: Filters, now: datetime, sort: Sort) -> Iterator[Sequence[Listed]]:
    """All rows of a list in the order of its pages, some hundreds at a time; at most 50,000.

    No look is held open between them, however slowly a caller reads.
    """
    cursor, left = None, MOST_EXPORTED
    while left > 0:
        size = min(CHUNK, left)
        with store.read() as connection:
            found = list_dossiers(
                connection, filters, now, sort=sort, size=size, cursor=cursor, counted=False
            )
        yield found.items
        cursor, left = found.next, left - size
        if cursor is None:
            return


def holders(connection: sa.Connection, codes: Sequence[str]) -> dict[str, str]:
    """Which agencies have an open step of these dossiers, by what routing has told."""
    open_: dict[str, dict[str, str]] = {}
    told = (StepOpened, StepAnswered, StepTransferred, StepSentBack)
    for event in said_of(connection, codes, told):
        match event:
            case StepOpened():
                open_.setdefault(event.dossier, {})[event.task] = event.agency.name
            case StepSentBack():
                for task in event.undone:
                    open_.get(event.dossier, {}).pop(task, None)
            case StepAnswered(outcome=str()) | StepAnswered(answer="elapsed") | StepTransferred():
                open_.get(event.dossier, {}).pop(event.task, None)
    return {code: ", ".join(dict.fromkeys(tasks.values())) for code, tasks in open_.items()}


def within(filters: Filters, found: Found) -> Filters:
    """The same list, of what a search has found alone."""
    return replace(filters, codes=found.codes)
