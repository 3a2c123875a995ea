"""Texts that citizens have written: kept before their provider is thanked, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.notify.domain.incoming import PARTS_WITHIN, Incoming, phone_of
from services.notify.storage import heard as rows
from services.notify.storage.correspondence import lock_dossiers
from shared.database import UnitOfWork

#: The signal that there is something to be answered.
HEARD = "heard"


def keep(uow: UnitOfWork, heard: Sequence[Incoming]) -> int:
    """Keep these; how many were new. A long one is acted on when its last part has come."""
    # Two lines may bring two parts of one text: one of them must see both.
    lock_dossiers(uow.connection, [f"heard {text.reference}" for text in heard if text.parts > 1])
    new = [_keep(uow, replace(text, sender=phone_of(text.sender) or text.sender)) for text in heard]
    if any(new):
        uow.signal(HEARD)
    return sum(new)


def _keep(uow: UnitOfWork, text: Incoming) -> bool:
    name, before = text.names(uow.now)
    if rows.known(uow.connection, (name, before)):
        return False
    due = uow.now + PARTS_WITHIN if text.parts > 1 else uow.now
    if not rows.add(uow.connection, name, text, uow.now, due):
        return False
    if text.parts > 1:
        found = rows.parts_of(uow.connection, text, uow.now - PARTS_WITHIN)
        whole = {each.part: each for each in found}
        if len(whole) == text.parts:
            rows.join(uow.connection, [whole[part] for part in sorted(whole)], uow.now)
    return True
