"""Request bodies as commands; and what can be read of a body that is wrong in places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.domain.contacts import FIRST, LANGUAGES, ContactInput
from services.intake.domain.forms import MOST_COPIES, PaperCount
from services.intake.domain.submission import SubmitDossier

_REPRESENTATIVE = ("name", "phone", "email", "authority")
#: Stands for a paper that cannot be read, so that the ones after it keep their places.
_UNREADABLE = PaperCount(None, 0, 0, "?")


def submission(office: str, body: Mapping[str, Any]) -> SubmitDossier:
    """The command that a request body is."""
    return SubmitDossier(
        office=office,
        procedure=body["procedure"],
        channel=body["channel"],
        form=body["form"],
        papers=paper_counts(body["papers"]),
        branches=None if body["branches"] is None else tuple(body["branches"]),
        contact=contact_input(body["contact"]),
        parties=party_inputs(body["parties"]),
    )


def contact_input(contact: Mapping[str, Any]) -> ContactInput:
    """The contact of a request body."""
    consent = contact["consent"] or {"sms": False, "email": False}
    return ContactInput(
        name=contact["name"],
        phone=contact["phone"],
        email=contact["email"],
        language=contact["language"],
        sms=consent["sms"],
        mail=consent["email"],
        address=contact["address"],
        first=contact["first"],
        **{f"rep_{part}": text for part, text in (contact.get("representative") or {}).items()},
    )


def party_inputs(parties: Mapping[str, Mapping[str, Any]]) -> dict[str, ContactInput]:
    """Those beside the applicant of a request body, by role."""
    return {role: contact_input(contact) for role, contact in parties.items()}


def paper_counts(papers: Sequence[Mapping[str, Any]]) -> tuple[PaperCount, ...]:
    """Papers of a request body."""
    return tuple(PaperCount(p["code"], p["original"], p["copy"], p["name"]) for p in papers)


# --- a body with faults: each part that is of the right kind as it is, the others as left out ---


def readable(office: str, raw: Any) -> SubmitDossier:
    """As much of a submission as can be read; the schema has told what cannot."""
    body = mapping(raw)
    branches = body.get("branches")
    chosen = isinstance(branches, list) and all(isinstance(each, str) for each in branches)
    return SubmitDossier(
        office=office,
        procedure=_text(body.get("procedure")) or "",
        channel=_text(body.get("channel")) or "",
        form=mapping(body.get("form")),
        papers=readable_papers(body.get("papers")),
        branches=tuple(branches) if chosen and branches is not None else None,
        contact=_readable_contact(mapping(body.get("contact"))),
        parties={
            role: _readable_contact(mapping(each))
            for role, each in mapping(body.get("parties")).items()
        },
    )


def _readable_contact(raw: Mapping[str, Any]) -> ContactInput:
    consent = mapping(raw.get("consent"))
    language, first = raw.get("language"), raw.get("first")
    rep = mapping(raw.get("representative"))
    return ContactInput(
        name=_text(raw.get("name")),
        phone=_text(raw.get("phone")),
        email=_text(raw.get("email")),
        language=language if isinstance(language, str) and language in LANGUAGES else "vi",
        sms=consent.get("sms") is True,
        mail=consent.get("email") is True,
        address=_text(raw.get("address")),
        first=first if first in FIRST else None,
        **{f"rep_{part}": _text(rep.get(part)) for part in _REPRESENTATIVE},
    )


def readable_papers(raw: Any) -> tuple[PaperCount, ...]:
    """The papers in their places."""
    return tuple(_readable_paper(each) for each in raw) if isinstance(raw, list) else ()


def _readable_paper(raw: Any) -> PaperCount:
    if not isinstance(raw, Mapping):
        return _UNREADABLE
    code, name = raw.get("code"), raw.get("name")
    if not isinstance(code, str | None) or not isinstance(name, str | None):
        return _UNREADABLE
    original, copy = _count(raw.get("original", 0)), _count(raw.get("copy", 0))
    return PaperCount(code, original or 0, copy or 0, name)


def uncounted(raw: Any) -> frozenset[str]:
    """Codes of papers that are named and whose counts cannot be read."""
    papers = raw if isinstance(raw, list) else []
    return frozenset(
        paper["code"]
        for paper in papers
        if isinstance(paper, Mapping)
        and isinstance(paper.get("code"), str)
        and None in (_count(paper.get("original", 0)), _count(paper.get("copy", 0)))
    )


def mapping(raw: Any) -> Mapping[str, Any]:
    """The object itself, or an empty one for anything else."""
    return raw if isinstance(raw, dict) else {}


def _text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) else None


def _count(raw: Any) -> int | None:
    whole = type(raw) is int or (isinstance(raw, float) and raw.is_integer())
    return int(raw) if whole and 0 <= raw <= MOST_COPIES else None
