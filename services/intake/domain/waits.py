"""Opening and closing what a dossier awaits from the citizen, and the status that follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.intake.domain.circumstances import Circumstances, agency, version
from services.intake.domain.deadline import Rules, close_clock, start_clock, stop_clock
from services.intake.domain.dossier import Dossier, Ending, Wait
from services.intake.domain.statuses import Status, move
from shared.events.decision import Decision
from shared.events.intake import DossierRefused
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, NotAllowed
from shared.kernel.text import msgid


def _status(dossier: Dossier) -> Status:
    """The status that the open waits ask for: papers go before payment."""
    kinds = {w.kind for w in dossier.open_waits}
    if "supplement" in kinds:
        return Status.SUPPLEMENT
    return Status.PAYMENT if kinds else dossier.underlying


def settle(dossier: Dossier) -> Dossier:
    """Bring the status in line with the open waits, by allowed moves through the underlying one."""
    target = _status(dossier)
    if target is dossier.status:
        return dossier
    status = dossier.status
    if status in (Status.SUPPLEMENT, Status.PAYMENT):
        status = dossier.becoming(dossier.underlying)
    if status is not target:
        status = move(status, target, underlying=dossier.underlying)
    return replace(dossier, status=status)


def open_wait(dossier: Dossier, wait: Wait, *, restart: bool) -> Dossier:
    """Await something from the citizen; the clock stops if the wait says so."""
    waiting = replace(dossier, waits=(*dossier.waits, wait))
    if wait.stops_clock and dossier.received_at is not None:
        waiting = stop_clock(waiting, wait.asked_at, restart=restart)
    return settle(waiting)


def close_wait(
    dossier: Dossier, wait: Wait, at: datetime, rules: Rules, *, proof: str | None = None
) -> Dossier:
    """The citizen has answered; the clock runs again when nothing else holds it."""
    answered = replace(wait, closed_at=at, answered=True, proof=proof)
    waits = tuple(answered if w is wait else w for w in dossier.waits)
    closed = replace(dossier, waits=waits)
    return settle(resume_clock(closed, at, rules))


def close_round(dossier: Dossier, wait: Wait, around: Circumstances) -> Dossier:
    """The papers are here: whoever asked in that round has them."""
    for each in dossier.open_waits:
        if each.kind == "supplement" and each.round == wait.round:
            dossier = close_wait(dossier, each, around.now, around.rules(dossier))
    return dossier


def resume_clock(dossier: Dossier, at: datetime, rules: Rules) -> Dossier:
    """Let the clock run again unless something else still holds it."""
    if clock_held(dossier):
        return dossier
    return start_clock(dossier, at, rules)


def clock_held(dossier: Dossier) -> bool:
    """Whether the citizen must act, or a step that the law does not count is open."""
    return dossier.clock_stop is not None or any(w.stops_clock for w in dossier.open_waits)


def promised_dates(dossier: Dossier) -> tuple[datetime, datetime]:
    """The first promise and the date in force; NotAllowed before reception, when there are none."""
    if dossier.promised_at is None or dossier.due_at is None:
        raise NotAllowed(
            "nothing has been promised before reception", vi="Hồ sơ chưa được tiếp nhận."
        )
    return dossier.promised_at, dossier.due_at


def drop_waits(
    dossier: Dossier, at: datetime, rules: Rules, *, reason: str | None = None
) -> Dossier:
    """The dossier has come to an end: nothing is awaited any more."""
    waits = tuple(replace(w, closed_at=at, dropped=reason) if w.open else w for w in dossier.waits)
    ended = replace(dossier, waits=waits, clock_stop=None, time_asked=())
    return close_clock(ended, at, rules)


def not_received(
    dossier: Dossier, around: Circumstances, kept: Ending, told: Ending | None = None
) -> Decision[Dossier]:
    """-> 3: the file keeps why and what to do instead, the citizen is `told` (None: the same)."""
    told = told or kept
    event = DossierRefused(
        dossier=dossier.code,
        procedure=version(around.procedure(dossier)),
        office=agency(around.office(dossier)),
        reason=told.reason,
        next_step=told.next_step or "",
        refused_at=around.now,
    )
    refused = replace(dossier, status=dossier.becoming(Status.REFUSED), ending=kept)
    return Decision(refused, (event,))


def awaited(
    dossier: Dossier, kind: str, *, round_: int | None = None, step: str | None = None
) -> Wait:
    """The one open wait that is meant; NotAllowed if there is none, InvalidInput if not clear."""
    candidates = [w for w in dossier.open_waits if w.kind == kind]
    if not candidates:
        raise _nothing_awaited(dossier, kind)
    if round_ is not None:
        candidates = [w for w in candidates if w.round == round_]
    if step is not None:
        candidates = [w for w in candidates if w.step == step]
    # The desk and an agency that asked at the same instant have one round: it is met together.
    if len(candidates) == 1 or (candidates and len({w.round for w in candidates} - {None}) == 1):
        return candidates[0]
    place = "round" if kind == "supplement" else "step"
    open_ones = ", ".join(
        str(w.round if kind == "supplement" else w.step)
        for w in dossier.open_waits
        if w.kind == kind
    )
    raise InvalidInput(
        [
            Fault(
                place,
                f"Hãy nêu đúng yêu cầu đang chờ: {open_ones}.",
                f"name the request that is answered; open: {open_ones}",
            )
        ]
    )


def _nothing_awaited(dossier: Dossier, kind: str) -> NotAllowed:
    what_vi, what_en = {
        "supplement": ("bổ sung giấy tờ", "papers"),
        "payment": ("nộp tiền", "a payment"),
    }[kind]
    allowed = actions(dossier)
    if kind == "supplement" and (lapsed := _fallen_away(dossier)) is not None:
        return _came_too_late(dossier, lapsed, allowed)
    return NotAllowed(
        f"nobody has asked for {what_en} on this dossier; allowed: {', '.join(allowed) or 'nothing'}",
        vi=f"Hồ sơ không có yêu cầu {what_vi} nào đang chờ (trạng thái «{dossier.status.vi}»).",
        allowed=allowed,
    )


def _fallen_away(dossier: Dossier) -> Wait | None:
    """The last request for papers, if it fell away unanswered."""
    asked = [w for w in dossier.waits if w.kind == "supplement"]
    return asked[-1] if asked and asked[-1].dropped is not None else None


def _came_too_late(dossier: Dossier, wait: Wait, allowed: tuple[str, ...]) -> NotAllowed:
    closed = vn_minute(wait.closed_at)
    then_vi = (
        "Công dân cần nộp hồ sơ mới." if dossier.status.final else "Hồ sơ vẫn được giải quyết."
    )
    then_en = "file a new dossier" if dossier.status.final else "work on the dossier goes on"
    return NotAllowed(
        f"the papers came too late: request {wait.round} has not been awaited since {closed} and "
        f"the dossier is {dossier.status.en}; {then_en}",
        vi=f"Giấy tờ đến muộn: yêu cầu bổ sung lần {wait.round} không còn chờ từ {closed}, hồ sơ ở "
        f"trạng thái «{dossier.status.vi}». {then_vi}",
        allowed=allowed,
    )


def vn_minute(at: datetime | None) -> str:
    """An instant on the wall clock of Việt Nam, `17:00 09/03/2022`."""
    return to_vn(at).strftime("%H:%M %d/%m/%Y") if at is not None else ""


def actions(dossier: Dossier) -> tuple[str, ...]:
    """What a desk may do with the dossier now, in the words of the REST paths."""
    kinds = {w.kind for w in dossier.open_waits}
    unreceived = dossier.received_at is None and not dossier.status.final
    allowed = {
        "receive": unreceived and not kinds,
        "request-supplement": (unreceived or _under_way(dossier)) and not kinds,
        "supplement": "supplement" in kinds,
        "extend-supplement": any(w.asked_by == "desk" for w in dossier.open_waits),
        "payment": "payment" in kinds,
        "refuse": unreceived,
        "grant-extension": bool(dossier.time_asked),
        "refuse-extension": bool(dossier.time_asked),
        "apologise": dossier.unapologised and dossier.finished_at is None,
        "return-result": dossier.status is Status.RESOLVED,
        "correct-waybill": any(each.method == "post" for each in dossier.handed),
        "withdraw": not dossier.status.final and dossier.status is not Status.RESOLVED,
        "contact": not dossier.status.final,
        "correct": _under_way(dossier) and dossier.answered_by is None,
        "called": dossier.call_since is not None,
    }
    return tuple(name for name, yes in allowed.items() if yes)


def _under_way(dossier: Dossier) -> bool:
    """Received, and without its result or its end."""
    over = dossier.status.final or dossier.status is Status.RESOLVED
    return dossier.received_at is not None and not over


ACTIONS_VI = {
    "receive": msgid("tiếp nhận"),
    "request-supplement": msgid("yêu cầu bổ sung"),
    "supplement": msgid("nộp bổ sung"),
    "extend-supplement": msgid("lùi hạn bổ sung"),
    "payment": msgid("ghi nhận đã nộp tiền"),
    "refuse": msgid("từ chối tiếp nhận"),
    "grant-extension": msgid("đồng ý gia hạn"),
    "refuse-extension": msgid("không đồng ý gia hạn"),
    "apologise": msgid("xin lỗi và hẹn lại"),
    "return-result": msgid("trả kết quả"),
    "correct-waybill": msgid("sửa mã vận đơn"),
    "withdraw": msgid("rút hồ sơ"),
    "contact": msgid("sửa cách liên hệ"),
    "correct": msgid("sửa hồ sơ"),
    "called": msgid("ghi nhận đã gọi điện"),
}


def must_allow(dossier: Dossier, action: str) -> None:
    """Raise NotAllowed, saying what is allowed, unless `action` is."""
    allowed = actions(dossier)
    if action in allowed:
        return
    if action == "correct" and _under_way(dossier):
        raise _answered_already(dossier, allowed)
    instead = ", ".join(ACTIONS_VI[a] for a in allowed) or "không có thao tác nào"
    raise NotAllowed(
        f"{action} is not possible while the dossier is {dossier.status.en}; "
        f"allowed: {', '.join(allowed) or 'nothing'}",
        vi=f"Không thể {ACTIONS_VI[action]} khi hồ sơ ở trạng thái «{dossier.status.vi}». "
        f"Lúc này được phép: {instead}.",
        allowed=allowed,
    )


def _answered_already(dossier: Dossier, allowed: tuple[str, ...]) -> NotAllowed:
    return NotAllowed(
        "an agency has answered on what is written: it is not corrected here any more. Let the "
        "citizen withdraw and file anew, or ask that agency to correct its result",
        vi=f"Không sửa được nữa: {dossier.answered_by} đã trả lời theo nội dung đang ghi. Nếu nội dung sai: để "
        "công dân rút hồ sơ rồi nộp lại, hoặc đề nghị cơ quan đã trả lời cải chính kết quả. Cách "
        "liên hệ vẫn sửa được.",
        allowed=allowed,
        code="answered_already",
    )
