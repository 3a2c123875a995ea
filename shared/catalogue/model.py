"""What the city's rules are, once read: frozen and without any I/O.

Looking things up lives in `book`, reading files in `read`, faults in `checks`. No procedure, ward
or agency is named here or anywhere else in code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, Literal

from shared.catalogue.step import OtherTime, Step
from shared.kernel.calendar import Duration

Level = Literal["commune", "city"]
SupplementRule = Literal["resume", "restart"]
FieldType = Literal["text", "name", "date", "number", "choice", "bool", "phone", "id_number"]
NotAfter = Literal["today"]
#: Whom or what a field tells apart: two dossiers that agree in it may be about the same matter.
Identifies = Literal["person", "spouse", "child", "deceased", "parcel"]
ThisYear = Literal["this_year"]
#: What a number counts; an ordinal counts nothing, it names (a year, a map sheet, a parcel).
Unit = Literal["vnd", "m2", "ordinal"]
FeeTiming = Literal["before", "after", "none"]
Reach = Literal["amqp", "web"]
MessageChannel = Literal["email", "sms", "call"]
Unanswered = Literal["close", "keep"]
#: What an official paper says: one form of a circular is one of these.
FormKind = Literal["receipt", "supplement", "refusal", "apology", "stop", "control", "register"]
Language = Literal["vi", "en"]

WHOLE_CITY = "*"


class Dated:
    """In force from `valid_from` to `valid_to`, both days included; None means until further."""

    __slots__ = ()
    valid_from: date
    valid_to: date | None

    def is_valid(self, on: date) -> bool:
        """Whether it is in force on this day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper to hand in; `condition` says in words when it is asked for, None means always."""

    code: str
    name: str
    original: int
    copy: int
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the declaration; `personal` ones are masked wherever they are logged."""

    name: str
    label: str
    type: FieldType
    required: bool
    personal: bool
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    #: For a date: it may not lie after this day, the local day on which it is given.
    not_after: NotAfter | None = None
    #: For a date: so many years before that local day is the earliest it may be; 0 is that day.
    not_before: int | None = None
    #: For a number: what it counts, its bounds (both included), digits after the comma.
    unit: Unit | None = None
    least: float | None = None
    greatest: float | ThisYear | None = None
    decimals: int = 0
    identifies: Identifies | None = None

    def earliest(self, today: date) -> date | None:
        """The first day that a date may be when it is given `today`; None without such a rule."""
        if self.not_before is None:
            return None
        day = 28 if (today.month, today.day) == (2, 29) else today.day
        year = today.year - self.not_before
        return today if self.not_before == 0 else date(year, today.month, day)

    def most(self, today: date) -> float | None:
        """The greatest value of a number that is given `today`."""
        return today.year if self.greatest == "this_year" else self.greatest

    #: Papers and fields any of which, when there, makes this one optional.
    required_unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fee:
    """Money in dong; `amount_vnd` None means that it is not one fixed sum, `note` then says why."""

    amount_vnd: int | None
    timing: FeeTiming
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of an interlinked procedure that the citizen may choose."""

    code: str
    name: str
    default: bool


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody beside the applicant who may be told of a dossier, by their own consent: `told` says what."""

    code: str
    name: str
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Procedure(Dated):
    """One version of a procedure, valid from `valid_from` to `valid_to`, both days included.

    `check`: no procedure of the law, it tries out a running installation; only agencies marked so
    take part in it.
    """

    code: str
    version: int
    valid_from: date
    valid_to: date | None
    name: str
    short_name: str
    field: str
    level: Level
    duration: Duration
    supplement_rule: SupplementRule
    max_supplement_rounds: int | None
    papers: tuple[Paper, ...]
    form: tuple[FormField, ...]
    fee: Fee
    branches: tuple[Branch, ...]
    min_branches: int
    steps: tuple[Step, ...]
    results: tuple[str, ...]
    channels: tuple[str, ...]
    check: bool = False
    other_times: tuple[OtherTime, ...] = ()
    #: Where desks take it in beside `level`.
    also_level: Level | None = None
    parties: tuple[Party, ...] = ()

    def taken_at(self, territory: str) -> bool:
        """Whether desks of this territory take it in."""
        level: Level = "city" if territory == WHOLE_CITY else "commune"
        return level in (self.level, self.also_level)

    def step(self, code: str) -> Step | None:
        """The step of this code, None if there is none."""
        return next((step for step in self.steps if step.code == code), None)

    def legal_time(
        self, channel: str, form: Mapping[str, Any], branches: Collection[str]
    ) -> Duration:
        """What the law gives for a dossier like this: the first of its other times that holds."""
        found = (o.time for o in self.other_times if o.holds(channel, form, branches))
        return next(found, self.duration)

    def shared(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Of a filled-in form only the fields that some step's agency gets: no others travel."""
        kept = {name for step in self.steps for name in step.shares}
        return {name: value for name, value in form.items() if name in kept}


@dataclass(frozen=True, slots=True)
class Agency(Dated):
    """A body that receives dossiers or acts on them; found by role and territory.

    `territory` is a ward code or "*" for the whole city; `is_office` says that it has a desk.
    `check`: nobody's office, it tries out a running installation.
    """

    code: str
    official_id: str
    name: str
    short_name: str
    roles: tuple[str, ...]
    territory: str
    reach: Reach
    calendar: str
    address: str
    hotline: str
    valid_from: date
    valid_to: date | None
    is_office: bool
    check: bool = False
    #: Where its papers are dated; None: the ward that it stands for.
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Ward(Dated):
    """A ward or commune; codes were given to other areas later: the key is (code, valid_from).

    `into`: the code of the unit that has its area since the day after `valid_to`.
    """

    code: str
    name: str
    valid_from: date
    valid_to: date | None
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of work that a step may ask for."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Template(Dated):
    """The words for one moment, channel and language; `subject` only for e-mail."""

    moment: str
    channel: MessageChannel
    language: Language
    version: int
    valid_from: date
    valid_to: date | None
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in both languages; `{asked}`, `{respond_by}` and `{office}` are filled in."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class PapersRule(Dated):
    """What holds for papers that were asked for with a date, from the day of the request on.

    `remind_before`: so long before the date the citizen is reminded; None: never. `unanswered`:
    whether a desk's own request before reception closes the dossier when its date has passed.
    """

    valid_from: date
    valid_to: date | None
    remind_before: Duration | None
    unanswered: Unanswered
    reason: Words
    next_step: Words


@dataclass(frozen=True, slots=True)
class UntakenRule(Dated):
    """After so long an untaken task is put on its agency's queue again (its own working time)."""

    valid_from: date
    valid_to: date | None
    repeat_after: Duration | None


@dataclass(frozen=True, slots=True)
class DatesRule(Dated):
    """What holds for promised dates and the dates of steps.

    Warned of `near` and `soon` before them, in the working time of who must act. A promise missed
    for `apologise_after` of the office's working time, of which nobody has named a new date: the
    city apologises by itself, with a date for which the late step gets `new_date` once more. At
    `mail_at` (Viet Nam's clock) of its working days an agency has its list as mail; None: never.
    """

    valid_from: date
    valid_to: date | None
    near: Duration | None
    soon: Duration | None
    apologise_after: Duration | None
    new_date: Duration | None
    mail_at: time | None = None


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A row of the holiday table: a day off, or a day off that was swapped into a working day."""

    date: date
    kind: Literal["off", "working"]
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class OfficialForm(Dated):
    """A form that a circular prescribes, such as 01; `suffix` stands behind a paper's number.

    `used_by`: roles; the form is for dossiers that they alone act on. Empty: for all the others.
    """

    kind: FormKind
    number: str
    title: str
    suffix: str
    circular: str
    used_by: tuple[str, ...]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class TellingRule(Dated):
    """How citizens are told: which way first, when the next, and what waits.

    `channels`: one after the other, where the citizen named none first. A way that gives no word
    for `next_after_hours`, or of which nobody knows whether the letter went for
    `uncertain_after_hours`, gives place to the next. From `quiet_from` to `quiet_to` (Viet Nam's
    clock) and above `most_a_day` for one address all waits but `urgent`; what needs no act waits
    for `together_minutes` after another message of its dossier. The last way for `needs_act` is a
    call of the desk. Of `at_desk` nobody is told who has just done it there. What is neither
    `urgent` nor `needs_act` goes by the next way once its dossier has had `most_per_dossier` of a
    way: parts of SMS, e-mails. `on_behalf`, by way: what is added where somebody is told in the
    applicant's place, `{name}` being the applicant.
    An SMS may take so many `parts` at its moment, one where none are named.
    """

    valid_from: date
    valid_to: date | None = None
    channels: tuple[MessageChannel, ...] = ("sms", "email")
    next_after_hours: int = 4
    uncertain_after_hours: int = 1
    quiet_from: time | None = None
    quiet_to: time | None = None
    together_minutes: int = 0
    most_a_day: int | None = None
    urgent: tuple[str, ...] = ()
    needs_act: tuple[str, ...] = ()
    at_desk: tuple[str, ...] = ()
    most_per_dossier: Mapping[str, int] = field(default_factory=dict)
    on_behalf: Mapping[str, Words] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CostRule(Dated):
    """What messages cost and what may be spent on them in a calendar month of Viet Nam.

    `vnd_per_part` by channel, as the provider's contract says (an e-mail is one part). A budget
    that is passed stops nothing: it raises an alarm. None: no budget.
    """

    valid_from: date
    valid_to: date | None = None
    vnd_per_part: Mapping[str, int] = field(default_factory=dict)
    city_vnd: int | None = None
    office_vnd: int | None = None
    offices_vnd: Mapping[str, int] = field(default_factory=dict)

    def budget(self, office: str | None) -> int | None:
        """What may be spent in a month for this office, None for the whole city's."""
        return self.city_vnd if office is None else self.offices_vnd.get(office, self.office_vnd)


@dataclass(frozen=True, slots=True)
class AnsweringRule(Dated):
    """What a citizen may say by SMS, and what is said in return.

    `stop` and `start`: an SMS of these words alone ends and begins what is sent to its number.
    `status` is written before a dossier's code and look-up word, `genuine` before the code of a
    message. A number gets at most `most_a_day` answers. `words` by the names of
    `moments.ANSWERS`; where there are none nothing is answered. `mark` stands at the end of each
    message that has room for it: by what it names the message can be asked about.
    """

    valid_from: date
    valid_to: date | None = None
    stop: tuple[str, ...] = ("STOP", "TU CHOI")
    start: tuple[str, ...] = ("START", "DANG KY")
    status: tuple[str, ...] = ()
    genuine: tuple[str, ...] = ()
    most_a_day: int = 10
    words: Mapping[str, Words] = field(default_factory=dict)
    mark: Words | None = None
