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
from shared.catalogue.model import AnsweringRule, TellingRule, Template
from shared.catalogue.moments import PARTY_VALUES, party_moment
from shared.catalogue.render import Rendered, Room, marked, render, render_sms, room_for_mark
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
        self.catalogue = catalogue
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
        return self.catalogue.answering_rule(to_vn(at).date())

    def write(
        self, message: Message, notice: Notice, contact: ContactGiven, to: Address
    ) -> Message:
        """The message with its text for this way; it goes nowhere yet.

        By the version of the words that is in force on the local day of its event.
        """
        moment = party_moment(message.party, message.moment) if message.party else message.moment
        template = self._template(moment, to.channel, contact.language, notice.local_day)
        text = self.text(template, notice, contact, mark_of(message.id))
        segments = sms_segments(text.body) if to.channel == SMS else None
        return replace(
            message,
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

    def text(
        self, template: Template, notice: Notice, contact: ContactGiven, code: str
    ) -> Rendered:
        """These words filled in; an SMS with its short code behind it, all within its parts."""
        language, moment = template.language, template.moment.rpartition(".")[2]
        told = self._told_date(moment, notice)
        notice = replace(notice, case=replace(notice.case, due_at=told))
        values = dict(values_for(notice, contact, template.channel))
        if moment != template.moment:  # a second party's: nothing of the applicant's beyond these
            values = {name: value for name, value in values.items() if name in PARTY_VALUES}
        if moment == APOLOGY and not values.get("due"):
            values["due"] = _READY[language]  # it comes with the result itself
        behalf = self._on_behalf(contact, template.channel, language, notice.made_at)
        if template.channel != SMS:
            return _introduced(render(template, values), behalf)
        mark = self.answering(notice.made_at).mark
        parts = self.rule(notice.made_at).parts.get(moment, 1)
        body = render(template, values, Room(parts, room_for_mark(mark, language))).body
        # What nothing makes short enough (a name of an agency that is gone) goes without them.
        room = max(parts, sms_segments(body).parts)
        for text in (body if behalf is None else _behind(body, behalf), body):
            longer = text if mark is None else marked(text, mark, code, language)
            if sms_segments(longer).parts <= room:
                return Rendered(None, longer)
        return Rendered(None, body)

    def _on_behalf(
        self, contact: ContactGiven, channel: str, language: str, at: datetime
    ) -> str | None:
        """With whose dossier it is, where another is told in the applicant's place."""
        words = self.rule(at).on_behalf.get(channel)
        if contact.representative is None or words is None:
            return None
        said = words.en if language == "en" else words.vi
        if channel == SMS:
            return render_sms(said, {"name": contact.name})
        return said.replace("{name}", contact.name)

    def _told_date(self, moment: str, notice: Notice) -> datetime | None:
        """The date that a text may name: one to come, and none that is given on a day without any.

        An apology's date is new and is always told.
        """
        due_at, made_at = notice.case.due_at, notice.made_at
        if due_at is None or due_at <= made_at:
            return None
        if moment != APOLOGY and self._without_appointment(notice.case.office, made_at):
            return None
        return due_at

    def _without_appointment(self, office: str, at: datetime) -> bool:
        known = self._agency(office) is not None
        return known and self.catalogue.no_appointment(office, to_vn(at).date())

    def _place(self, case: Case) -> Place:
        office = self._agency(case.office)
        if office is None:
            return Place(case.office_name, case.office_name, "", "")
        return Place(case.office_name, office.short_name, office.address, office.hotline)

    def _agency(self, code: str) -> Agency | None:
        try:
            return self.catalogue.agency(code) if code else None
        except NotFound:
            # A dossier keeps its agencies' names in its events; the catalogue may have moved on.
            return None


def _behind(body: str, more: str) -> str:
    stop = "" if body.endswith((".", "!", "?")) else "."
    return f"{body}{stop} {more}"


def _introduced(text: Rendered, behalf: str | None) -> Rendered:
    """A letter with these words behind its salutation."""
    if behalf is None:
        return text
    first, gap, rest = text.body.partition("\n\n")
    body = f"{first}\n\n{behalf}\n\n{rest}" if gap else f"{behalf}\n\n{text.body}"
    return replace(text, body=body)
