"""Papers that say no, or not yet: each with its reason and what the citizen can do next."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from services.intake.domain.dossier import Dossier, Extension, Wait
from services.intake.domain.papers.matter import Matter
from services.intake.domain.papers.model import (
    Because,
    Block,
    Field,
    Fields,
    Items,
    OfficialPaper,
    Signer,
    Words,
)
from services.intake.domain.papers.words import minute
from services.intake.domain.statuses import Status
from shared.events.intake import DossierRefused
from shared.kernel.errors import NotAllowed

_HEAD = "(ký, ghi rõ họ tên, đóng dấu)"


def not_there(en: str, vi: str) -> NotAllowed:
    """The dossier has no such paper; why."""
    return NotAllowed(f"there is no such paper: {en}", vi=vi)


def rounds(dossier: Dossier) -> tuple[Wait, ...]:
    """All requests for papers, oldest first."""
    return tuple(wait for wait in dossier.waits if wait.kind == "supplement")


def supplement(matter: Matter, part: int | None) -> OfficialPaper:
    """A request for papers: all that is missing, why, and until when; the last one unless told."""
    asked = rounds(matter.dossier)
    chosen = [wait for wait in asked if part in (None, wait.round)]
    if not chosen:
        raise not_there(
            "no papers were asked for",
            "Hồ sơ này không có yêu cầu bổ sung nào"
            + (f" lần {part}." if asked else "; không có phiếu để in."),
        )
    wait = chosen[-1]
    asker = matter.agency(wait.agency)
    until = f" trước {minute(wait.respond_by)}" if wait.respond_by else ""
    blocks: tuple[Block, ...] = (
        Fields((matter.code_field(), *_until(wait)), framed=True),
        Fields(matter.person()),
        Words(f"{asker.name} yêu cầu hoàn thiện hồ sơ (lần {wait.round}) gồm những nội dung sau:"),
        Items("Giấy tờ, thông tin cần bổ sung", wait.items),
        Because(
            wait.reason or "Thành phần hồ sơ chưa đủ.",
            f"Bổ sung đủ một lần tại {matter.office.name}, {matter.office.address}{until}."
            f"{_time_stands(matter, wait)}",
        ),
        Words(matter.ask()),
    )
    signers = (
        Signer("Người nộp hồ sơ", matter.dossier.contact.name),
        Signer("Người hướng dẫn", matter.officer),
    )
    return matter.paper("supplement", wait.asked_at, blocks, signers, part=wait.round)


def _time_stands(matter: Matter, wait: Wait) -> str:
    counts = matter.dossier.received_at is not None and wait.stops_clock
    return " Thời gian chờ bổ sung không tính vào hạn giải quyết." if counts else ""


def _until(wait: Wait) -> tuple[Field, ...]:
    return (Field("Hạn bổ sung", minute(wait.respond_by)),) if wait.respond_by else ()


def is_refused(dossier: Dossier) -> bool:
    """Whether it was not received, or a part of its results is a refusal."""
    return dossier.status is Status.REFUSED or any(
        result.outcome == "refused" for result in dossier.results
    )


def refusal(matter: Matter) -> OfficialPaper:
    """Not received at all, or a branch that ended in a refusal beside finished ones."""
    dossier = matter.dossier
    if not is_refused(dossier):
        raise not_there(
            "the dossier was not refused",
            f"Hồ sơ không bị từ chối (trạng thái «{dossier.status.vi}»); không có phiếu để in.",
        )
    parts = tuple(
        block
        for result in dossier.results
        if result.outcome == "refused"
        for block in (
            Words(
                f"{result.agency.name} không giải quyết phần việc sau: {_step(matter, result.step)}."
            ),
            Because(
                result.reason or "Theo văn bản của cơ quan giải quyết.",
                f"Nhận lại giấy tờ của phần này tại {matter.office.name}; hoàn thiện và nộp lại "
                "khi đủ điều kiện. Các phần khác vẫn có kết quả.",
            ),
        )
    )
    if dossier.status is Status.REFUSED:
        parts = (
            Words(f"{matter.office.name} không tiếp nhận, giải quyết hồ sơ này."),
            _ending(matter),
        )
    return _said_no(matter, "refusal", _refused_at(matter), parts)


def _refused_at(matter: Matter) -> datetime:
    said = [fact.refused_at for fact in matter.said(DossierRefused)]
    ended = matter.dossier.finished_at or matter.dossier.submitted_at
    return said[-1] if said else ended


def _step(matter: Matter, code: str) -> str:
    known = matter.procedure.step(code)
    return known.name if known else code


def stop(matter: Matter) -> OfficialPaper:
    """The agencies could not go on."""
    dossier = matter.dossier
    if dossier.status is not Status.STOPPED or dossier.finished_at is None:
        raise not_there(
            "the dossier was not stopped",
            f"Hồ sơ không dừng xử lý (trạng thái «{dossier.status.vi}»); không có thông báo để in.",
        )
    said = Words(f"{matter.office.name} thông báo dừng giải quyết hồ sơ này.")
    return _said_no(matter, "stop", dossier.finished_at, (said, _ending(matter)))


def _ending(matter: Matter) -> Because:
    ending = matter.dossier.ending
    advice = f"Đến {matter.office.name} hoặc gọi {matter.office.hotline} để được hướng dẫn."
    return Because(
        ending.reason if ending else "Không đủ điều kiện giải quyết.",
        (ending.next_step if ending else None) or advice,
    )


def _said_no(
    matter: Matter, kind: Literal["refusal", "stop"], at: datetime, parts: tuple[Block, ...]
) -> OfficialPaper:
    blocks = (
        Fields((matter.code_field(),), framed=True),
        Fields(matter.person()),
        *parts,
        Words(matter.ask()),
    )
    signers = (
        Signer("Người nộp hồ sơ", matter.dossier.contact.name),
        Signer("Cán bộ tiếp nhận", matter.officer),
    )
    return matter.paper(kind, at, blocks, signers)


def apology(matter: Matter, part: int | None) -> OfficialPaper:
    """An agency apologises, says why, and names a new date; the last one unless told."""
    chosen = [one for one in matter.dossier.extensions if part in (None, one.number)]
    if not chosen:
        raise not_there(
            "nobody has apologised for a delay",
            "Chưa có cơ quan nào xin lỗi và hẹn lại"
            + (f" lần {part}." if part else "; không có phiếu để in."),
        )
    extension = chosen[-1]
    agency = matter.agency(extension.agency)
    due = minute(extension.due_at)
    blocks: tuple[Block, ...] = (
        Fields((matter.code_field(), Field("Hẹn trả kết quả mới", due)), framed=True),
        Words(f"Kính gửi: Ông/Bà {matter.dossier.contact.name}"),
        Fields(matter.person()[1:]),
        Words(_so_far(matter, extension, agency.name)),
        Because(
            extension.reason,
            f"Đến {matter.office.name}, {matter.office.address}, từ {due} để nhận kết quả.",
        ),
        Words(
            f"Sự chậm trễ này đã gây phiền hà cho Ông/Bà. {agency.name} xin lỗi Ông/Bà và hẹn trả "
            f"kết quả vào {due}."
        ),
        Words(matter.ask()),
    )
    head = (Signer("Thủ trưởng cơ quan, đơn vị", hint=_HEAD),)
    return matter.paper("apology", extension.at, blocks, head, part=extension.number, issuer=agency)


def _so_far(matter: Matter, extension: Extension, agency: str) -> str:
    dossier = matter.dossier
    again = [e for e in dossier.extensions if e.number < extension.number]
    told = [f"hẹn trả kết quả lúc {minute(dossier.promised_at)}", *(
        f"đã hẹn lại {minute(one.due_at)}" for one in again
    )]  # fmt: skip
    return (
        f"{matter.office.name} tiếp nhận hồ sơ của Ông/Bà lúc {minute(dossier.received_at)}, "
        f"{'; '.join(told)}. "
        + (
            f"Đến nay {agency} chưa giải quyết xong hồ sơ."
            if extension.gives_time
            else f"Do {agency} chậm trễ, kết quả có sau ngày đã hẹn."
        )
    )
