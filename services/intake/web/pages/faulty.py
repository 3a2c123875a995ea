"""The faults of a form, each with the words of its input and the way to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.intake.domain.forms import PaperCount
from services.intake.usecases.unreached import Unreached
from services.intake.web.pages import typed
from shared.catalogue import Procedure
from shared.kernel.errors import Fault
from shared.web.filters import vn_date
from shared.web.words import gettext, msgid

LABELS: Final[Mapping[str, str]] = {
    "items": msgid("Giấy tờ, thông tin cần bổ sung"),
    "reason": msgid("Lý do"),
    "next_step": msgid("Hướng dẫn"),
    "respond_by": msgid("Trả lời trước ngày"),
    "task": msgid("Yêu cầu gia hạn"),
    "due_at": msgid("Ngày hẹn mới"),
    "amount_vnd": msgid("Số tiền"),
    "proof": msgid("Số biên lai"),
    "method": msgid("Cách nhận"),
    "steps": msgid("Kết quả trả lần này"),
    "taker": msgid("Người nhận"),
    "taker_name": msgid("Họ và tên người được ủy quyền"),
    "id_checked": msgid("Giấy tờ tùy thân"),
    "carrier": msgid("Bên chuyển phát"),
    "waybill": msgid("Mã vận đơn"),
    "channel": msgid("Hình thức nộp"),
    "branches": msgid("Việc công dân chọn"),
    "papers": msgid("Giấy tờ"),
    "c.name": msgid("Họ và tên người nộp"),
    "c.phone": msgid("Số điện thoại"),
    "c.email": msgid("Thư điện tử"),
    "c.address": msgid("Địa chỉ"),
    "c.language": msgid("Ngôn ngữ của tin báo"),
    "c.first": msgid("Báo bằng cách nào trước"),
    "c.sms": msgid("Tin nhắn SMS"),
    "c.mail": msgid("Báo bằng thư điện tử"),
    "c.consent": msgid("Cách báo tin"),
    "c.rep_name": msgid("Họ và tên người được ủy quyền"),
    "c.rep_phone": msgid("Số điện thoại người được ủy quyền"),
    "c.rep_email": msgid("Thư điện tử người được ủy quyền"),
    "c.rep_authority": msgid("Giấy ủy quyền"),
}
#: Inputs that are groups of others -> the one to go to.
_FIRST_OF: Final[Mapping[str, str]] = {"c.consent": "c.sms"}
_LOST: Final = "_lost"
_WARNED: Final = "warned."
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
    known = {name: gettext(vi) for name, vi in LABELS.items()}
    known |= {f"{name}{_LOST}": known[name] for name in known if name.startswith("c.")}
    known |= {f"f.{field.name}": field.label for field in procedure.form}
    known |= {f"p.{paper.code}": paper.name for paper in procedure.papers}
    known |= {f"p.{typed.OTHER}": gettext("Giấy tờ khác")}
    known |= {
        f"t.{party.code}.{name}": f"{party.name}: {gettext(LABELS[f'c.{name}'])}"
        for party in procedure.parties
        for name in ("phone", "email", "language", "first", "sms", "mail")
    }
    known |= {f"t.{each.code}.name": each.name for each in procedure.parties}
    before = f"{form}-" if form else ""
    labels, inputs = {}, {}
    for fault in faults:
        name = typed.input_of(fault.place, counts)
        if name not in known:
            labels[fault.place] = ""
            continue
        labels[fault.place] = known[name]
        alone = name.startswith("p.") or name in ("papers", "channel", "branches")
        inputs[fault.place] = (
            f"f-{'' if alone else before}{_FIRST_OF.get(name, name).removesuffix(_LOST)}"
        )
    return Faulty(labels, inputs)


def unasked(values: typed.Typed) -> tuple[Fault, ...]:
    """A phone or an e-mail was given and no way of telling was chosen: asked about, once."""
    places = ("c.phone", "c.email", "c.rep_phone", "c.rep_email")
    reachable = any(values.get(place, "").strip() for place in places)
    if not reachable or "c.sms" in values or "c.mail" in values or _ASKED in values:
        return ()
    words = gettext(
        "Đã ghi số điện thoại hoặc thư điện tử mà chưa chọn cách báo tin. Công dân đồng ý thì đánh "
        "dấu một cách; không đồng ý thì bấm nộp lần nữa."
    )
    return (Fault(CONSENT, words, "no way of telling was chosen; send again to leave it so"),)


def lost_before(values: typed.Typed, found: Iterable[Unreached]) -> tuple[Fault, ...]:
    """Something sent to what is typed here did not arrive: said once of each number and mailbox."""
    told = []
    for each in found:
        name = typed.input_of(each.place, ())
        if values.get(f"{_WARNED}{name}") == values.get(name):
            continue
        words = gettext(
            "Tin đã gửi tới đây không tới (thành phố ghi nhận ngày %(day)s). Hỏi lại người dân; nếu "
            "đúng thì bấm nộp lần nữa.",
            day=vn_date(each.since),
        )
        en = "something sent there did not arrive; send again to keep it"
        told.append(Fault(f"{each.place}{_LOST}", words, en))
    return tuple(told)
