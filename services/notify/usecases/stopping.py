"""Ending and beginning again what is sent to a number or mailbox: by its owner, or an operator."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from services.notify.domain.contacts import EMAIL, MAIL, SMS, masked
from services.notify.domain.incoming import phone_of
from services.notify.storage import stops
from services.notify.storage.stops import Stop
from shared.database import UnitOfWork
from shared.events.notify import StopChanged
from shared.kernel.errors import Fault, InvalidInput

BY_OPERATOR: Final = "operator"
_NO_ADDRESS: Final = (
    "Ghi một số di động hoặc một địa chỉ thư.",
    "neither a mobile number nor an e-mail address",
)


def by_hand(uow: UnitOfWork, text: str, *, remove: bool) -> tuple[bool, str]:
    """An operator puts a number or mailbox on the list, or takes it off.

    Whether that changed anything, and the address as it may be shown. `InvalidInput` where it is none.
    """
    channel, address = _read(text)
    order = start if remove else partial(stop, asked_by=BY_OPERATOR)
    return order(uow, channel, address), masked(channel, address)


def _read(text: str) -> tuple[str, str]:
    plain = text.strip()
    if MAIL.fullmatch(plain):
        return EMAIL, plain
    phone = phone_of(plain)
    if phone is None:
        raise InvalidInput([Fault("address", *_NO_ADDRESS)])
    return SMS, phone


def stop(
    uow: UnitOfWork, channel: str, address: str, asked_by: str, only: str | None = None
) -> bool:
    """Nothing more is sent there, and the desks of its dossiers see it; False where it was so.

    `only` this dossier's desk sees it at once, the others with the next message that does not go.
    """
    if not stops.add(uow.connection, Stop(address, channel, uow.now, asked_by)):
        return False
    _tell(uow, channel, stops.dossiers_of(uow.connection, channel, address, only), stopped=True)
    return True


def start(uow: UnitOfWork, channel: str, address: str) -> bool:
    """Messages are sent there again; False where nothing had ended them."""
    if not stops.remove(uow.connection, address):
        return False
    _tell(uow, channel, stops.dossiers_of(uow.connection, channel, address), stopped=False)
    return True


def _tell(uow: UnitOfWork, channel: str, dossiers: Iterable[str], *, stopped: bool) -> None:
    uow.record(
        *(
            StopChanged(dossier=each, channel=channel, stopped=stopped, at=uow.now)
            for each in dossiers
        )
    )
