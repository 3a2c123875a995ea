"""A text before it is sent to anybody: filled in with what is made up, or with what is known.

Nothing here is kept, and nothing is a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from services.notify.domain.cases import Case
from services.notify.domain.composing import Composer
from services.notify.domain.contacts import SMS
from services.notify.domain.moments import Details
from services.notify.domain.spending import midnight
from services.notify.domain.values import Notice
from shared.catalogue import Agency as Place
from shared.catalogue import Catalogue, Procedure
from shared.catalogue.model import Language, Template
from shared.catalogue.render import MARK_LENGTH
from shared.events.intake import ContactGiven
from shared.events.parts import Agency, Consent
from shared.kernel.errors import NotFound
from shared.kernel.text import sms_segments

#: As long as the code of any message.
CODE: Final = "K7M2P"[:MARK_LENGTH]
_TYPED: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "vi": (
        "thiếu bản sao giấy chứng sinh",
        "nộp bổ sung tại nơi đã nộp hồ sơ",
        ("Giấy chứng sinh", "Tờ khai có chữ ký"),
    ),
    "en": (
        "the birth paper is missing",
        "bring it to the office where you filed",
        ("Giấy chứng sinh", "Tờ khai có chữ ký"),
    ),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a text is filled in with."""

    notice: Notice
    contact: ContactGiven


@dataclass(frozen=True, slots=True)
class Preview:
    """A text, how it travels, and what it costs on the day of its event; VND."""

    template: Template
    subject: str
    body: str = field(repr=False)
    encoding: str
    characters: int
    parts: int
    vnd: int | None


def made_up(composer: Composer, language: Language, on: date) -> Known:
    """An invented dossier of that day, at the first office that takes its procedure."""
    procedure, office = _taken(composer.catalogue, on)
    at = midnight(on) + timedelta(hours=9, minutes=30)
    case = Case(
        dossier=f"{office.official_id}-{on:%y%m%d}-0001",
        procedure=procedure.code,
        procedure_name=procedure.name,
        short_name=procedure.short_name,
        office=office.code,
        office_name=office.name,
        due_at=at + timedelta(days=10),
    )
    contact = ContactGiven(
        dossier=case.dossier,
        name="Nguyễn Thị Đào",
        language=language,
        consent=Consent(sms=True, email=True),
        lookup_word="K7M2QX",
        given_at=at,
    )
    others = (a for a in composer.catalogue.agencies(on) if not a.is_office and not a.check)
    details = _details(next(others, office), procedure.steps[0].name, language, at)
    return Known(composer.notice(case, at, details), contact)


def _taken(book: Catalogue, on: date) -> tuple[Procedure, Place]:
    for procedure in book.procedures(on):
        for office in book.offices(on):
            if book.office_handles(office.code, procedure, on):
                return procedure, office
    raise NotFound(
        f"no office takes anything on {on}", vi=f"Ngày {on:%d/%m/%Y} không nơi nào nhận hồ sơ."
    )


def _details(asking: Place, step: str, language: Language, at: datetime) -> Details:
    """All that an event can say, whichever it is."""
    reason, next_step, items = _TYPED[language]
    return Details(
        agency=Agency(code=asking.code, name=asking.name),
        reason=reason,
        next_step=next_step,
        items=items,
        respond_by=at + timedelta(days=5),
        amount_vnd=1_250_000,
        step=step,
        replaces="TB-12/2026",
        carrier="VNPost",
        waybill="EE123456789VN",
        otp="482913",
    )


def previewed(composer: Composer, template: Template, known: Known) -> Preview:
    """The text as its reader would see it."""
    on = known.notice.local_day
    made = composer.text(template, known.notice, known.contact, CODE)
    size = sms_segments(made.body) if template.channel == SMS else None
    parts = size.parts if size else 1
    price = composer.catalogue.cost_rule(on).vnd_per_part.get(template.channel)
    return Preview(
        template=template,
        subject=made.subject or "",
        body=made.body,
        encoding=size.encoding if size else "utf-8",
        characters=size.units if size else len(made.body),
        parts=parts,
        vnd=None if price is None else price * parts,
    )


@dataclass(slots=True)
class Compared:
    """What two versions would have cost of the same messages; parts and VND.

    Of `untold` the words' values are gone (erased, or cleared with the ledger): they are not counted.
    """

    same: int = 0
    more: int = 0
    less: int = 0
    untold: int = 0
    parts: list[int] = field(default_factory=lambda: [0, 0])
    vnd: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, both: Sequence[Preview]) -> None:
        """One message more."""
        old, new = both
        for place, each in enumerate(both):
            self.parts[place] += each.parts
            self.vnd[place] += each.vnd or 0
        self.more += new.parts > old.parts
        self.less += new.parts < old.parts
        self.same += new.parts == old.parts
