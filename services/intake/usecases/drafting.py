"""Keeping what is typed: one draft for each form, and never one page's words in another's place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa

from services.intake.storage import drafts
from services.intake.storage.answers import KeptAnswer, find_answer
from services.intake.storage.drafts import Draft
from shared.database import UnitOfWork
from shared.kernel.errors import Fault, InvalidInput

#: Drafts of one office: a desk has a few open, a program that goes wild has no end.
MOST: Final = 300


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a save: the id under which it lies, and whether another page wrote there before.

    `filed`: the dossier was filed meanwhile, nothing is kept.
    """

    id: str
    began: bool
    filed: bool = False


def save(uow: UnitOfWork, typed: Draft, after: Collection[str]) -> Saved:
    """Keep a draft that a page has typed, on from what the page itself or one of `after` saved.

    Where another page has written there meanwhile (the form is open twice), it is kept beside it
    under an id of its own. A save that comes late changes nothing.
    """
    if filed(uow.connection, typed.office, typed.id) is not None:
        return Saved(typed.id, began=False, filed=True)
    before = drafts.find(uow.connection, typed.office, typed.id, uow.now, lock=True)
    if before is None:
        return _begin(uow, typed)
    if before.page == typed.page:
        if typed.saves > before.saves:
            drafts.put(uow, typed)
        return Saved(typed.id, began=False)
    if before.page in after:
        drafts.put(uow, typed)
        return Saved(typed.id, began=True)
    return _begin(uow, replace(typed, id=uow.ids.new()))


def _begin(uow: UnitOfWork, typed: Draft) -> Saved:
    if drafts.count(uow.connection, typed.office) >= MOST:
        vi = f"Đã có {MOST} bản nháp; hãy xóa bớt ở trang Nháp."
        raise InvalidInput([Fault("draft", vi, f"there are {MOST} drafts: delete some")])
    drafts.put(uow, typed)
    return Saved(typed.id, began=True)


def filed(connection: sa.Connection, office: str, draft_id: str) -> KeptAnswer | None:
    """What was answered where the form of this draft has been filed."""
    return find_answer(connection, owner(office), draft_id)


def owner(office: str) -> str:
    """Whose the answers are that are kept for an office's pages."""
    return f"page:{office}"
