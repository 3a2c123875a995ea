"""One paper of each kind, as the tests and the stored pictures have them; no test lives here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Dossier, Ending, Extension, Pause, Wait
from services.intake.domain.papers import Matter, OfficialPaper, draw_up, register
from services.intake.domain.statuses import Status
from services.intake.web.papers.pdf import Size
from shared.catalogue import Paper as Asked
from shared.catalogue import Procedure, Step
from shared.events import parts
from shared.events.event import Event
from shared.events.intake import DossierRefused
from shared.events.routing import StepAnswered, StepOpened, StepRepeated
from shared.kernel.calendar import Duration
from tests.intake.made import CODE, NOW, OFFICE, PROCEDURE, TAX, catalogue, dossier, vn

LOOK_UP: Final = "https://motcua.example.vn/tra-cuu"
JUSTICE: Final = replace(TAX, code="tu-phap", official_id="000.08.15.H20", name="Phòng Tư pháp")
OPENINGS: Final = "Thứ Hai - Thứ Sáu 07:30-11:30, 13:30-17:30"


def step(code: str, name: str, *after: str) -> Step:
    return Step(
        code=code,
        name=name,
        role="justice",
        kind="task",
        after=after,
        budget=Duration(3, "working_day"),
        shares=(),
        branch=None,
        silence="none",
        after_result=False,
        pauses_clock=False,
        results=(),
        max_extensions=1,
    )


LINKED: Final = replace(
    PROCEDURE,
    name="Liên thông: Đăng ký khai sinh, cấp thẻ bảo hiểm y tế",
    steps=(step("birth", "Đăng ký khai sinh"), step("card", "Cấp thẻ bảo hiểm y tế", "birth")),
)
#: As long as each may be: a name of 196 letters, an address of 300, forty papers.
LONG_NAME: Final = ("Công Tằng Tôn Nữ Hoàng Nguyễn Thị Phương Thảo " * 5)[:196]
LONG_ADDRESS: Final = ("Số 123/45/67 hẻm 89 đường Nguyễn Huệ nối dài, khóm Mỹ Phú, " * 6)[:300]
LONG_PROCEDURE: Final = "Cấp, cấp đổi, cấp lại giấy chứng nhận quyền sử dụng đất ở và nhà ở mới"
MANY: Final = tuple(
    parts.Paper(code=f"p-{n}", name=f"Giấy tờ thứ {n} về nguồn gốc thửa đất", original=1, copy=n)
    for n in range(1, 41)
)


def filed(**changes: Any) -> Dossier:
    """A received dossier of one person with an address."""
    made = dossier()
    contact = replace(made.contact, address="12 Nguyễn Huệ, Phường 1, Cao Lãnh")
    return replace(replace(made, code=CODE, contact=contact), **changes)


def online(**changes: Any) -> Dossier:
    made = dossier(channel="online")
    contact = replace(made.contact, address="12 Nguyễn Huệ, Phường 1, Cao Lãnh")
    return replace(replace(made, code=CODE, contact=contact), **changes)


def matter(
    made: Dossier,
    *facts: Event,
    procedure: Procedure = PROCEDURE,
    lookup: str | None = LOOK_UP,
    officer: str | None = None,
) -> Matter:
    around = Circumstances(with_place(procedure), NOW)
    return Matter(made, facts, around, officer, lookup, OPENINGS)


def with_place(procedure: Procedure) -> Any:
    made = catalogue(procedure)
    agencies = [replace(OFFICE, place="Cao Lãnh"), JUSTICE, TAX]
    made._agencies = {one.code: one for one in agencies}
    return made


def asked(number: int = 1, at: datetime = NOW, **changes: Any) -> Wait:
    return replace(
        Wait(
            kind="supplement",
            asked_by="desk",
            asked_at=at,
            stops_clock=True,
            round=number,
            agency=OFFICE.code,
            items=("Tờ khai có chữ ký của cả hai bên", "Bản sao giấy tờ tùy thân còn hạn"),
            reason="Tờ khai chưa ký; giấy tờ tùy thân đã hết hạn.",
            respond_by=vn(2022, 3, 9, 17),
        ),
        **changes,
    )


def handed() -> tuple[Event, ...]:
    """Routing's words on two steps: one done early, one given twice and still open."""
    justice = parts.Agency(code=JUSTICE.code, name=JUSTICE.name)
    tax = parts.Agency(code=TAX.code, name=TAX.name)
    birth = parts.Step(code="birth", name="Đăng ký khai sinh")
    card = parts.Step(code="card", name="Cấp thẻ bảo hiểm y tế")
    opened, taken, done = vn(2022, 3, 1, 9, 5), vn(2022, 3, 1, 10), vn(2022, 3, 2, 15)
    first: Mapping[str, Any] = {"dossier": CODE, "step": birth, "agency": justice, "task": "t-1"}
    second: Mapping[str, Any] = {"dossier": CODE, "step": card, "agency": tax, "task": "t-2"}
    return (
        StepOpened(**first, opened_at=opened, due_at=vn(2022, 3, 4, 9, 5)),
        StepAnswered(**first, answer="taken", late=False, answered_at=taken),
        StepAnswered(
            **first, answer="completed", outcome="granted", document="12/KS-2022", late=False,
            answered_at=done,
        ),
        StepOpened(**second, opened_at=done, due_at=vn(2022, 3, 7, 15)),
        StepRepeated(**second, number=1, repeated_at=vn(2022, 3, 3, 9)),
        StepAnswered(**second, answer="taken", late=False, answered_at=vn(2022, 3, 3, 10)),
    )  # fmt: skip


def receipt(**changes: Any) -> OfficialPaper:
    return draw_up(matter(filed(**changes)), "receipt")


def long_receipt() -> OfficialPaper:
    contact = replace(filed().contact, name=LONG_NAME, address=LONG_ADDRESS)
    papers = tuple(Asked(p.code, p.name, 1, 0) for p in MANY)
    procedure = replace(PROCEDURE, name=LONG_PROCEDURE, papers=papers)
    return draw_up(matter(filed(contact=contact, papers=MANY), procedure=procedure), "receipt")


def requested() -> OfficialPaper:
    made = online(status=Status.SUPPLEMENT, waits=(asked(),))
    return draw_up(matter(made), "supplement")


def refused() -> OfficialPaper:
    ending = Ending("Nơi nộp không đúng thẩm quyền.", "Nộp tại UBND Phường 2, số 5 đường Thử.")
    made = online(status=Status.REFUSED, ending=ending)
    said = DossierRefused(
        dossier=CODE,
        procedure=parts.ProcedureVersion(code="1.000001", name="x", version=1, short_name="x"),
        office=parts.Agency(code=OFFICE.code, name=OFFICE.name),
        reason=ending.reason,
        next_step=ending.next_step or "",
        refused_at=NOW + timedelta(hours=2),
    )
    return draw_up(matter(made, said), "refusal")


def stopped() -> OfficialPaper:
    ending = Ending("Thửa đất đang có tranh chấp.", "Nộp lại sau khi có bản án của tòa.")
    made = filed(status=Status.STOPPED, ending=ending, finished_at=vn(2025, 7, 2, 10))
    return draw_up(matter(made), "stop")


def sorry() -> OfficialPaper:
    reason = "Chờ đo đạc lại ranh giới thửa đất do mưa lớn kéo dài."
    later = Extension(1, vn(2022, 3, 7, 16), vn(2022, 3, 15, 9), TAX.code, reason)
    return draw_up(matter(filed(extensions=(later,))), "apology")


def slip_of_control() -> OfficialPaper:
    pause = Pause(vn(2022, 3, 3, 11), until=vn(2022, 3, 4, 8), due_after=vn(2022, 3, 9, 9))
    made = filed(status=Status.PROCESSING, pauses=(pause,))
    return draw_up(matter(made, *handed(), procedure=LINKED), "control")


def days_register(rows: int = 3) -> OfficialPaper:
    around = Circumstances(with_place(LINKED), NOW)
    dossiers = [
        filed(code=f"000.01.15.H20-220301-{number:04}", received_at=NOW + timedelta(minutes=number))
        for number in range(1, rows + 1)
    ]
    return register(around, around.catalogue.agency(OFFICE.code), NOW.date(), dossiers)


#: Name of the stored picture -> the paper and its size.
SAMPLES: Final[Mapping[str, tuple[OfficialPaper, Size]]] = {
    "receipt": (receipt(), "a4"),
    "receipt-slip": (receipt(), "slip"),
    "receipt-long": (long_receipt(), "a4"),
    "receipt-long-slip": (long_receipt(), "slip"),
    "supplement": (requested(), "a4"),
    "supplement-slip": (requested(), "slip"),
    "refusal": (refused(), "a4"),
    "refusal-slip": (refused(), "slip"),
    "stop": (stopped(), "a4"),
    "apology": (sorry(), "a4"),
    "control": (slip_of_control(), "a4"),
    "register": (days_register(), "a4"),
}
