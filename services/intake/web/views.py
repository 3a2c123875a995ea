"""Dossiers, lists and reports as the JSON that the REST door gives; no request is read here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from services.intake.domain.circumstances import procedure_of
from services.intake.domain.correcting import version_of
from services.intake.domain.dossier import Contact, Dossier, Wait
from services.intake.domain.report import Counts
from services.intake.domain.similar import LookAlike
from services.intake.domain.statuses import Status
from services.intake.domain.waits import actions
from services.intake.storage.queries import Listed, Page
from services.intake.usecases.report import Ii06a
from shared.catalogue import Catalogue, FormField, Procedure
from shared.kernel.clock import format_instant, to_vn

Json = dict[str, Any]


def at(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC, None for nothing."""
    return None if instant is None else format_instant(instant)


def status(value: Status) -> Json:
    """Number and official name."""
    return {"number": int(value), "name": value.vi}


def summary(dossier: Dossier, catalogue: Catalogue, now: datetime) -> Json:
    """A dossier without the citizen's data."""
    procedure = procedure_of(catalogue, dossier)
    return {
        "code": dossier.code,
        "status": status(dossier.status),
        "procedure": {"code": procedure.code, "name": procedure.name},
        "procedure_version": dossier.procedure_version,
        "office": {"code": dossier.office, "name": catalogue.agency(dossier.office).name},
        "channel": dossier.channel,
        "submitted_at": at(dossier.submitted_at),
        "received_at": at(dossier.received_at),
        "promised_at": at(dossier.promised_at),
        "due_at": at(dossier.due_at),
        "paused_since": at(dossier.paused_since),
        "overdue": dossier.overdue(now),
        "finished_at": at(dossier.finished_at),
        "returned_at": at(dossier.returned_at),
        "lookup_word": dossier.lookup_word,
        "allowed": list(actions(dossier)),
    }


def whole(dossier: Dossier, catalogue: Catalogue, now: datetime) -> Json:
    """Everything that the office holds of a dossier."""
    contact = dossier.contact
    return {
        **summary(dossier, catalogue, now),
        "form": dict(dossier.form),
        "papers": msgspec.to_builtins(dossier.papers),
        "branches": list(dossier.branches),
        "contact": {
            "name": contact.name,
            "phone": contact.phone,
            "phone_original": contact.phone_original,
            "email": contact.email,
            "address": contact.address,
            "language": contact.language,
            "consent": {"sms": contact.sms, "email": contact.mail},
            "first": contact.first,
            "representative": msgspec.to_builtins(contact.representative),
        },
        "parties": {role: _party(each) for role, each in contact.parties.items()},
        "waiting_for": [_wait(w) for w in dossier.open_waits],
        "extensions": [
            {"number": e.number, "at": at(e.at), "due_at": at(e.due_at), "agency": e.agency,
             "reason": e.reason, "by": e.by}
            for e in dossier.extensions
        ],
        "ending": (
            {"reason": dossier.ending.reason, "next_step": dossier.ending.next_step}
            if dossier.ending
            else None
        ),
        "results": msgspec.to_builtins(dossier.results),
        "results_left": [each.step for each in dossier.results_left],
        "version": version_of(dossier),
        "corrections": [
            {"number": c.number, "at": at(c.at), "reason": c.reason, "overtaken": list(c.overtaken),
             "changes": [{"place": e.place, "old": e.old, "new": e.new} for e in c.changes]}
            for c in dossier.corrections
        ],
    }  # fmt: skip


def _party(contact: Contact) -> Json:
    return {
        "name": contact.name,
        "phone": contact.phone,
        "phone_original": contact.phone_original,
        "email": contact.email,
        "language": contact.language,
        "consent": {"sms": contact.sms, "email": contact.mail},
        "first": contact.first,
    }


def similar(found: Iterable[LookAlike], catalogue: Catalogue, office: str) -> list[Json]:
    """Look-alikes as an office may see them: of another's only that there is one."""
    return [
        {
            "mark": each.mark,
            "office": {"code": each.office, "name": catalogue.agency(each.office).name},
            "why": list(each.why),
            **(_own(each, catalogue) if each.office == office else {}),
        }
        for each in found
    ]


def _own(each: LookAlike, catalogue: Catalogue) -> Json:
    procedure = catalogue.procedure_version(each.procedure, each.procedure_version)
    return {
        "code": each.code,
        "procedure": {"code": procedure.code, "name": procedure.name},
        "status": status(each.status),
        "submitted_at": at(each.submitted_at),
    }


def _wait(wait: Wait) -> Json:
    return {
        "kind": wait.kind,
        "asked_by": wait.asked_by,
        "asked_at": at(wait.asked_at),
        "round": wait.round,
        "step": wait.step,
        "agency": wait.agency,
        "items": list(wait.items),
        "reason": wait.reason,
        "respond_by": at(wait.respond_by),
        "reference": wait.reference,
        "amount_vnd": wait.amount_vnd,
    }


def page(found: Page, catalogue: Catalogue, now: datetime, *, names: bool) -> Json:
    """A page of the list; without `names` the applicants stay unnamed."""
    return {
        "items": [_line(line, catalogue, now, names=names) for line in found.items],
        "total": found.total,
        "next": found.next,
    }


def _line(line: Listed, catalogue: Catalogue, now: datetime, *, names: bool) -> Json:
    procedure = catalogue.procedure_version(line.procedure, line.procedure_version)
    return {
        "code": line.code,
        "status": status(line.status),
        "procedure": {"code": procedure.code, "name": procedure.name},
        "office": line.office,
        "channel": line.channel,
        "applicant": line.applicant if names else None,
        "submitted_at": at(line.submitted_at),
        "received_at": at(line.received_at),
        "promised_at": at(line.promised_at),
        "due_at": at(line.due_at),
        "overdue": line.overdue(now),
        "finished_at": at(line.finished_at),
    }


def procedure(found: Procedure, today: date) -> Json:
    """A procedure as a form that is filled in today needs it."""
    return {
        "code": found.code,
        "version": found.version,
        "name": found.name,
        "field": found.field,
        "duration": {"value": found.duration.value, "unit": found.duration.unit},
        "channels": list(found.channels),
        "fee": {"amount_vnd": found.fee.amount_vnd, "timing": found.fee.timing,
                "note": found.fee.note},
        "form": [_field(each, today) for each in found.form],
        "papers": [
            {"code": p.code, "name": p.name, "original": p.original, "copy": p.copy,
             "condition": p.condition}
            for p in found.papers
        ],
        "branches": [
            {"code": b.code, "name": b.name, "default": b.default} for b in found.branches
        ],
        "min_branches": found.min_branches,
        "parties": [{"code": p.code, "name": p.name, "told": list(p.told)} for p in found.parties],
    }  # fmt: skip


def _field(found: FormField, today: date) -> Json:
    earliest = found.earliest(today)
    return {
        "name": found.name,
        "label": found.label,
        "type": found.type,
        "required": found.required,
        "choices": list(found.choices),
        "max_length": found.max_length,
        "not_after": found.not_after,
        "not_before": earliest and earliest.isoformat(),
        "unit": found.unit,
        "required_unless": list(found.required_unless),
        "least": found.least,
        "greatest": found.most(today),
        "decimals": found.decimals,
    }


def counts(found: Counts) -> Json:
    """One row of form II.06a."""
    return {
        "received": {
            "total": found.received_total,
            "online": found.received_online,
            "direct_postal": found.received_other,
            "carried_over": found.carried_over,
        },
        "resolved": {
            "total": found.resolved_total,
            "early": found.resolved_early,
            "on_time": found.resolved_on_time,
            "late": found.resolved_late,
        },
        "in_progress": {
            "total": found.in_progress_total,
            "in_time": found.in_progress_in_time,
            "late": found.in_progress_late,
        },
    }


def ii06a(report: Ii06a) -> Json:
    """The whole form with the days it is about."""
    return {
        "from": to_vn(report.start).date().isoformat(),
        "to": (to_vn(report.end).date() - timedelta(days=1)).isoformat(),
        "offices": [
            {
                "office": part.office,
                "name": part.name,
                "fields": [{"field": row.field, **counts(row.counts)} for row in part.rows],
                **counts(part.total),
            }
            for part in report.offices
        ],
        "total": counts(report.total),
    }
