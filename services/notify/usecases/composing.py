"""Making the texts: the remembered case, the catalogue's templates and places, one contact."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from services.notify.domain.cases import Case
from services.notify.domain.contacts import SMS, Address, Contact
from services.notify.domain.messages import Message
from services.notify.domain.news import News
from services.notify.domain.states import State
from services.notify.domain.values import Place, Subject, values_for
from shared.catalogue import Agency, Catalogue, Template
from shared.catalogue.render import render
from shared.kernel.clock import to_vn
from shared.kernel.errors import LienThongError, NotFound
from shared.kernel.text import sms_segments


class UnknownDossier(LienThongError):
    """News of a dossier of which nothing was ever learnt; it may come yet."""

    default_vi = "Chưa có thông tin về hồ sơ này."


class Composer:
    """Fills the catalogue's templates; built once, holds no state of any unit."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._template = lru_cache(maxsize=1024)(catalogue.template)

    def subject(self, news: News, case: Case) -> Subject:
        """What all texts of this news draw on; `UnknownDossier` when the case says nothing."""
        if not case.procedure_name:
            raise UnknownDossier(f"nothing is known of the dossier of this {news.name}")
        named = news.data.get("agency")
        agency = named if isinstance(named, dict) else {}
        name = str(agency.get("name") or "")
        known = self._agency(str(agency.get("code") or ""))
        short = known.short_name if known else name
        return Subject(news, case, self._place(case), name, short)

    def write(
        self,
        message: Message,
        subject: Subject,
        contact: Contact,
        to: Address,
        *,
        message_id: str,
        now: datetime,
    ) -> Message:
        """The message with its text for this address, under this id, ready to be sent now."""
        on = to_vn(subject.news.made_at).date()
        template: Template = self._template(message.moment, to.channel, contact.language, on)
        text = render(template, values_for(subject, contact, to.channel))
        segments = sms_segments(text.body) if to.channel == SMS else None
        return message.moved(
            State.QUEUED,
            now,
            id=message_id,
            next_at=now,
            channel=to.channel,
            to=to.to,
            language=contact.language,
            subject=text.subject or "",
            body=text.body,
            encoding=segments.encoding if segments else "utf-8",
            parts=segments.parts if segments else 1,
            template_version=str(template.version),
            about=None,
        )

    def _place(self, case: Case) -> Place:
        office = self._agency(case.office)
        if office is None:
            return Place(case.office_name, case.office_name, "", "")
        return Place(case.office_name, office.short_name, office.address, office.hotline)

    def _agency(self, code: str) -> Agency | None:
        try:
            return self._catalogue.agency(code) if code else None
        except NotFound:
            # A dossier keeps its agencies' names in its facts; the catalogue may have moved on.
            return None
