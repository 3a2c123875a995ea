"""The control slip: from hand to hand, out of what routing stated of each step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.intake.domain.dossier import Dossier
from services.intake.domain.lateness import late
from services.intake.domain.papers.matter import Matter
from services.intake.domain.papers.model import (
    Block,
    Column,
    Field,
    Fields,
    OfficialPaper,
    Signer,
    Table,
)
from services.intake.domain.papers.negative import not_there
from services.intake.domain.papers.words import duration, minute
from shared.events.routing import (
    BranchChosen,
    DeadlineMissed,
    StepAnswered,
    StepOpened,
    StepRepeated,
    StepSentBack,
    StepTransferred,
    VerificationOpened,
)
from shared.kernel.clock import to_vn

_COLUMNS: Final = (
    Column("STT", 5, unbroken=True),
    Column("Bên giao", 15),
    Column("Bên nhận, việc", 21),
    Column("Giao lúc", 10),
    Column("Nhận lúc", 10),
    Column("Hạn", 10),
    Column("Xong lúc", 10),
    Column("Kết quả", 9),
    Column("Ký giao", 8),
    Column("Ký nhận", 8),
    Column("Ghi chú", 16),
)
_PAUSES: Final = (Column("Dừng từ", 30), Column("Tiếp tục lúc", 30), Column("Hạn sau đó", 40))
_ENDS: Final = {
    "granted": "",
    "silent_consent": "quá hạn không trả lời, coi như đồng ý",
    "refused": "không giải quyết",
}


@dataclass(frozen=True, slots=True)
class HandOver:
    """One task in an agency's hands; instants are those of routing's facts."""

    step: str
    name: str
    agency: str
    given_at: datetime
    due_at: datetime | None = None
    taken_at: datetime | None = None
    ended_at: datetime | None = None
    late: bool = False
    notes: tuple[str, ...] = ()


def hand_overs(matter: Matter) -> tuple[HandOver, ...]:
    """The tasks in the order in which they were handed over."""
    found: dict[str, HandOver] = {}
    for fact in matter.facts:
        match fact:
            case StepOpened() as opened:
                found[opened.task] = HandOver(
                    opened.step.code,
                    opened.step.name,
                    opened.agency.name,
                    opened.opened_at,
                    opened.due_at,
                )
            case BranchChosen(task=task) as chosen if task in found:
                notes = (*found[task].notes, f"chọn: {chosen.branch.name}")
                found[task] = replace(found[task], notes=notes)
            case StepSentBack() as back:
                _send_back(found, back)
            case StepAnswered(answer="elapsed") | VerificationOpened() as later:
                if later.task in found:
                    found[later.task] = _by_the_law(found[later.task], later)
            case StepAnswered() | StepRepeated() | DeadlineMissed() | StepTransferred() as later:
                held = found.get(later.task or "")
                if held is not None:
                    found[later.task or ""] = _after(held, later)
    return tuple(found.values())


def _send_back(found: dict[str, HandOver], fact: StepSentBack) -> None:
    """Its own step ends with it; what is done again keeps its rows, and gets new ones."""
    at = fact.sent_back_at
    for task in (each for each in fact.undone if each in found):
        held, again = found[task], task != fact.task
        told = ("làm lại",) if again else (f"trả về bước {fact.to.name}", fact.reason)
        found[task] = replace(
            held,
            taken_at=held.taken_at if again else held.taken_at or at,
            ended_at=held.ended_at or at,
            late=held.late if again else fact.late,
            notes=(*held.notes, *told),
        )


def _by_the_law(held: HandOver, fact: StepAnswered | VerificationOpened) -> HandOver:
    """A waiting period is over, or an extra verification has its own time: nobody is late."""
    if isinstance(fact, StepAnswered):
        return replace(held, taken_at=held.given_at, ended_at=fact.answered_at)
    notes = (*held.notes, "xác minh bổ sung", fact.reason)
    return replace(held, taken_at=held.taken_at or fact.opened_at, due_at=fact.due_at, notes=notes)


def _after(
    held: HandOver, fact: StepAnswered | StepRepeated | DeadlineMissed | StepTransferred
) -> HandOver:
    match fact:
        case StepTransferred():
            to = "chờ điều phối" if fact.to is None else f"chuyển sang {fact.to.name}"
            notes = (*held.notes, to, fact.reason)
            return replace(held, ended_at=fact.transferred_at, late=fact.late, notes=notes)
        case StepRepeated():
            kept = tuple(note for note in held.notes if not note.startswith("giao lại"))
            return replace(held, notes=(*kept, f"giao lại {fact.number} lần"))
        case DeadlineMissed():
            return replace(held, late=True)
        case StepAnswered(rule=str()):  # it was not applied
            return held
        case StepAnswered(outcome=str() as outcome):
            told = (_ENDS.get(outcome, outcome), fact.document, fact.reason)
            return replace(
                held,
                taken_at=held.taken_at or fact.answered_at,
                ended_at=fact.answered_at,
                late=fact.late,
                notes=(*held.notes, *(part for part in told if part)),
            )
        case _:
            return replace(held, taken_at=held.taken_at or fact.answered_at)


def control(matter: Matter) -> OfficialPaper:
    """All hand-overs so far: it grows with the dossier, and goes with it."""
    dossier = matter.dossier
    if dossier.received_at is None:
        raise not_there(
            "it was not received, nothing was handed over",
            "Hồ sơ chưa được tiếp nhận nên chưa giao cho cơ quan nào; không có phiếu để in.",
        )
    handed = hand_overs(matter)
    blocks: tuple[Block, ...] = (
        Fields((matter.code_field(),), framed=True),
        Fields(
            (
                *matter.person()[:1],
                Field("Thủ tục", matter.procedure.name),
                Field("Nơi tiếp nhận", matter.then(matter.dossier.submitted_at).name),
                Field("Nhận hồ sơ lúc", minute(dossier.received_at)),
                Field("Thời hạn giải quyết", duration(matter.legal_time)),
                Field("Hẹn trả lần đầu", minute(dossier.promised_at)),
                Field("Hạn hiện nay", minute(dossier.due_at)),
            )
        ),
        Table(
            "Giao, nhận hồ sơ",
            _COLUMNS,
            tuple(_rows(matter, handed)),
            empty="Chưa giao việc nào.",
            signed=True,
        ),
        *_pauses(dossier),
    )
    made = matter.paper("control", dossier.received_at, blocks, (
        Signer("Cán bộ tiếp nhận", matter.officer),
    ))  # fmt: skip
    return replace(made, at=_last(dossier, handed), lookup=None, wide=True)


def _last(dossier: Dossier, handed: Iterable[HandOver]) -> datetime:
    """The last instant that it tells of: the same story is the same paper, whenever printed."""
    told = [dossier.received_at, dossier.finished_at, dossier.returned_at]
    told += [at for one in handed for at in (one.given_at, one.taken_at, one.ended_at)]
    told += [at for pause in dossier.pauses for at in (pause.since, pause.until)]
    return max(at for at in told if at is not None)


def _rows(matter: Matter, handed: tuple[HandOver, ...]) -> Iterable[tuple[str, ...]]:
    for number, one in enumerate(handed, 1):
        yield (
            str(number),
            _giver(matter, one, handed),
            f"{one.agency}: {one.name}",
            minute(one.given_at),
            minute(one.taken_at),
            minute(one.due_at),
            minute(one.ended_at),
            verdict(one),
            "",
            "",
            "; ".join(one.notes),
        )
    dossier = matter.dossier
    if dossier.finished_at is not None:
        yield (
            str(len(handed) + 1),
            ", ".join(dict.fromkeys(r.agency.name for r in dossier.results)),
            f"{matter.office.name}: {dossier.status.vi}",
            minute(dossier.finished_at),
            minute(dossier.finished_at),
            minute(dossier.adjusted_due_at),
            minute(dossier.returned_at),
            _in_days(dossier.adjusted_due_at, dossier.finished_at),
            "",
            "",
            "",
        )


def _giver(matter: Matter, one: HandOver, handed: Iterable[HandOver]) -> str:
    """Whoever did the steps before it; the desk where there are none."""
    step = matter.procedure.step(one.step)
    before = step.after if step else ()
    givers = dict.fromkeys(other.agency for other in handed if other.step in before)
    return ", ".join(givers) or matter.office.name


def verdict(one: HandOver) -> str:
    """Early, on time or late, by days as form II.06a has it; what is open is late once missed."""
    if one.ended_at is None:
        return "Quá hạn" if one.late else "Đang giải quyết"
    return "Quá hạn" if one.late else _in_days(one.due_at, one.ended_at)


def _in_days(due_at: datetime | None, ended_at: datetime) -> str:
    if due_at is None:
        return ""
    if late(due_at, ended_at, finished_at=ended_at):
        return "Quá hạn"
    return "Trước hạn" if to_vn(ended_at).date() < to_vn(due_at).date() else "Đúng hạn"


def _pauses(dossier: Dossier) -> tuple[Table, ...]:
    if not dossier.pauses:
        return ()
    rows = tuple((minute(p.since), minute(p.until), minute(p.due_after)) for p in dossier.pauses)
    return (Table("Thời gian không tính vào hạn", _PAUSES, rows),)
