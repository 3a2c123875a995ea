"""How the citizen can be reached, and what the citizen agreed to; email-validator is fenced here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, cast, get_args

from email_validator import EmailNotValidError, validate_email

from services.intake.domain.dossier import Contact, Dossier, Language, Representative
from services.intake.domain.texts import check_name, check_text
from shared.catalogue import Procedure
from shared.events.intake import ContactGiven, PartyGiven
from shared.events.parts import Consent
from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import tidy
from shared.kernel.phones import Phone, normalise_phone

LANGUAGES: tuple[Language, ...] = get_args(Language)
LONGEST_ADDRESS: Final = 300
LONGEST_PAPER: Final = 200
_REP: Final = "contact.representative"
First = Literal["sms", "email"]
#: The ways of telling that a citizen may want first.
FIRST: Final[tuple[First, ...]] = get_args(First)


@dataclass(frozen=True, slots=True)
class ContactInput:
    """A contact as it was typed."""

    name: str | None = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    language: str = "vi"
    sms: bool = False
    mail: bool = False
    address: str | None = field(default=None, repr=False)
    first: str | None = None
    rep_name: str | None = field(default=None, repr=False)
    rep_phone: str | None = field(default=None, repr=False)
    rep_email: str | None = field(default=None, repr=False)
    rep_authority: str | None = field(default=None, repr=False)

    @property
    def represented(self) -> bool:
        """Whether anything is said of somebody who is told in the applicant's place."""
        said = (self.rep_name, self.rep_phone, self.rep_email, self.rep_authority)
        return any(each and tidy(each) for each in said)


def check_contact(raw: ContactInput, faults: list[Fault], at: str = "contact") -> Contact | None:
    """The contact with phone and e-mail normalised, or None with every fault noted at its place."""
    before = len(faults)
    name = check_name(raw.name, f"{at}.name", faults, longest=200)
    phone = _phone(raw.phone, faults, f"{at}.phone")
    email = _email(raw.email, faults, f"{at}.email")
    told, representative = phone, None
    if raw.represented:
        told = _phone(raw.rep_phone, faults, f"{_REP}.phone")
        representative = _representative(raw, told, faults)
    address = check_text(
        raw.address, f"{at}.address", faults, longest=LONGEST_ADDRESS, required=False
    )
    if raw.language not in LANGUAGES:
        faults.append(
            Fault(f"{at}.language", "Chọn tiếng Việt hoặc tiếng Anh.", "must be vi or en")
        )
    _check_consent(raw, told, faults, f"{at}.consent")
    first = (raw.first or "").strip() or None
    if first not in (None, *FIRST):
        faults.append(
            Fault(f"{at}.first", "Chọn SMS hoặc thư điện tử.", "must be sms, email or nothing")
        )
    if name is None or len(faults) > before:
        return None
    return Contact(
        name=name,
        phone=phone.e164 if phone else None,
        phone_original=phone.original if phone else None,
        email=email,
        language=cast("Language", raw.language),
        sms=raw.sms,
        mail=raw.mail,
        address=" ".join(address.split()) if address else None,
        first=cast("First | None", first),
        representative=representative,
    )


def _representative(
    raw: ContactInput, phone: Phone | None, faults: list[Fault]
) -> Representative | None:
    """Who is told in the applicant's place: by name, by a paper, and by a way that reaches them."""
    name = check_name(raw.rep_name, f"{_REP}.name", faults, longest=200)
    authority = check_text(raw.rep_authority, f"{_REP}.authority", faults, longest=LONGEST_PAPER)
    email = _email(raw.rep_email, faults, f"{_REP}.email")
    if not (raw.rep_phone and tidy(raw.rep_phone)) and not (raw.rep_email and tidy(raw.rep_email)):
        faults.append(
            Fault(
                f"{_REP}.phone",
                "Ghi số điện thoại hoặc thư điện tử của người được ủy quyền.",
                "give the representative's phone or e-mail",
            )
        )
    if name is None or authority is None:
        return None
    return Representative(
        name=name,
        authority=authority,
        phone=phone.e164 if phone else None,
        phone_original=phone.original if phone else None,
        email=email,
    )


def _phone(raw: str | None, faults: list[Fault], place: str) -> Phone | None:
    text = check_text(raw, place, faults, longest=40, required=False)
    if text is None:
        return None
    try:
        return normalise_phone(text, place=place)
    except InvalidInput as wrong:
        faults.extend(wrong.faults)
        return None


def _email(raw: str | None, faults: list[Fault], place: str) -> str | None:
    text = check_text(raw, place, faults, longest=254, required=False)
    if text is None:
        return None
    try:
        # A local part outside ASCII needs SMTPUTF8, which most mail servers still refuse.
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        faults.append(
            Fault(
                place,
                "Thư điện tử không đúng (phần trước @ chỉ dùng chữ không dấu).",
                "not a usable e-mail address (plain ASCII before the @)",
            )
        )
        return None
    return found.ascii_email or found.normalized


def _check_consent(raw: ContactInput, phone: Phone | None, faults: list[Fault], place: str) -> None:
    number, mailbox = (raw.rep_phone, raw.rep_email) if raw.represented else (raw.phone, raw.email)
    if raw.sms and not (number and tidy(number)):
        faults.append(
            Fault(f"{place}.sms", "Đồng ý nhận SMS thì phải có số điện thoại.", "needs a phone")
        )
    if raw.sms and phone is not None and not phone.takes_sms:
        faults.append(
            Fault(
                f"{place}.sms",
                "Số này không nhận được SMS; hãy ghi số di động.",
                "this line takes no SMS; a mobile number is needed",
            )
        )
    if raw.mail and not (mailbox and tidy(mailbox)):
        faults.append(
            Fault(f"{place}.email", "Đồng ý nhận thư thì phải có địa chỉ.", "needs an address")
        )


def check_parties(
    procedure: Procedure, raw: Mapping[str, ContactInput], faults: list[Fault]
) -> dict[str, Contact]:
    """Who else is told, by role; whoever nothing was written of is not."""
    known = [party.code for party in procedure.parties]
    for role in sorted(raw.keys() - set(known)):
        said = ", ".join(known) or "-"
        place = f"parties.{role[:60]}"
        faults.append(Fault(place, f"Chỉ có: {said}.", f"only these are told: {said}"))
    found = {}
    for role in known:
        typed = raw.get(role)
        if typed is None or not _written(typed):
            continue
        contact = check_contact(typed, faults, f"parties.{role}")
        if contact is not None:
            found[role] = contact
    return found


def _written(typed: ContactInput) -> bool:
    texts = (typed.name, typed.phone, typed.email)
    return typed.sms or typed.mail or any(text is not None and tidy(text) for text in texts)


def parties_given(dossier: Dossier, procedure: Procedure, now: datetime) -> tuple[PartyGiven, ...]:
    """What the notifier is told of each; stated before the applicant's own contact."""
    held = dossier.contact.parties
    return tuple(
        PartyGiven(
            dossier=dossier.code,
            role=party.code,
            name=contact.name,
            phone=contact.phone,
            email=contact.email,
            language=contact.language,
            consent=Consent(sms=contact.sms, email=contact.mail),
            told=party.told,
            given_at=now,
            first=contact.first,
        )
        for party in procedure.parties
        if (contact := held.get(party.code)) is not None
    )


def addresses_of(raw: ContactInput) -> dict[str, str]:
    """By which number (E.164) and mailbox somebody would be told, as far as readable, by place."""
    before, phone, email = (
        (_REP, raw.rep_phone, raw.rep_email)
        if raw.represented
        else ("contact", raw.phone, raw.email)
    )
    number, mailbox = _phone(phone, [], ""), _email(email, [], "")
    found = {f"{before}.phone": number and number.e164, f"{before}.email": mailbox}
    return {place: to for place, to in found.items() if to}


def contact_given(dossier: Dossier, now: datetime) -> ContactGiven:
    """What the notifier, and it alone, is told."""
    contact = dossier.contact
    told = contact.told
    return ContactGiven(
        dossier=dossier.code,
        name=contact.name,
        phone=told.phone,
        email=told.email,
        language=contact.language,
        consent=Consent(sms=contact.sms, email=contact.mail),
        lookup_word=dossier.lookup_word,
        given_at=now,
        first=contact.first,
        representative=contact.representative.name if contact.representative else None,
    )
