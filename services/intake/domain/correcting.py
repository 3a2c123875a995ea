"""Mending what the desk itself wrote down wrongly, after reception and before an agency has answered.

Not here: what the citizen changes or adds (citizen.py), what agencies are told (routing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import msgspec

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.contacts import ContactInput, check_contact, contact_given
from services.intake.domain.dossier import Change, Contact, Correction, Dossier
from services.intake.domain.forms import check_form
from services.intake.domain.sizes import check_size
from services.intake.domain.texts import check_text
from services.intake.domain.waits import must_allow
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import DossierCorrected
from shared.kernel.errors import Conflict, Fault, InvalidInput

LONGEST_REASON: Final = 500
#: Corrections of one dossier; whoever needs more has not found what is wrong.
MOST_CORRECTIONS: Final = 20
_NOTHING: Final = Fault(
    "form", "Chưa sửa ô nào: giá trị mới giống giá trị đang ghi.", "nothing was corrected"
)
#: Parts of a contact as it is typed -> their places.
CONTACT_PLACES: Final[Mapping[str, str]] = {
    "name": "contact.name",
    "phone": "contact.phone",
    "email": "contact.email",
    "address": "contact.address",
    "language": "contact.language",
    "sms": "contact.consent.sms",
    "mail": "contact.consent.email",
    "first": "contact.first",
    "rep_name": "contact.representative.name",
    "rep_phone": "contact.representative.phone",
    "rep_email": "contact.representative.email",
    "rep_authority": "contact.representative.authority",
}


class ChangedMeanwhile(Conflict):
    """Somebody else changed the dossier since the caller looked at it; nothing was written."""

    default_vi = (
        "Hồ sơ vừa được người khác thay đổi. Chưa ghi gì: hãy so giá trị đang ghi với giá trị của "
        "bạn rồi lưu lại."
    )

    def __init__(self, dossier: Dossier, given: Mapping[str, Any]) -> None:
        super().__init__("the dossier has changed since you read it; nothing was written")
        now = values_of(dossier)
        self.extra = {
            "version": version_of(dossier),
            "yours": dict(given),
            "now": {place: now.get(place) for place in given},
        }


def version_of(dossier: Dossier) -> str:
    """What the contents of a dossier are known by: another as soon as any of them is another."""
    held = (sorted(values_of(dossier).items()), dossier.papers)
    return hashlib.sha256(msgspec.json.encode(held)).hexdigest()[:24]


def values_of(dossier: Dossier) -> dict[str, Any]:
    """What can be corrected, by place, as it stands."""
    contact = asdict(_typed(dossier.contact))
    held = {CONTACT_PLACES[name]: value for name, value in contact.items()}
    return held | {f"form.{name}": value for name, value in dossier.form.items()}


def correct(
    dossier: Dossier,
    around: Circumstances,
    *,
    version: str,
    reason: str,
    form: Mapping[str, Any],
    contact: Mapping[str, Any],
) -> Decision[Dossier]:
    """Put right what is given of form and contact (names of ContactInput); all else stays.

    `version` is that of the dossier which the caller saw: ChangedMeanwhile for an older one.
    """
    must_allow(dossier, "correct")
    if version != version_of(dossier):
        raise ChangedMeanwhile(dossier, _given(form, contact))
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults, longest=LONGEST_REASON) or ""
    mended = _mended(dossier, around, form, contact, faults)
    changes = _changes(values_of(dossier), values_of(mended))
    if not changes and not faults:
        faults.append(_NOTHING)
    if len(dossier.corrections) >= MOST_CORRECTIONS:
        most = MOST_CORRECTIONS
        faults.append(Fault("form", f"Đã sửa {most} lần.", f"was corrected {most} times"))
    if faults:
        raise InvalidInput(faults)
    done = Correction(len(dossier.corrections) + 1, around.now, why, changes)
    after = replace(mended, corrections=(*dossier.corrections, done))
    return Decision(after, _stated(dossier, after, done, around))


def _given(form: Mapping[str, Any], contact: Mapping[str, Any]) -> dict[str, Any]:
    told = {CONTACT_PLACES[name]: value for name, value in contact.items()}
    return told | {f"form.{name}": value for name, value in form.items()}


def _typed(held: Contact) -> ContactInput:
    """A contact as it would have been typed."""
    rep = held.representative
    return ContactInput(
        name=held.name,
        phone=held.phone_original or held.phone,
        email=held.email,
        language=held.language,
        sms=held.sms,
        mail=held.mail,
        address=held.address,
        first=held.first,
        rep_name=rep.name if rep else None,
        rep_phone=(rep.phone_original or rep.phone) if rep else None,
        rep_email=rep.email if rep else None,
        rep_authority=rep.authority if rep else None,
    )


def _mended(
    dossier: Dossier,
    around: Circumstances,
    form: Mapping[str, Any],
    contact: Mapping[str, Any],
    faults: list[Fault],
) -> Dossier:
    """The dossier with what is given in it, or as it was where that is wrong."""
    there = {*dossier.form, *(paper.code for paper in dossier.papers)}
    asked = around.procedure(dossier).form
    given = check_form(asked, form, faults, partial=True, today=around.today, there=there)
    held = dossier.form
    # A tick that was not there and is not set now says nothing.
    said = {n: v for n, v in given.items() if not (v is False and n not in held)}
    whole = {n: value for n, value in {**held, **said}.items() if value is not None}
    check_size(whole, dossier.papers, faults)
    checked = (
        check_contact(replace(_typed(dossier.contact), **contact), faults)
        if contact
        else dossier.contact
    )
    return (
        dossier if faults else replace(dossier, form=whole).reached_at(checked or dossier.contact)
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs, in the order in which it stands."""
    places = [*before, *(place for place in after if place not in before)]
    return tuple(
        Change(place, before.get(place), after.get(place))
        for place in places
        if before.get(place) != after.get(place)
    )


def _stated(
    before: Dossier, after: Dossier, done: Correction, around: Circumstances
) -> tuple[Event, ...]:
    shared = around.procedure(after).shared
    names = [c.place.removeprefix("form.") for c in done.changes if c.place.startswith("form.")]
    corrected = DossierCorrected(
        dossier=after.code,
        number=done.number,
        mended=len(done.changes),
        form=shared({name: after.form.get(name) for name in names}),
        form_after=shared(after.form),
        corrected_at=around.now,
    )
    contact = contact_given(after, around.now)
    told = contact != contact_given(before, around.now)
    return (corrected, contact) if told else (corrected,)
