"""Handing results over: at the desk, by post, online; all of them or some now and the rest later."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from services.intake.domain.calling import met
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Dossier, Handed
from services.intake.domain.statuses import Status
from services.intake.domain.texts import check_name, check_text, missing
from services.intake.domain.waits import must_allow
from shared.events.decision import Decision
from shared.events.intake import DossierPartlyReturned, DossierReturned, WaybillCorrected
from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import fold_wide
from shared.kernel.text import msgid

RETURN_METHODS: Final = {
    "desk": (msgid("Nhận tại bộ phận một cửa"), "collected at the desk"),
    "post": (msgid("Gửi qua bưu điện"), "sent by post"),
    "online": (msgid("Trả kết quả điện tử"), "returned online"),
}
TAKERS_VI: Final = {
    "applicant": msgid("Người nộp hồ sơ"),
    "representative": msgid("Người được ủy quyền"),
}
_WAYBILL: Final = re.compile("[A-Z0-9][A-Z0-9-]{4,39}")


def return_result(
    dossier: Dossier,
    around: Circumstances,
    /,
    *,
    method: str,
    steps: Collection[str] | None = None,
    **told: Any,
) -> Decision[Dossier]:
    """Put results into the citizen's hands; `method` is one of RETURN_METHODS.

    `steps`: those whose results leave now (None: all that are left). Told besides, and checked where
    it is told: `taker`, `taker_name`, `id_checked` at the desk, `carrier`, `waybill` by post.
    """
    must_allow(dossier, "return-result")
    faults: list[Fault] = []
    leaving = _leaving(dossier, steps, faults)
    handed = Handed(around.now, method, leaving)
    if method not in RETURN_METHODS:
        said = ", ".join(RETURN_METHODS)
        faults.append(Fault("method", f"Chọn một trong: {said}.", f"one of: {said}"))
    elif method == "desk":
        handed = _taken(handed, faults, **_only(told, "taker", "taker_name", "id_checked"))
    elif method == "post":
        handed = _posted(dossier, handed, faults, **_only(told, "carrier", "waybill"))
    if faults:
        raise InvalidInput(faults)
    here, spoken = met(dossier, around.now)
    after = replace(here, handed=(*dossier.handed, handed))
    common: dict[str, Any] = {
        "dossier": dossier.code, "method": method, "returned_at": around.now,
        "taker": handed.taker, "carrier": handed.carrier, "waybill": handed.waybill,
    }  # fmt: skip
    if left := len(after.results_left):
        partly = DossierPartlyReturned(steps=leaving, left=left, **common)
        return Decision(after, (partly, *spoken))
    returned = replace(after, status=dossier.becoming(Status.RETURNED), returned_at=around.now)
    return Decision(returned, (DossierReturned(**common), *spoken))


def _only(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: told[name] for name in names if told.get(name) is not None}


def _leaving(
    dossier: Dossier, steps: Collection[str] | None, faults: list[Fault]
) -> tuple[str, ...]:
    left = [result.step for result in dossier.results_left]
    if steps is None:
        return tuple(left)
    if not steps:
        faults.append(Fault("steps", "Đánh dấu kết quả được trả lần này.", "name what is returned"))
    if unknown := set(steps) - set(left):
        said = ", ".join(left)
        faults.append(
            Fault(
                "steps",
                f"Có {len(unknown)} kết quả không còn ở đây; còn: {said}.",
                f"not left here; left are: {said}",
            )
        )
    return tuple(step for step in left if step in steps)


def _taken(
    handed: Handed,
    faults: list[Fault],
    taker: str | None = None,
    taker_name: str | None = None,
    *,
    id_checked: bool = False,
) -> Handed:
    """Who took it; a desk's program that says nothing of it is let through, as ever."""
    if taker is None:
        return handed
    if taker not in TAKERS_VI:
        said = ", ".join(TAKERS_VI)
        faults.append(Fault("taker", "Chọn ai nhận kết quả.", f"one of: {said}"))
        return handed
    if not id_checked:
        vi = "Xem giấy tờ tùy thân của người nhận rồi đánh dấu."
        faults.append(Fault("id_checked", vi, "the identity of whoever takes it must be checked"))
    name = None
    if taker == "representative":
        name = check_name(taker_name, "taker_name", faults, longest=200)
    return replace(handed, taker=taker, name=name)


def _posted(
    dossier: Dossier,
    handed: Handed,
    faults: list[Fault],
    carrier: str | None = None,
    waybill: str | None = None,
) -> Handed:
    if carrier is None and waybill is None:
        return handed
    by, number = _written(carrier, waybill, faults)
    if dossier.contact.address is None:
        vi = "Hồ sơ chưa ghi địa chỉ để gửi: sửa cách liên hệ trước."
        faults.append(Fault("method", vi, "there is no address to send it to: mend the contact"))
    return replace(handed, carrier=by, waybill=number)


def _written(
    carrier: str | None, waybill: str | None, faults: list[Fault]
) -> tuple[str | None, str]:
    """The carrier and the number of a parcel as they are kept."""
    by = check_text(carrier, "carrier", faults, longest=100)
    number = re.sub(r"\s", "", fold_wide(waybill or "")).upper()
    if not number:
        faults.append(missing("waybill"))
    elif _WAYBILL.fullmatch(number) is None:
        vi = "Mã vận đơn có từ 5 đến 40 chữ cái không dấu, chữ số, gạch nối."
        faults.append(Fault("waybill", vi, "5 to 40 letters, digits and hyphens"))
    return by, number


def correct_waybill(
    dossier: Dossier,
    around: Circumstances,
    /,
    *,
    waybill: str | None,
    carrier: str | None,
    reason: str | None,
    number: int | None = None,
) -> Decision[Dossier]:
    """Mend what was written of a parcel; when it left and what was in it stay as they are.

    `number`: which hand-over of the dossier it was, from 1 (None: the last that went by post).
    """
    must_allow(dossier, "correct-waybill")
    faults: list[Fault] = []
    sent = [at for at, each in enumerate(dossier.handed, 1) if each.method == "post"]
    if number is not None and number not in sent:
        said = ", ".join(map(str, sent))
        faults.append(Fault("number", f"Chọn một trong: {said}.", f"sent by post were: {said}"))
    place = (number if number in sent else sent[-1]) - 1
    was = dossier.handed[place]
    by, written = _written(carrier, waybill, faults)
    why = check_text(reason, "reason", faults)
    if not faults and (by, written) == (was.carrier, was.waybill):
        faults.append(Fault("waybill", "Giống như đang ghi.", "is what is written already"))
    if faults or by is None or why is None:
        raise InvalidInput(faults)
    mended = replace(was, carrier=by, waybill=written)
    handed = (*dossier.handed[:place], mended, *dossier.handed[place + 1 :])
    event = WaybillCorrected(
        dossier=dossier.code, number=place + 1, carrier=by, waybill=written, was=was.waybill,
        reason=why, corrected_at=around.now,
    )  # fmt: skip
    return Decision(replace(dossier, handed=handed), (event,))
