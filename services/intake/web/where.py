"""Where a dossier is now and the way it has come, for people: agencies and steps, nobody's data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.dossier import Dossier, Extension, Handed, Wait
from services.intake.domain.statuses import Status
from services.intake.web.telling import event_of
from shared.events.intake import DossierBranched, DossierVerifying
from shared.events.routing import StepAnswered, StepOpened, StepSentBack, StepTransferred
from shared.kernel.clock import format_instant
from shared.messaging.timeline import Entry
from shared.web.filters import status_name, vn_datetime
from shared.web.words import gettext, msgid

_ENDS = {
    "granted": msgid("xong"),
    "silent_consent": msgid("xong, coi như đồng ý"),
    "elapsed": msgid("hết thời gian chờ"),
    "refused": msgid("không giải quyết"),
}


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
            case StepSentBack() as back:
                for task in back.undone:  # it is done again, and told when it is
                    found.pop(task, None)
            case StepAnswered(outcome=str()) | StepAnswered(answer="elapsed") as ended:
                since = found[ended.task].since if ended.task in found else entry.time
                how = ended.outcome or ended.answer
                found[ended.task] = Stage(
                    ended.step.name, ended.agency.name, since, ended.answered_at, how
                )
    return list(found.values())


def places(dossier: Dossier, known: Iterable[Stage], office: str) -> list[str]:
    """Where the dossier lies now, a sentence for each place; empty once it has come to its end."""
    if dossier.status.final:
        return []
    if dossier.status is Status.RESOLVED:
        return [gettext("%(office)s: kết quả đang chờ được nhận.", office=office)]
    if dossier.open_waits:
        if dossier.status is Status.SUPPLEMENT:
            return [gettext("%(office)s: đang chờ giấy tờ của công dân.", office=office)]
        return [gettext("%(office)s: đang chờ chứng từ nộp tiền của công dân.", office=office)]
    if dossier.received_at is None:
        return [gettext("%(office)s: đang kiểm tra trước khi tiếp nhận.", office=office)]
    working = [
        gettext(
            "%(agency)s: %(step)s, từ %(since)s.",
            agency=stage.agency,
            step=stage.step,
            since=vn_datetime(stage.since),
        )
        for stage in known
        if stage.ended_at is None
    ]
    return working or [gettext("%(office)s: đang chuyển bước tiếp theo.", office=office)]


def milestones(
    dossier: Dossier,
    known: Iterable[Stage],
    agency_name: Callable[[str], str],
    *,
    verified: Iterable[Milestone] = (),
    dated: bool,
    overdue: bool,
) -> list[Milestone]:
    """What has happened, oldest first, and what is to come.

    `dated`: a date was given at reception; `overdue`: it is over, and not to come any more.
    """
    happened = [Milestone(format_instant(dossier.submitted_at), gettext("Nộp hồ sơ"))]
    if dossier.received_at is not None:
        promised = (
            gettext("Hẹn trả kết quả %(promised_at)s", promised_at=vn_datetime(dossier.promised_at))
            if dated
            else ""
        )
        happened.append(
            Milestone(format_instant(dossier.received_at), gettext("Tiếp nhận"), promised)
        )
    happened += [
        Milestone(
            format_instant(stage.ended_at),
            f"{stage.step}: {gettext(_ENDS.get(stage.outcome or '', _ENDS['granted']))}",
            stage.agency,
            "bad" if stage.outcome == "refused" else "good",
        )
        for stage in known
        if stage.ended_at is not None
    ]
    happened += [each for wait in dossier.waits for each in _of_wait(wait, agency_name)]
    happened += verified
    happened += [_apology(each, agency_name) for each in dossier.extensions]
    happened += _ending(dossier)
    return sorted(happened, key=lambda each: each.at or "") + (
        _still_to_come(dossier) if dated and not overdue else []
    )


def verifications(entries: Iterable[Entry]) -> list[Milestone]:
    """What has moved the date by the law: an extra verification, a branch that was chosen."""
    return [
        Milestone(
            format_instant(said.stated_at),
            gettext("%(agency)s xác minh bổ sung", agency=said.agency.name)
            if isinstance(said, DossierVerifying)
            else gettext("%(agency)s chọn cách giải quyết", agency=said.agency.name),
            gettext(
                "Hẹn mới %(due_at)s. %(text)s",
                due_at=vn_datetime(said.due_at),
                text=gettext("Lý do: %(reason)s", reason=said.reason)
                if isinstance(said, DossierVerifying)
                else said.branch.name,
            ),
            "waiting",
        )
        for said in map(event_of, entries)
        if isinstance(said, DossierVerifying | DossierBranched)
    ]


def _apology(extension: Extension, agency_name: Callable[[str], str]) -> Milestone:
    agency, text = (
        agency_name(extension.agency),
        gettext("Lý do: %(reason)s", reason=extension.reason),
    )
    title = gettext("%(agency)s xin lỗi", agency=agency)
    if extension.gives_time:
        title, text = (
            gettext("%(agency)s xin lỗi và hẹn lại", agency=agency),
            gettext(
                "Hẹn mới %(due_at)s. %(text)s", due_at=vn_datetime(extension.due_at), text=text
            ),
        )
    return Milestone(format_instant(extension.at), title, text, "waiting")


def _of_wait(wait: Wait, agency_name: Callable[[str], str]) -> list[Milestone]:
    """A request for papers, and how it ended."""
    if wait.kind != "supplement":
        return []
    asker = agency_name(wait.agency) if wait.agency else gettext("Cơ quan xử lý")
    until = (
        gettext("Hạn bổ sung %(respond_by)s", respond_by=vn_datetime(wait.respond_by))
        if wait.respond_by
        else ""
    )
    asked = gettext("%(asker)s yêu cầu bổ sung giấy tờ", asker=asker)
    found = [Milestone(format_instant(wait.asked_at), asked, until, "waiting")]
    if wait.closed_at is not None and wait.answered:
        found.append(Milestone(format_instant(wait.closed_at), gettext("Đã nhận giấy tờ bổ sung")))
    elif wait.closed_at is not None and wait.dropped is not None:
        title = gettext("Không còn chờ giấy tờ bổ sung")
        found.append(Milestone(format_instant(wait.closed_at), title, wait.dropped, "quiet"))
    return found


def _ending(dossier: Dossier) -> list[Milestone]:
    """What the desk put right, and how it ended."""
    mended = gettext("Nơi tiếp nhận sửa chỗ ghi nhầm trong hồ sơ")
    found = [Milestone(format_instant(each.at), mended) for each in dossier.corrections]
    if dossier.finished_at is not None:
        resolved = dossier.status in (Status.RESOLVED, Status.RETURNED)
        title, tone = (
            (gettext("Có kết quả"), "good")
            if resolved
            else (status_name(int(dossier.status)), "bad")
        )
        if dossier.status is Status.WITHDRAWN:
            tone = "quiet"
        found.append(Milestone(format_instant(dossier.finished_at), title, tone=tone))
    found += [
        Milestone(format_instant(each.at), gettext("Đã trả một phần kết quả"), sent_by((each,)))
        for each in dossier.handed
        if each.at != dossier.returned_at
    ]
    if dossier.returned_at is not None:
        found.append(
            Milestone(
                format_instant(dossier.returned_at),
                gettext("Đã trả kết quả"),
                sent_by(dossier.handed),
                "good",
            )
        )
    return found


def sent_by(handed: Sequence[Handed]) -> str:
    """By which post the last of them went, so that the citizen can ask there."""
    last = handed[-1] if handed else None
    return (
        gettext(
            "Gửi qua %(carrier)s, mã vận đơn %(waybill)s",
            carrier=last.carrier,
            waybill=last.waybill,
        )
        if last and last.waybill
        else ""
    )


def _still_to_come(dossier: Dossier) -> list[Milestone]:
    if dossier.finished_at is not None or dossier.due_at is None:
        return []
    if dossier.paused_since is not None:
        since = vn_datetime(dossier.paused_since)
        return [
            Milestone(
                None,
                gettext("Hẹn trả kết quả"),
                gettext("Đang dừng tính hạn từ %(since)s.", since=since),
                "quiet",
            )
        ]
    return [Milestone(format_instant(dossier.due_at), gettext("Hẹn trả kết quả"), tone="quiet")]
