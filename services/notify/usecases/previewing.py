"""Trying words out before they are in force: on an invented dossier, a real one, or a month's messages."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
import sqlalchemy as sa

from services.notify.domain.composing import Composer
from services.notify.domain.moments import CONTACT_CHANGED, MOMENTS, Details
from services.notify.domain.previews import Compared, Known, previewed
from services.notify.domain.spending import Month, midnight
from services.notify.storage import retold
from services.notify.storage.retold import Retold
from shared.catalogue.model import Language, Template
from shared.kernel.errors import NotFound, Unreadable

#: So many messages of a month are tried, the newest.
MOST_TRIED: Final = 20_000


def known_of(
    connection: sa.Connection, composer: Composer, dossier: str, moment: str, language: Language
) -> Known:
    """What a real message of this moment was made of; NotFound where nobody knows it any more."""
    found = retold.of_dossier(connection, dossier, moment)
    if found is None:
        raise NotFound(
            "the citizen of this dossier was never told of that",
            vi="Hồ sơ này chưa có tin nhắn nào về việc đó.",
        )
    known = _known(composer, found, language)
    if known is None:
        raise NotFound(
            "what that message was made of is erased or cleared: try another dossier, or none",
            vi="Dữ liệu của tin đó đã được xóa: hãy dùng hồ sơ khác, hoặc dữ liệu mẫu.",
        )
    return known


def compared(
    connection: sa.Connection, composer: Composer, old: Template, new: Template, month: Month
) -> Compared:
    """What both versions make of a month's messages of their moment, channel and language."""
    since, until = midnight(month.first), midnight(month.after)
    told = Compared()
    for each in retold.of_month(connection, old.moment, old.channel, since, until, MOST_TRIED):
        if each[0].language != old.language:
            continue
        known = _known(composer, each, old.language)
        if known is None:
            told.untold += 1
        else:
            told.add([previewed(composer, template, known) for template in (old, new)])
    return told


def both_versions(
    composer: Composer,
    moment: str,
    channel: str,
    language: Language,
    versions: tuple[int | None, int | None],
    on: date,
) -> tuple[Template, Template] | None:
    """The two to be compared: as named, else the one in force that day and the latest there is."""
    book = composer.catalogue
    if not any(each.channel == channel for each in book.templates() if each.moment == moment):
        return None
    latest = max(each.version for each in book.templates() if each.moment == moment)
    old, new = versions
    before = (
        book.template(moment, channel, language, on)
        if old is None
        else book.template_version(moment, channel, language, old)
    )
    after = book.template_version(moment, channel, language, latest if new is None else new)
    return before, after


def _known(composer: Composer, told: Retold, language: Language) -> Known | None:
    message, case, contact, fact = told
    if case is None or contact is None or not case.procedure_name:
        return None
    details, made_at = Details(), message.made_at
    if message.moment != CONTACT_CHANGED:
        if fact is None:
            return None
        try:
            event = fact.event()
        except Unreadable:
            return None
        details, made_at = MOMENTS[type(event)].details(event), fact.time
    notice = composer.notice(case, made_at, details)
    return Known(notice, msgspec.structs.replace(contact, language=language))
