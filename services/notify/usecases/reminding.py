"""Mail to agencies' staff: written once for each agency and day, and only on that day."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digests import digests
from services.notify.storage.messages import Messages, save
from shared.database import UnitOfWork
from shared.events.routing import AgencyReminded
from shared.kernel.clock import to_vn

PAST: Final = "Danh sách nhắc việc của một ngày đã qua: không gửi nữa."
KNOWN: Final = "Danh sách nhắc việc của ngày này đã có rồi."


def write_digest(uow: UnitOfWork, reminded: AgencyReminded) -> str | None:
    """Write the day's messages to an agency's staff; why not, for a day that is over or has them."""
    if to_vn(reminded.reminded_at).date() < to_vn(uow.now).date():
        return PAST
    written = digests(reminded, uow.now)
    known = {each.id for each in uow.get(Messages).these(each.id for each in written)}
    save(uow, added=[each for each in written if each.id not in known])
    return KNOWN if len(known) == len(written) else None
