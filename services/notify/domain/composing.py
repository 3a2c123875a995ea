"""Making the texts: the remembered case, the catalogue's templates and places, one contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from services.notify.domain.cases import Case
from services.notify.domain.contacts import SMS, Address
from services.notify.domain.incoming import mark_of
from services.notify.domain.messages import Message
from services.notify.domain.moments import Details
from services.notify.domain.values import Notice, Place, values_for
from shared.catalogue import Agency, Catalogue
from shared.catalogue.model import AnsweringRule, TellingRule
from shared.catalogue.moments import PARTY_VALUES, party_moment
from shared.catalogue.render import render, render_sms
from shared.events.intake import ContactGiven
from shared.kernel.clock import to_vn
from shared.kernel.errors import LienThongError, NotFound
from shared.kernel.text import sms_segments

#: The moment whose text is about a new date.
APOLOGY: Final = "extended"
_READY: Final = {"vi": "đã có kết quả", "en": "the result is here"}


class UnknownDossier(LienThongError):
    """An event of a dossier of which nothing was ever learnt; it may come yet."""

    default_vi = "Chưa có thông tin về hồ sơ này."


class Composer:
    """Fills the catalogue's templates; built once, holds no state of any unit."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._template = lru_cache(maxsize=1024)(catalogue.template)
        self._rule = lru_cache(maxsize=64)(catalogue.telling_rule)

    def notice(self, case: Case, made_at: datetime, details: Details) -> Notice:
        """What all texts of one event draw on; `UnknownDossier` when the case says nothing."""
        if not case.procedure_name:
            raise UnknownDossier("nothing is known of the dossier of this event")
        asking = details.agency
        name = asking.name if asking else ""
        known = self._agency(asking.code) if asking else None
        short = known.short_name if known else name
        return Notice(case, made_at, details, self._place(case), name, short)

    def rule(self, at: datetime) -> TellingRule:
        """How citizens are told at this instant."""
        return self._rule(to_vn(at).date())

    def answering(self, at: datetime) -> AnsweringRule:
        """What citizens may say by SMS at this instant."""
        return self._catalogue.answering_rule(to_vn(at).date())

    def write(
        self, message: Message, notice: Notice, contact: ContactGiven, to: Address
    ) -> Message:
        """The message with its text for this way; it goes nowhere yet."""
        on = to_vn(notice.made_at).date()
        notice = replace(notice, case=replace(notice.case, due_at=self._told_date(message, notice)))
        moment = party_moment(message.party, message.moment) if message.party else message.moment
        template = self._template(moment, to.channel, contact.language, on)
        values = dict(values_for(notice, contact, to.channel))
        if message.party:  # nothing of the applicant's beyond what any template of theirs may hold
            values = {name: value for name, value in values.items() if name in PARTY_VALUES}
        if message.moment == APOLOGY and not values.get("due"):
            values["due"] = _READY[contact.language]  # it comes with the result itself
        text = render(template, values)
        body = self._on_behalf(text.body, contact, to.channel, notice.made_at)
        if to.channel == SMS:
            body = self._marked(body, message, contact.language)
        segments = sms_segments(body) if to.channel == SMS else None
        return replace(
            message,
            channel=to.channel,
            to=to.to,
            language=contact.language,
            subject=text.subject or "",
            body=body,
            encoding=segments.encoding if segments else "utf-8",
            parts=segments.parts if segments else 1,
            template_version=str(template.version),
            about=None,
        )

    def _on_behalf(self, body: str, contact: ContactGiven, channel: str, at: datetime) -> str:
        """With whose dossier it is, where another is told: behind the salutation, or where room is."""
        words = self.rule(at).on_behalf.get(channel)
        if contact.representative is None or words is None:
            return body
        said = words.en if contact.language == "en" else words.vi
        if channel == SMS:
            return _behind(body, render_sms(said, {"name": contact.name}))
        first, gap, rest = body.partition("\n\n")
        about = said.replace("{name}", contact.name)
        return f"{first}\n\n{about}\n\n{rest}" if gap else f"{about}\n\n{body}"

    def _marked(self, body: str, message: Message, language: str) -> str:
        """With the message's short code behind it, where there is room within its one part."""
        mark = self.answering(message.made_at).mark
        if mark is None:
            return body
        said = mark.en if language == "en" else mark.vi
        return _behind(body, render_sms(said, {"mark": mark_of(message.id)}))

    def _told_date(self, message: Message, notice: Notice) -> datetime | None:
        """The date that a text may name: one to come, and none that is given on a day without any.

        An apology's date is new and is always told.
        """
        due_at, made_at = notice.case.due_at, notice.made_at
        if due_at is None or due_at <= made_at:
            return None
        if message.moment != APOLOGY and self._without_appointment(notice.case.office, made_at):
            return None
        return due_at

    def _without_appointment(self, office: str, at: datetime) -> bool:
        known = self._agency(office) is not None
        return known and self._catalogue.no_appointment(office, to_vn(at).date())

    def _place(self, case: Case) -> Place:
        office = self._agency(case.office)
        if office is None:
            return Place(case.office_name, case.office_name, "", "")
        return Place(case.office_name, office.short_name, office.address, office.hotline)

    def _agency(self, code: str) -> Agency | None:
        try:
            return self._catalogue.agency(code) if code else None
        except NotFound:
            # A dossier keeps its agencies' names in its events; the catalogue may have moved on.
            return None


def _behind(body: str, more: str) -> str:
    """An SMS with more words behind it, where it has no more parts by them."""
    stop = "" if body.endswith((".", "!", "?")) else "."
    longer = f"{body}{stop} {more}"
    return longer if sms_segments(longer).parts == sms_segments(body).parts else body
