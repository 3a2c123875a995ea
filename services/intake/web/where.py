"""Where a dossier is now and the way it has come, for people: agencies and steps, nobody's data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.dossier import Dossier, Extension, Handed, Wait
from services.intake.domain.statuses import Status
from services.intake.web.telling import event_of
from shared.events.routing import StepAnswered, StepOpened, StepTransferred
from shared.kernel.clock import format_instant
from shared.messaging.timeline import Entry
from shared.web.filters import vn_datetime

_ENDS = {"granted": "xong", "silent_consent": "xong, coi như đồng ý", "refused": "không giải quyết"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A step at an agency; `ended_at` is None while the agency has it."""

    step: str
    agency: str
    since: datetime
    ended_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """One line of the citizen's timeline; `at` is UTC text, None for what is still to come."""

    at: str | None
    title: str
    text: str = ""
    tone: str = "going"


def stages(entries: Iterable[Entry]) -> list[Stage]:
    """The steps handed to agencies so far, in the order in which they began."""
    found: dict[str, Stage] = {}
    for entry in entries:
        match event_of(entry):
            case StepOpened() as opened:
                since = opened.opened_at
                found[opened.task] = Stage(opened.step.name, opened.agency.name, since)
            case StepTransferred() as gone:
                found.pop(gone.task, None)
            case StepAnswered(outcome=str()) as ended:
                since = found[ended.task].since if ended.task in found else entry.time
                found[ended.task] = Stage(
                    ended.step.name, ended.agency.name, since, ended.answered_at, ended.outcome
                )
    return list(found.values())


def places(dossier: Dossier, known: Iterable[Stage], office: str) -> list[str]:
    """Where the dossier lies now, a sentence for each place; empty once it has come to its end."""
    if dossier.status.final:
        return []
    if dossier.status is Status.RESOLVED:
        return [f"{office}: kết quả đang chờ được nhận."]
    if dossier.open_waits:
        what = "giấy tờ" if dossier.status is Status.SUPPLEMENT else "chứng từ nộp tiền"
        return [f"{office}: đang chờ {what} của công dân."]
    if dossier.received_at is None:
        return [f"{office}: đang kiểm tra trước khi tiếp nhận."]
    working = [
        f"{stage.agency}: {stage.step}, từ {vn_datetime(stage.since)}."
        for stage in known
        if stage.ended_at is None
    ]
    return working or [f"{office}: đang chuyển bước tiếp theo."]


def milestones(
    dossier: Dossier,
    known: Iterable[Stage],
    agency_name: Callable[[str], str],
    *,
    dated: bool,
    overdue: bool,
) -> list[Milestone]:
    """What has happened, oldest first, and what is to come.

    `dated`: a date was given at reception; `overdue`: it is over, and not to come any more.
    """
    happened = [Milestone(format_instant(dossier.submitted_at), "Nộp hồ sơ")]
    if dossier.received_at is not None:
        promised = f"Hẹn trả kết quả {vn_datetime(dossier.promised_at)}" if dated else ""
        happened.append(Milestone(format_instant(dossier.received_at), "Tiếp nhận", promised))
    happened += [
        Milestone(
            format_instant(stage.ended_at),
            f"{stage.step}: {_ENDS.get(stage.outcome or '', 'xong')}",
            stage.agency,
            "bad" if stage.outcome == "refused" else "good",
        )
        for stage in known
        if stage.ended_at is not None
    ]
    happened += [each for wait in dossier.waits for each in _of_wait(wait, agency_name)]
    happened += [_apology(each, agency_name) for each in dossier.extensions]
    happened += _ending(dossier)
    return sorted(happened, key=lambda each: each.at or "") + (
        _still_to_come(dossier) if dated and not overdue else []
    )


def _apology(extension: Extension, agency_name: Callable[[str], str]) -> Milestone:
    title, text = f"{agency_name(extension.agency)} xin lỗi", f"Lý do: {extension.reason}"
    if extension.gives_time:
        title, text = f"{title} và hẹn lại", f"Hẹn mới {vn_datetime(extension.due_at)}. {text}"
    return Milestone(format_instant(extension.at), title, text, "waiting")


def _of_wait(wait: Wait, agency_name: Callable[[str], str]) -> list[Milestone]:
    """A request for papers, and how it ended."""
    if wait.kind != "supplement":
        return []
    asker = agency_name(wait.agency) if wait.agency else "Cơ quan xử lý"
    until = f"Hạn bổ sung {vn_datetime(wait.respond_by)}" if wait.respond_by else ""
    asked = f"{asker} yêu cầu bổ sung giấy tờ"
    found = [Milestone(format_instant(wait.asked_at), asked, until, "waiting")]
    if wait.closed_at is not None and wait.answered:
        found.append(Milestone(format_instant(wait.closed_at), "Đã nhận giấy tờ bổ sung"))
    elif wait.closed_at is not None and wait.dropped is not None:
        title = "Không còn chờ giấy tờ bổ sung"
        found.append(Milestone(format_instant(wait.closed_at), title, wait.dropped, "quiet"))
    return found


def _ending(dossier: Dossier) -> list[Milestone]:
    """What the desk put right, and how it ended."""
    mended = "Nơi tiếp nhận sửa chỗ ghi nhầm trong hồ sơ"
    found = [Milestone(format_instant(each.at), mended) for each in dossier.corrections]
    if dossier.finished_at is not None:
        resolved = dossier.status in (Status.RESOLVED, Status.RETURNED)
        title, tone = ("Có kết quả", "good") if resolved else (dossier.status.vi, "bad")
        if dossier.status is Status.WITHDRAWN:
            tone = "quiet"
        found.append(Milestone(format_instant(dossier.finished_at), title, tone=tone))
    found += [
        Milestone(format_instant(each.at), "Đã trả một phần kết quả", sent_by((each,)))
        for each in dossier.handed
        if each.at != dossier.returned_at
    ]
    if dossier.returned_at is not None:
        found.append(
            Milestone(
                format_instant(dossier.returned_at),
                "Đã trả kết quả",
                sent_by(dossier.handed),
                "good",
            )
        )
    return found


def sent_by(handed: Sequence[Handed]) -> str:
    """By which post the last of them went, so that the citizen can ask there."""
    last = handed[-1] if handed else None
    return f"Gửi qua {last.carrier}, mã vận đơn {last.waybill}" if last and last.waybill else ""


def _still_to_come(dossier: Dossier) -> list[Milestone]:
    if dossier.finished_at is not None or dossier.due_at is None:
        return []
    if dossier.paused_since is not None:
        since = vn_datetime(dossier.paused_since)
        return [Milestone(None, "Hẹn trả kết quả", f"Đang dừng tính hạn từ {since}.", "quiet")]
    return [Milestone(format_instant(dossier.due_at), "Hẹn trả kết quả", tone="quiet")]
