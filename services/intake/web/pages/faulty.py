"""The faults of a form, each with the words of its input and the way to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.intake.domain.forms import PaperCount
from services.intake.web.pages import typed
from shared.catalogue import Procedure
from shared.kernel.errors import Fault

LABELS: Final[Mapping[str, str]] = {
    "items": "Giấy tờ, thông tin cần bổ sung",
    "reason": "Lý do",
    "next_step": "Hướng dẫn",
    "respond_by": "Trả lời trước ngày",
    "task": "Yêu cầu gia hạn",
    "due_at": "Ngày hẹn mới",
    "amount_vnd": "Số tiền",
    "proof": "Số biên lai",
    "method": "Cách nhận",
    "steps": "Kết quả trả lần này",
    "taker": "Người nhận",
    "taker_name": "Họ và tên người được ủy quyền",
    "id_checked": "Giấy tờ tùy thân",
    "carrier": "Bên chuyển phát",
    "waybill": "Mã vận đơn",
    "channel": "Hình thức nộp",
    "branches": "Việc công dân chọn",
    "papers": "Giấy tờ",
    "c.name": "Họ và tên người nộp",
    "c.phone": "Số điện thoại",
    "c.email": "Thư điện tử",
    "c.address": "Địa chỉ",
    "c.language": "Ngôn ngữ của tin báo",
    "c.first": "Báo bằng cách nào trước",
    "c.sms": "Tin nhắn SMS",
    "c.mail": "Báo bằng thư điện tử",
    "c.consent": "Cách báo tin",
}
#: Inputs that are groups of others -> the one to go to.
_FIRST_OF: Final[Mapping[str, str]] = {"c.consent": "c.sms"}
CONSENT: Final = "contact.consent"
_ASKED: Final = "asked"


@dataclass(frozen=True, slots=True)
class Faulty:
    """Faults by their places: what the input is called, and the id of the input to go to."""

    labels: Mapping[str, str]
    inputs: Mapping[str, str]


def faulty(
    faults: Sequence[Fault], counts: Sequence[PaperCount], procedure: Procedure, form: str = ""
) -> Faulty:
    """`form` is the word that keeps the ids of one form of a page apart from those of the others."""
    known = dict(LABELS)
    known |= {f"f.{field.name}": field.label for field in procedure.form}
    known |= {f"p.{paper.code}": paper.name for paper in procedure.papers}
    known |= {f"p.{typed.OTHER}": "Giấy tờ khác"}
    before = f"{form}-" if form else ""
    labels, inputs = {}, {}
    for fault in faults:
        name = typed.input_of(fault.place, counts)
        if name not in known:
            labels[fault.place] = ""
            continue
        labels[fault.place] = known[name]
        alone = name.startswith("p.") or name in ("papers", "channel", "branches")
        inputs[fault.place] = f"f-{'' if alone else before}{_FIRST_OF.get(name, name)}"
    return Faulty(labels, inputs)


def unasked(values: typed.Typed) -> tuple[Fault, ...]:
    """A phone or an e-mail was given and no way of telling was chosen: asked about, once."""
    reachable = values.get("c.phone", "").strip() or values.get("c.email", "").strip()
    if not reachable or "c.sms" in values or "c.mail" in values or _ASKED in values:
        return ()
    words = (
        "Đã ghi số điện thoại hoặc thư điện tử mà chưa chọn cách báo tin. Công dân đồng ý thì đánh "
        "dấu một cách; không đồng ý thì bấm nộp lần nữa."
    )
    return (Fault(CONSENT, words, "no way of telling was chosen; send again to leave it so"),)
