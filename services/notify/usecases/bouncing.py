"""A mail came in at the return path: what it says is applied once, and counted in any case."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.notify.domain.bounces import WITHIN, Bounce, Fate, Other, after_bounce, judged
from services.notify.domain.courtesy import outdates
from services.notify.domain.ladder import revived
from services.notify.domain.messages import Message
from services.notify.storage import bounces as rows
from services.notify.storage import queries, receipts
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from services.notify.storage.queries import Search
from services.notify.storage.receipts import Try
from services.notify.usecases.telling import blamed, follow_up
from shared.database import UnitOfWork

#: Longer than a mail about a letter may come: what was told once is known again.
KEEP: Final = WITHIN + timedelta(days=60)
#: Who speaks, where an attempt has its provider: the mail servers on the way.
MAIL: Final = "email.bounces"
_MOST_BESIDE: Final = 1000


def take_back(uow: UnitOfWork, mail: Bounce | Other) -> Fate:
    """Apply one mail; `LATER` where nothing was done and it must come again."""
    if isinstance(mail, Other):
        new = rows.note(uow.connection, mail.id, "", mail.fate, uow.now)
        return mail.fate if new else Fate.REPEATED
    messages = uow.get(Messages)
    # As a sender does before it writes one that others follow: see `hold`.
    lock_dossiers(uow.connection, [each.dossier for each in messages.these([mail.letter])])
    found = next(iter(messages.these([mail.letter], lock=True)), None)
    fate = judged(mail, found, uow.now)
    if fate is Fate.LATER:
        return fate
    if not rows.note(uow.connection, mail.id, mail.letter if found else "", fate, uow.now):
        return Fate.REPEATED
    if found is not None and fate in (Fate.BOUNCED, Fate.DELAYED):
        _write_down(uow, found, mail, fate)
    return fate


def _write_down(uow: UnitOfWork, message: Message, mail: Bounce, fate: Fate) -> None:
    told = Try(message.id, MAIL, message.tries, uow.now, fate.value, mail.status or None)
    receipts.add_tries(uow.connection, [told])
    if fate is Fate.DELAYED:
        return
    messages, after = uow.get(Messages), after_bounce(message, mail, uow.now)
    messages.change(after)
    if mail.blames_address:
        uow.record(*blamed(uow, [after]))
    if not _is_outdated(uow, message):
        for each in revived(messages.of_facts([message.fact_id]), after, uow.now):
            messages.change(each)
    follow_up(uow, [after])


def _is_outdated(uow: UnitOfWork, message: Message) -> bool:
    """Whether something said since then makes it not worth saying again: it may be days later."""
    search = Search(dossier=message.dossier, limit=_MOST_BESIDE)
    others = (m for m in queries.find(uow.connection, search) if m.fact_id != message.fact_id)
    return any(outdates(each, message) for each in others)
