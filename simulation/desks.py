"""The reception desks of a simulated city: everything they do goes through intake's REST door.

Lives here: what each desk says, and what was refused with its reason. Must not: deciding when
(citizens), or how a door is asked (the test kit's `Desk`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from shared.catalogue import Procedure
from shared.events.routing import PaymentRequested
from shared.kernel.clock import format_instant
from simulation.kit.clients import Desk, Rejected
from simulation.people import Citizen

REFUSED_WITH = "Giấy tờ không đúng thủ tục đã chọn"
NEXT_STEP = "Mang bản gốc đến bộ phận một cửa để được hướng dẫn lại"
MISSING = "Giấy tờ tùy thân chưa rõ"
WITHDRAWN_BECAUSE = "Người nộp xin rút để nộp lại sau"


@dataclass(frozen=True, slots=True)
class Filing:
    """What a citizen hands in at an office, ready for the door."""

    office: str
    body: Mapping[str, Any] = field(repr=False)


def filing_body(
    procedure: Procedure,
    citizen: Citizen,
    channel: str,
    form: Mapping[str, Any],
    branches: Sequence[str] | None = None,
) -> dict[str, Any]:
    """What intake's door takes: the form, every paper that is always asked for, the contact."""
    return {
        "procedure": procedure.code,
        "channel": channel if channel in procedure.channels else procedure.channels[0],
        "form": form,
        "papers": [
            {"code": paper.code, "original": paper.original, "copy": paper.copy}
            for paper in procedure.papers
            if paper.condition is None
        ],
        "branches": branches,
        "contact": {
            "name": citizen.name,
            "phone": citizen.phone,
            "email": citizen.email,
            "language": citizen.language,
            "consent": citizen.consent,
        },
    }


NO_MORE_TIME = "Công dân cần kết quả đúng hẹn; ưu tiên xử lý hồ sơ này"


class Desks:
    """Every desk of a city, and what intake did not take."""

    def __init__(self, desk: Callable[[str], Desk]) -> None:
        self._desk = cache(desk)
        self._office: dict[str, str] = {}
        self._channel: dict[str, str] = {}
        self._acts = 0
        self.refused: list[tuple[str, str]] = []  # what intake did not take, and why

    def office_of(self, code: str) -> str:
        return self._office[code]

    def submit(self, filing: Filing, key: str) -> str | None:
        """The new dossier's code, or None where intake refused (kept in `refused`)."""
        try:
            code = self._desk(filing.office).file(filing.body, key=key).code
        except Rejected as refused:
            self.refused.append((key, first_reason(refused.problem)))
            return None
        self._office[code] = filing.office
        self._channel[code] = str(filing.body["channel"])
        return code

    def receive(self, office: str, code: str) -> bool:
        return self._act(office, code, "receive", {})

    def refuse(self, office: str, code: str) -> bool:
        return self._act(office, code, "refuse", {"reason": REFUSED_WITH, "next_step": NEXT_STEP})

    def ask_papers(self, office: str, code: str, respond_by: datetime) -> bool:
        body = {
            "items": [MISSING],
            "reason": REFUSED_WITH,
            "respond_by": format_instant(respond_by),
        }
        return self._act(office, code, "request-supplement", body)

    def supplement(self, office: str, code: str) -> bool:
        brought = {"name": "Giấy tờ bổ sung theo yêu cầu", "original": 1, "copy": 0}
        return self._act(office, code, "supplement", {"papers": [brought]})

    def pay(self, office: str, asked: PaymentRequested) -> bool:
        amount = asked.amount_vnd or 100_000
        body = {"step": asked.step, "amount_vnd": amount, "proof": f"BL-{asked.reference}"[:60]}
        return self._act(office, asked.dossier, "payment", body)

    def grant_time(self, office: str, code: str, task: str) -> bool:
        return self._act(office, code, "grant-extension", {"task": task})

    def refuse_time(self, office: str, code: str, task: str) -> bool:
        body = {"task": task, "reason": NO_MORE_TIME}
        return self._act(office, code, "refuse-extension", body)

    def apologise(self, office: str, code: str, reason: str, due_at: datetime) -> bool:
        body = {"reason": reason, "due_at": format_instant(due_at)}
        return self._act(office, code, "apologise", body)

    def withdraw(self, office: str, code: str) -> bool:
        return self._act(office, code, "withdraw", {"reason": WITHDRAWN_BECAUSE})

    def hand_over(self, office: str, code: str) -> bool:
        method = {"postal": "post"}.get(self._channel[code], "desk")
        return self._act(office, code, "return-result", {"method": method})

    def called(self, office: str, code: str, outcome: str) -> bool:
        return self._act(office, code, "called", {"outcome": outcome})

    def _act(self, office: str, code: str, verb: str, body: Mapping[str, Any]) -> bool:
        self._acts += 1
        key = f"{code}-{verb}-{self._acts}"
        try:
            self._desk(office).act(code, verb, body, key=key)
        except Rejected as refused:
            # 409: the dossier went another way meanwhile (withdrawn, stopped, supplemented).
            if refused.status != 409:
                self.refused.append((key, first_reason(refused.problem)))
            return False
        return True


def first_reason(problem: Mapping[str, Any]) -> str:
    """The first fault that a door told, as `place: text`, for the list of what was refused."""
    errors = problem.get("errors") or []
    if errors:
        return f"{errors[0].get('place')}: {errors[0].get('vi')}"
    return str(problem.get("detail") or problem.get("title") or "không rõ")
