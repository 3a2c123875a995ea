"""The dossier and its parts as frozen data; what may be done with it is in the sibling modules."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from services.intake.domain.lateness import late
from services.intake.domain.statuses import Status, move
from shared.events.parts import Paper, StepResult
from shared.events.types import Channel
from shared.kernel.text import msgid

Language = Literal["vi", "en"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
CHANNELS_VI: Mapping[str, str] = {
    "direct": msgid("trực tiếp"),
    "online": msgid("trực tuyến"),
    "postal": msgid("qua bưu chính"),
}


@dataclass(frozen=True, slots=True)
class Representative:
    """Who is told in the applicant's place, and by which paper (its number, its day)."""

    name: str = dataclasses.field(repr=False)
    authority: str = dataclasses.field(repr=False)
    phone: str | None = dataclasses.field(default=None, repr=False)
    phone_original: str | None = dataclasses.field(default=None, repr=False)
    email: str | None = dataclasses.field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the citizen; personal, so never shown by repr. Phone is E.164.

    Where there is a representative, language, consents and `first` are what that person wants.
    """

    name: str = dataclasses.field(repr=False)
    phone: str | None = dataclasses.field(default=None, repr=False)
    phone_original: str | None = dataclasses.field(default=None, repr=False)
    email: str | None = dataclasses.field(default=None, repr=False)
    language: Language = "vi"
    sms: bool = False
    mail: bool = False
    #: Where the person lives, as it stands on the papers; nobody but the desk is told.
    address: str | None = dataclasses.field(default=None, repr=False)
    #: Which way of telling the citizen wants first; None: no matter.
    first: Literal["sms", "email"] | None = None
    #: Who else is told, by their role in the procedure; theirs have no parties.
    parties: Mapping[str, Contact] = dataclasses.field(default_factory=dict, repr=False)
    representative: Representative | None = dataclasses.field(default=None, repr=False)

    @property
    def told(self) -> Contact | Representative:
        """Who is told: by this number and this mailbox."""
        return self.representative or self


@dataclass(frozen=True, slots=True)
class Wait:
    """Something awaited from the citizen: papers (a numbered round) or a payment (of a step)."""

    kind: Literal["supplement", "payment"]
    asked_by: Literal["desk", "routing"]
    asked_at: datetime
    stops_clock: bool
    round: int | None = None
    step: str | None = None
    agency: str | None = None
    items: tuple[str, ...] = ()
    reason: str | None = None
    respond_by: datetime | None = None
    #: When time alone does something about it: see expiry.py. None: never, or done.
    remind_at: datetime | None = None
    lapse_at: datetime | None = None
    reference: str | None = None
    amount_vnd: int | None = None
    #: None while open; `answered` says whether the citizen did it or it fell away.
    closed_at: datetime | None = None
    answered: bool = False
    #: Why nobody waits for it any more, where it fell away unanswered.
    dropped: str | None = None
    proof: str | None = None

    @property
    def open(self) -> bool:
        """True while the citizen has not answered and nobody has called it off."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch of time that does not count, with the dates that held when it was over.

    `due_after` follows extensions too, `adjusted_due_after` only the lawful pauses.
    """

    since: datetime
    restart: bool = False
    until: datetime | None = None
    due_after: datetime | None = None
    adjusted_due_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockStop:
    """A step that the law does not count is open at an agency; the clock stands since then."""

    since: datetime
    step: str
    agency: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A new date with an apology; it is added, the first promise stays."""

    number: int
    at: datetime
    due_at: datetime
    agency: str
    reason: str
    #: Who named it, and the date that was missed before it; None where it was asked for in time.
    by: Literal["agency", "head", "clock"] = "agency"
    missed_at: datetime | None = None

    @property
    def gives_time(self) -> bool:
        """False for an apology that came with the result itself."""
        return self.due_at > self.at


@dataclass(frozen=True, slots=True)
class TimeAsked:
    """An agency asks for more time for its step (a task); the head has not decided yet.

    `due_at` is the step's date; `new_due_at` what the citizen would be told, if anything.
    """

    task: str
    step: str
    agency: str
    until: datetime
    reason: str
    at: datetime
    due_at: datetime | None = None
    new_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """A promised date that has passed, with what the apology for it will say.

    `apology_at`: when the city apologises by itself, with about `new_due_at`.
    """

    due_at: datetime
    agency: str
    cause: str
    new_due_at: datetime | None = None
    apology_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was mended; its place as faults name it, `form.birth_date`. Personal."""

    place: str
    old: Any = dataclasses.field(repr=False)
    new: Any = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class Correction:
    """What the desk mended after reception, and why; who did it, the timeline knows.

    `overtaken`: names of agencies that had already answered on what it mended.
    """

    number: int
    at: datetime
    reason: str = dataclasses.field(repr=False)
    changes: tuple[Change, ...]
    overtaken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handed:
    """Results that left the desk together: those of these steps, to whom or by which way.

    `name` is the representative's, whose identity was checked as the applicant's is.
    """

    at: datetime
    method: str
    steps: tuple[str, ...] = ()
    taker: str | None = None
    name: str | None = dataclasses.field(default=None, repr=False)
    carrier: str | None = None
    waybill: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody has to call the citizen about this moment; `words` are what to say.

    `id` names it to notify, which asked for it; None for one of the version before.
    """

    moment: str
    since: datetime
    id: str | None = None
    words: str | None = None
    tries: int = 0
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Until `at` it was `office`'s; by which reorganisation that changed."""

    office: str
    at: datetime
    plan: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a dossier ended without its result, and what the citizen can do next."""

    reason: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """One citizen's matter at one office; instants are aware UTC.

    `underlying` is the status that holds when nothing is awaited from the citizen.
    `promised_at` is set once at reception. `due_at` is the date in force now, `adjusted_due_at` the
    promise moved by lawful pauses alone, by which the office is judged.
    """

    code: str
    procedure: str
    procedure_version: int
    field: str
    office: str
    channel: Channel
    status: Status
    underlying: Status
    submitted_at: datetime
    contact: Contact = dataclasses.field(repr=False)
    lookup_word: str = dataclasses.field(repr=False)
    form: Mapping[str, Any] = dataclasses.field(repr=False)
    papers: tuple[Paper, ...] = ()
    branches: tuple[str, ...] = ()
    received_at: datetime | None = None
    promised_at: datetime | None = None
    due_at: datetime | None = None
    adjusted_due_at: datetime | None = None
    finished_at: datetime | None = None
    returned_at: datetime | None = None
    #: Since when somebody has to call the citizen: a message that matters reached nobody.
    call_since: datetime | None = None
    calls: tuple[Call, ...] = ()
    #: Ways (sms, email) by which nothing arrives, as far as notify or a call has told.
    bounced: tuple[str, ...] = ()
    #: Ways by which the citizen wants nothing sent.
    opted_out: tuple[str, ...] = ()
    waits: tuple[Wait, ...] = ()
    pauses: tuple[Pause, ...] = ()
    clock_stop: ClockStop | None = None
    extensions: tuple[Extension, ...] = ()
    missed: Missed | None = None
    time_asked: tuple[TimeAsked, ...] = ()
    ending: Ending | None = None
    results: tuple[StepResult, ...] = ()
    handed: tuple[Handed, ...] = ()
    corrections: tuple[Correction, ...] = ()
    #: Name of the agency that was the first to answer finally, as far as routing has told.
    answered_by: str | None = None
    #: Reorganisations that it went through, the first first.
    moves: tuple[Moved, ...] = ()

    def office_at(self, at: datetime) -> str:
        """Whose it was at that instant."""
        return next((each.office for each in self.moves if at < each.at), self.office)

    def reached_at(self, contact: Contact) -> Dossier:
        """With this contact of the applicant; what is known of a number is not said of another."""
        same = {
            "sms": contact.told.phone == self.contact.told.phone,
            "email": contact.told.email == self.contact.told.email,
        }
        return dataclasses.replace(
            self,
            contact=dataclasses.replace(contact, parties=self.contact.parties),
            bounced=tuple(way for way in self.bounced if same[way]),
            opted_out=tuple(way for way in self.opted_out if same[way]),
        )

    def becoming(self, to: Status) -> Status:
        """The status `to`, if the dossier may move there; NotAllowed says where it may."""
        return move(self.status, to, underlying=self.underlying)

    @property
    def open_waits(self) -> tuple[Wait, ...]:
        """What is awaited from the citizen now, oldest first."""
        return tuple(w for w in self.waits if w.open)

    @property
    def results_left(self) -> tuple[StepResult, ...]:
        """The results that nobody has taken yet; a refusal is one as well."""
        taken = {step for each in self.handed for step in each.steps}
        return tuple(result for result in self.results if result.step not in taken)

    @property
    def paused_since(self) -> datetime | None:
        """When the clock was stopped, None while it runs."""
        if self.pauses and self.pauses[-1].until is None:
            return self.pauses[-1].since
        return None

    @property
    def unapologised(self) -> bool:
        """Whether the date in force was missed and nobody has apologised and named another."""
        return self.missed is not None and self.missed.due_at == self.due_at

    @property
    def next_at(self) -> datetime | None:
        """The next instant at which time alone changes something about it."""
        instants = [at for w in self.open_waits for at in (w.remind_at, w.lapse_at)]
        return min((at for at in instants if at is not None), default=None)

    def overdue(self, now: datetime) -> bool:
        """True for an unfinished dossier past the date in force; a stopped clock is not overdue."""
        running = self.finished_at is None
        return running and late(self.due_at, now, stopped_since=self.paused_since)
