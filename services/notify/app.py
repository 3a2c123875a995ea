"""Builds notify: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from services.notify.channels import Channel, each_channel, open_channels
from services.notify.channels.bounces import Reader, parse_mailbox, return_path
from services.notify.channels.file import FileChannel
from services.notify.channels.http import HttpChannel
from services.notify.channels.mail import parse_mail_from
from services.notify.channels.protocol import Receiving
from services.notify.channels.smtp import SmtpChannel
from services.notify.channels.unsubscribing import Unsubscribing
from services.notify.delivery.answerer import Answerer
from services.notify.delivery.asking import LookUp
from services.notify.delivery.postbox import Postbox
from services.notify.delivery.processes import Heartbeat, Presence
from services.notify.delivery.receiving import Receiver
from services.notify.delivery.sender import Sender
from services.notify.delivery.shown import measured
from services.notify.domain.composing import Composer
from services.notify.on import event_handlers
from services.notify.storage.standing import lines
from services.notify.usecases.climbing import climb, due_climbs, next_climb
from services.notify.usecases.gating import Manners, without_hours
from services.notify.usecases.prune import prune
from services.notify.usecases.receiving import due_looks, look_again, next_look
from services.notify.usecases.sending import give_up_waiting, next_give_up, waited_too_long
from services.notify.usecases.spending import budget_lines
from services.notify.web import create_web
from services.notify.web.bounces import Returns
from shared.catalogue import Catalogue
from shared.database import Store
from shared.events.names import INTAKE, INTAKE_CONTACTS, ROUTING, ROUTING_NOTICES
from shared.identity import audit, keys
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus
from shared.messaging.assembly import Assembly, store_of
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.ticker import Timely
from shared.messaging.service import Service
from shared.messaging.standing import Matters
from shared.settings import Settings
from shared.web.security import secret_key

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NAME = "notify"
# Each queue and the sources that come on it whole; its consumer has the same name.
READS = {
    "notify.facts": (INTAKE, ROUTING),
    "notify.contacts": (INTAKE_CONTACTS, ROUTING_NOTICES),
}
MIGRATIONS = Path(__file__).parent / "storage" / "migrations"
MATTERS = Matters(lines, ruled=budget_lines)

# Contacts are waited for a day: whether one is given up now need not be asked often.
_CONTACTS = Timely(next_give_up, waited_too_long, give_up_waiting)
_STRAYS = Timely(next_look, due_looks, look_again)


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Notify's door to its database; nothing connects until it is used."""
    return store_of(NAME, settings, reads=(INTAKE, ROUTING), clock=clock, ids=ids)


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    parts = Assembly(NAME, settings, store, bus)
    composer, channels = Composer(catalogue), _channels(settings)
    manners = _manners(settings, composer)
    presence = Presence(store, alone=bus.volatile)
    access = audit.AccessLog(NAME, store)
    heard = [way for way in each_channel(channels) if isinstance(way, Receiving)]
    receivers, calling = [Receiver(way, store) for way in heard], _calling(channels)
    returns, postboxes = _coming_back(settings, store)
    parts.metrics.measure(partial(keys.measured, store))
    parts.metrics.measure(measured(store, channels, receivers, catalogue, postboxes))
    web = create_web(settings, store, composer, parts.metrics, calling, returns)
    return parts.service(
        web=access.watch(web),
        loops=[
            parts.relay(),
            *(
                parts.consumer(queue, event_handlers(composer), sources=sources, keep_forms=False)
                for queue, sources in READS.items()
            ),
            *(
                Sender(kind, channel, store, presence=presence, manners=manners)
                for kind, channel in channels.items()
            ),
            *receivers,
            *postboxes,
            *(_hearing(parts, store, composer, settings) if receivers or calling else []),
            Heartbeat(presence, store),
            audit.Keeper(NAME, store, settings.access_days),
            parts.ticker("ticker", _CONTACTS, gap=1.0),
            parts.ticker("ladder", ladder_of(manners), gap=1.0),
            parts.nightly(prune),
        ],
        beside=[access],
        migrations=MIGRATIONS,
        matters=MATTERS.by(lambda: catalogue),
    )


def _channels(settings: Settings) -> dict[str, Channel]:
    """The ways out; a citizen's letter says how such letters end."""
    channels = open_channels(settings)
    secret = secret_key(settings)
    ending, returning = Unsubscribing(settings.home, secret), return_path(settings, secret)
    for way in each_channel(channels):
        if isinstance(way, FileChannel | SmtpChannel):
            way.unsubscribing = ending
        if isinstance(way, SmtpChannel):
            way.returning = returning
    return channels


def _coming_back(settings: Settings, store: Store) -> tuple[Returns | None, list[Postbox]]:
    """The door and the mailbox of mail that came back, as far as the settings have them."""
    path, mailbox = return_path(settings, secret_key(settings)), settings.bounce_mailbox
    if path is None:
        return None, []
    reader = Reader(path, parse_mail_from(settings.mail_from).address.rpartition("@")[2])
    secret, box = settings.bounce_secret, parse_mailbox(mailbox)
    postboxes = [Postbox(box, store, reader.read)] if box else []
    return Returns(secret, reader) if secret else None, postboxes


def _hearing(parts: Assembly, store: Store, composer: Composer, settings: Settings) -> list[Loop]:
    """What is done with what providers tell: receipts without a letter yet, and citizens' texts."""
    look_up = LookUp(settings.lookup_url or settings.public_url, secret_key(settings))
    return [parts.ticker("strays", _STRAYS), Answerer(store, composer.answering, look_up)]


def ask_here(service: Service, web: WSGIApplication) -> None:
    """Let citizens' look-ups by SMS go to this web, which is in the same process."""
    for loop in service.loops:
        if isinstance(loop, Answerer):
            loop.look_up.through(web)


def ladder_of(manners: Manners) -> Timely:
    """The ways that have their turn by the clock."""
    return Timely(next_climb, due_climbs, partial(climb, manners))


def _manners(settings: Settings, composer: Composer) -> Manners:
    if settings.courtesy == "off":
        return Manners(lambda at: without_hours(composer.rule(at)))
    return Manners(composer.rule)


def _calling(channels: Mapping[str, Channel]) -> dict[str, HttpChannel]:
    """The gateways that call, with receipts or texts, by their word in the settings."""
    return {
        way.name.partition(".")[2]: way
        for way in each_channel(channels)
        if isinstance(way, HttpChannel) and (way.gateway.receipts or way.gateway.texts)
    }
