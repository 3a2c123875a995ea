"""The mail of each working day to an agency: whom it reaches, and what is stated for it.

Notify makes the mail of `agency.reminded`. What fell due while nothing ran is today's list alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

from services.routing.storage import agency_mail, webhooks
from services.routing.storage.agency_mail import Mailed
from services.routing.usecases.rules import Rules
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.events.parts import NearTask, ProcedureName, Step
from shared.events.routing import MOST_ADDRESSES, MOST_NAMED, AgencyReminded
from shared.kernel.clock import VN, as_utc, to_vn
from shared.kernel.errors import Fault, InvalidInput

_LIST: Final = "/nhiem-vu/sap-den-han"


def set_addresses(
    uow: UnitOfWork, catalogue: Catalogue, agency: str, given: Sequence[str], *, remove: bool
) -> tuple[str, ...]:
    """Add staff addresses of an agency, or remove these (all, where none is given); what it has now.

    InvalidInput names every fault by its place, never an address.
    """
    found = agency_mail.held(uow, [agency])
    if agency not in catalogue.agency_codes() and not (remove and found):
        raise InvalidInput(
            [Fault("agency", "Danh mục không có cơ quan này.", "the catalogue has no such agency")]
        )
    at = next_time(catalogue, uow.now)
    mailed = found[0] if found else Mailed(agency, (), at)
    addresses = _read(given)
    if remove:
        left = (each for each in mailed.addresses if addresses and each not in addresses)
        kept = tuple(left)
    else:
        kept = tuple(dict.fromkeys((*mailed.addresses, *addresses)))
    if len(kept) > MOST_ADDRESSES:
        told = f"Một cơ quan có nhiều nhất {MOST_ADDRESSES} địa chỉ.", f"at most {MOST_ADDRESSES}"
        raise InvalidInput([Fault("addresses", *told)])
    agency_mail.put(uow, replace(mailed, addresses=kept))
    return kept


def replace_addresses(
    uow: UnitOfWork, catalogue: Catalogue, agency: str, given: Sequence[str]
) -> tuple[str, ...]:
    """Have these staff addresses and no others; as `set_addresses`."""
    wanted = _read(given)
    known = [address for each in agency_mail.held(uow, [agency]) for address in each.addresses]
    if gone := [each for each in known if each not in wanted]:
        set_addresses(uow, catalogue, agency, gone, remove=True)
    return set_addresses(uow, catalogue, agency, wanted, remove=False) if wanted else ()


def _read(given: Sequence[str]) -> tuple[str, ...]:
    read, faults = [], []
    for number, text in enumerate(given, 1):
        try:
            found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
        except EmailNotValidError:
            vi = f"Địa chỉ thứ {number} không đúng: hãy ghi như ten@coquan.gov.vn."
            faults.append(Fault(f"addresses.{number}", vi, "not a usable e-mail address in ASCII"))
        else:
            read.append(found.ascii_email or found.normalized)
    if faults:
        raise InvalidInput(faults)
    return tuple(read)


def next_time(catalogue: Catalogue, now: datetime) -> datetime:
    """The first instant after `now` at which a list may be due, day off or not (UTC).

    Without an hour in the rules they are asked again tomorrow.
    """
    today = to_vn(now).date()
    for day in (today, today + timedelta(days=1)):
        at = _hour(catalogue, day)
        if at is not None and at > now:
            return at
    return _at(today + timedelta(days=1), time())


def _hour(catalogue: Catalogue, day: date) -> datetime | None:
    rule = catalogue.dates_rule(day)
    return None if rule is None or rule.mail_at is None else _at(day, rule.mail_at)


def _at(day: date, clock: time) -> datetime:
    return as_utc(datetime.combine(day, clock, VN))


def remind(uow: UnitOfWork, agencies: Sequence[str], rules: Rules, home: str) -> int:
    """State today's list for each of these where there is one; how many were looked at.

    A year without a calendar is raised: who called tries the others without that agency.
    """
    mailed = [each for each in agency_mail.held(uow, agencies) if each.next_at <= uow.now]
    for each in mailed:
        agency_mail.put(uow, replace(each, next_at=next_time(rules.catalogue, uow.now)))
        today = to_vn(uow.now).date()
        at = _hour(rules.catalogue, today)
        works = rules.catalogue.calendar(each.agency).is_working_day(today)
        if works and at is not None and at <= uow.now:
            _state(uow, each, rules, home)
    return len(mailed)


def _state(uow: UnitOfWork, mailed: Mailed, rules: Rules, home: str) -> None:
    edge = rules.near_until(mailed.agency, uow.now)
    rows = agency_mail.matters(uow.connection, mailed.agency, edge)
    paused_at = webhooks.paused_since(uow.connection, mailed.agency)
    expired = agency_mail.expired(uow.connection, mailed.agency)
    if not rows and paused_at is None and not expired:
        return
    asked = [row for row in rows if row.wish is not None]
    running = [row for row in rows if row.wish is None]
    overdue = sum(row.due_at <= uow.now for row in running)
    uow.record(
        AgencyReminded(
            agency=mailed.agency,
            name=rules.catalogue.agency(mailed.agency).name,
            addresses=mailed.addresses,
            overdue=overdue,
            near=len(running) - overdue,
            undecided=len(asked),
            tasks=tuple(_named(row, rules) for row in rows[:MOST_NAMED]),
            link=f"{home}{_LIST}" if home else None,
            webhook_paused_at=paused_at,
            expired=expired or None,
            reminded_at=uow.now,
        )
    )


def _named(row: Any, rules: Rules) -> NearTask:
    plan = rules.plan(row.procedure, row.version)
    step = None if plan is None else plan.step(row.step)
    return NearTask(
        task=row.id,
        dossier=row.dossier,
        procedure=ProcedureName(code=row.procedure, name=row.procedure_name),
        step=Step(code=row.step, name=row.step if step is None else step.name),
        due_at=row.due_at,
        undecided=row.wish is not None,
    )
