"""What an agency wishes of its webhook, by its page or by an operator at the shell."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from services.routing.domain.webhook import (
    BY_HAND,
    Secret,
    Webhook,
    begun_anew,
    check_skips,
    check_url,
    renewed,
)
from services.routing.storage import agency_mail, webhooks
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.kernel.errors import Fault, InvalidInput, NotFound

_NOBODY: Final = Fault(
    "contacts",
    "Hãy ghi địa chỉ thư của người phụ trách trước: khi webhook tạm dừng phải có người được báo.",
    "name a contact first (lienthong agency mail): somebody must be told when it is paused",
)


def set_webhook(
    uow: UnitOfWork,
    catalogue: Catalogue,
    agency: str,
    url: str,
    skips: Iterable[str],
    *,
    loopback: bool,
) -> str | None:
    """Set where messages go and which notices do not; what a new one's secret is drawn from.

    A new one begins with what handed over the tasks that are open. InvalidInput names each fault.
    """
    faults: list[Fault] = []
    if agency not in catalogue.agency_codes():
        vi, en = "Danh mục không có cơ quan này.", "the catalogue has no such agency"
        faults.append(Fault("agency", vi, en))
    elif not agency_mail.held(uow, [agency]):
        faults.append(_NOBODY)
    try:
        url = check_url(url, loopback=loopback)
    except InvalidInput as wrong:
        faults += wrong.faults
    skipped = check_skips(skips)
    if faults:
        raise InvalidInput(faults)
    known = webhooks.of(uow.connection, agency, hold=True)
    if known is not None:
        webhooks.put(uow, begun_anew(replace(known, url=url, skips=skipped)))
        return None
    nonce, start = _drawn(), webhooks.start_of(uow.connection, agency)
    made = Webhook(agency, url, skipped, (Secret(nonce),), None, uow.now, start)
    webhooks.put(uow, made)
    return nonce


def new_secret(uow: UnitOfWork, agency: str) -> str:
    """Begin another generation; what its secret is drawn from. The last one signs on for a day."""
    hook, nonce = _held(uow, agency), _drawn()
    webhooks.put(uow, replace(hook, secrets=renewed(hook.secrets, nonce, uow.now)))
    return nonce


def pause(uow: UnitOfWork, agency: str) -> None:
    """Send nothing until it is resumed; what is made meanwhile waits in the ledger."""
    hook = _held(uow, agency)
    if hook.paused is None:
        webhooks.put(uow, replace(hook, paused=BY_HAND, since=uow.now))


def resume(uow: UnitOfWork, agency: str) -> None:
    """Go on where it stopped, at once; also where it only waits for its next try."""
    hook = begun_anew(_held(uow, agency))
    since = hook.since if hook.paused is None else uow.now
    webhooks.put(uow, replace(hook, paused=None, since=since))


def ask_trial(uow: UnitOfWork, agency: str) -> None:
    """Have one request sent that means nothing, paused or not; the sender notes what came of it."""
    webhooks.put(uow, replace(_held(uow, agency), trial_asked_at=uow.now))


def remove(uow: UnitOfWork, agency: str) -> None:
    """Forget it: queue and door are left."""
    _held(uow, agency)
    webhooks.remove(uow, agency)


def _held(uow: UnitOfWork, agency: str) -> Webhook:
    hook = webhooks.of(uow.connection, agency, hold=True)
    if hook is None:
        raise NotFound("the agency has no webhook", vi="Cơ quan chưa đặt webhook.")
    return hook


def _drawn() -> str:
    return secrets.token_hex(16)
