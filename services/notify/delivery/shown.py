"""What the providers of channels are seen to do: their shares, what was tried, receipts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.notify.channels import Channel
from services.notify.channels.providers import Providers
from services.notify.delivery.postbox import Postbox
from services.notify.delivery.receiving import Receiver
from services.notify.domain.spending import month_at
from services.notify.storage import bounces, queries
from services.notify.storage import receipts as rows
from services.notify.usecases.spending import account
from shared.catalogue import Catalogue
from shared.database import Store
from shared.messaging.metrics import Reading

#: So far back tries are counted at each scrape.
TRIED_MINUTES: Final = 10
_TRIED: Final = f"Messages handed over in the last {TRIED_MINUTES} minutes"
_SHARE: Final = "Share of this process's letters that a provider took lately"
_ASKED: Final = "1 where a provider is given letters, 0 while it is left alone"
_HEARD: Final = "Receipts since the process began, by what became of them"
_BOUNCED: Final = "Mails of the last day at the return path, by what became of them"
_MAILBOX: Final = "1 while the mailbox that letters come back to can be read, else 0"
_OVER: Final = "Messages of the last day that did not go because their dossier had had its share"
_DAY: Final = timedelta(days=1)
_USED: Final = "Share of this month's budget for messages that is spent; 1 is all of it"
#: So old may the sums of a month be that are told: they are of thousands of rows.
_SUMS_SECONDS: Final = 300.0
_STRAYS: Final = "Receipts for which no message is known yet"


def measured(
    store: Store,
    channels: Mapping[str, Channel],
    receivers: Collection[Receiver],
    catalogue: Catalogue,
    postboxes: Collection[Postbox] = (),
) -> Callable[[], list[Reading]]:
    """Readings for each scrape; labels are names of channels, providers and offices."""
    budgets = budgets_measured(store, catalogue)

    def read() -> list[Reading]:
        with store.read() as connection:
            since = store.clock.now() - timedelta(minutes=TRIED_MINUTES)
            tried = rows.shares(connection, since)
            strays = rows.count_strays(connection)
            found = _of_day(connection, store.clock.now() - _DAY)
        found += [Reading("lienthong_receipts_unmatched", _STRAYS, strays), *budgets()]
        found += [
            Reading("lienthong_bounce_mailbox", _MAILBOX, float(not box.away)) for box in postboxes
        ]
        for (provider, outcome), count in sorted(tried.items()):
            labels = (("provider", provider), ("outcome", outcome))
            found.append(Reading("lienthong_messages_tried", _TRIED, count, labels))
        for receiver in receivers:
            for what, count in sorted(receiver.counts.items()):
                labels = (("loop", receiver.name), ("outcome", what))
                found.append(Reading("lienthong_receipts_heard", _HEARD, count, labels))
        for channel in channels.values():
            if isinstance(channel, Providers):
                for name, (share, asked) in channel.shares().items():
                    of = (("provider", name),)
                    found.append(Reading("lienthong_provider_share", _SHARE, share, of))
                    found.append(Reading("lienthong_provider_asked", _ASKED, float(asked), of))
        return found

    return read


def _of_day(connection: sa.Connection, since: datetime) -> list[Reading]:
    """What is counted from a day ago on (UTC)."""
    over = queries.over_budget(connection, since)
    return [
        Reading("lienthong_messages_over_budget", _OVER, over),
        *(
            Reading("lienthong_bounces", _BOUNCED, count, (("outcome", fate),))
            for fate, count in sorted(bounces.counts(connection, since).items())
        ),
    ]


def budgets_measured(store: Store, catalogue: Catalogue) -> Callable[[], list[Reading]]:
    """A reading for the whole city's budget and each office's, some minutes old."""
    kept: list[tuple[float, list[Reading]]] = []

    def read() -> list[Reading]:
        at = store.clock.steady()
        if kept and at - kept[0][0] < _SUMS_SECONDS:
            return kept[0][1]
        now = store.clock.now()
        with store.read() as connection:
            found = account(connection, catalogue, month_at(now), now).budgets
        readings = [
            Reading(
                "lienthong_messages_budget_used",
                _USED,
                each.percent / 100,
                (("office", each.office or "city"),),
            )
            for each in found
        ]
        kept[:] = [(at, readings)]
        return readings

    return read
