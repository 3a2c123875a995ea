"""A small invented procedure, office and calendar, and dossiers made of them; no test lives here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.contacts import ContactInput
from services.intake.domain.deadline import Rules
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount
from services.intake.domain.reception import submit
from services.intake.domain.submission import SubmitDossier, check_submission
from shared.catalogue import (
    Agency,
    Branch,
    Catalogue,
    Fee,
    FormField,
    FormKind,
    OfficeHours,
    OfficialForm,
    Paper,
    PapersRule,
    Procedure,
    Step,
    Words,
)
from shared.kernel.calendar import Duration, Session, WorkingCalendar
from shared.kernel.clock import VN

DAY = (Session(time(7, 30), time(11, 30)), Session(time(13, 30), time(17, 30)))
CALENDAR = WorkingCalendar(
    weekly=dict.fromkeys(range(5), DAY),
    off=frozenset({date(2022, 4, 11)}),
    years=frozenset({2021, 2022, 2023}),
)


def vn(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant on the wall clock of Việt Nam."""
    return datetime(year, month, day, hour, minute, tzinfo=VN).astimezone(UTC)


NOW = vn(2022, 3, 1, 9)  # a Tuesday
CODE = "000.01.15.H20-220301-0001"
TODAY = NOW.date()

OFFICE = Agency(
    code="ubnd-phuong-1",
    official_id="000.01.15.H20",
    name="UBND Phường 1",
    short_name="UBND P1",
    roles=("desk",),
    territory="29866",
    reach="web",
    calendar="office",
    address="Số 1 đường Thử",
    hotline="02773850001",
    valid_from=date(2020, 1, 1),
    valid_to=None,
    is_office=True,
)

OTHER_OFFICE = replace(
    OFFICE, code="ubnd-phuong-2", official_id="000.02.15.H20", name="UBND Phường 2"
)
TAX = replace(
    OFFICE, code="thue", official_id="000.09.15.H20", name="Chi cục Thuế", is_office=False
)
PROCEDURE = Procedure(
    code="1.000001",
    version=1,
    valid_from=date(2020, 1, 1),
    valid_to=None,
    name="Thủ tục thử nghiệm",
    short_name="Thu tuc thu nghiem",
    field="Thử nghiệm",
    level="commune",
    duration=Duration(5, "working_day"),
    supplement_rule="resume",
    max_supplement_rounds=None,
    papers=(
        Paper("to-khai", "Tờ khai", 1, 0),
        Paper("giay-to", "Giấy tờ tùy thân", 0, 1),
        Paper("uy-quyen", "Văn bản ủy quyền", 1, 0, "khi người khác nộp thay"),
    ),
    form=(
        FormField("full_name", "Họ và tên", "name", True, True, max_length=50),
        FormField("birth_date", "Ngày sinh", "date", True, True, not_after="today"),
        FormField("copies", "Số bản", "number", False, False),
        FormField("purpose", "Mục đích", "choice", False, False, choices=("học", "làm")),
        FormField("urgent", "Gấp", "bool", False, False),
        FormField("helper_phone", "Điện thoại người giúp", "phone", False, True),
        FormField("id_number", "Số định danh", "id_number", False, True),
        FormField(
            "area",
            "Diện tích (m2)",
            "number",
            False,
            False,
            unit="m2",
            least=0.1,
            greatest=10_000_000,
            decimals=2,
        ),
        FormField(
            "price",
            "Giá (đồng)",
            "number",
            False,
            True,
            unit="vnd",
            least=1000,
            greatest=10**13,
        ),
        FormField(
            "since",
            "Từ năm",
            "number",
            False,
            False,
            unit="ordinal",
            least=1900,
            greatest="this_year",
        ),
        FormField("child_birth", "Con sinh ngày", "date", False, True, not_before=6),
        FormField("until", "Đến ngày", "date", False, False, not_before=0),
    ),
    fee=Fee(None, "none"),
    branches=(Branch("main", "Việc chính", True), Branch("extra", "Việc thêm", False)),
    min_branches=1,
    steps=(),
    results=(),
    channels=("direct", "online", "postal"),
)

PAPERS = (PaperCount("to-khai", 1, 0), PaperCount("giay-to", 0, 1))
CONTACT = ContactInput(
    name="Nguyễn Thị Mai", phone="0907 123 456", email="mai@example.com", sms=True, mail=True
)
FORM = {"full_name": "Nguyễn Thị Mai", "birth_date": "1990-05-04"}


def command(**changes: Any) -> SubmitDossier:
    """A submission in order, changed where a test wants it."""
    made = SubmitDossier(
        office=OFFICE.code,
        procedure=PROCEDURE.code,
        channel="direct",
        contact=CONTACT,
        form=FORM,
        papers=PAPERS,
        branches=None,
    )
    return replace(made, **changes)


PAPERS_RULE = PapersRule(
    valid_from=date(2020, 1, 1),
    valid_to=None,
    remind_before=Duration(1, "working_day"),
    unanswered="close",
    reason=Words(
        "Giấy tờ yêu cầu ngày {asked} chưa có đến {respond_by}",
        "Papers asked for on {asked} did not come by {respond_by}",
    ),
    next_step=Words("Nộp lại tại {office}", "File again at {office}"),
)


_BEFORE = (date(2020, 1, 1), date(2025, 6, 30), "Thông tư 01/2018/TT-VPCP")
_SINCE = (date(2025, 7, 1), None, "Thông tư 03/2025/TT-VPCP")
_POLICE = (date(2020, 1, 1), None, "Thông tư 56/2021/TT-BCA")


def _forms(
    period: tuple[date, date | None, str],
    *forms: tuple[FormKind, str, str, str],
    used_by: tuple[str, ...] = (),
) -> list[OfficialForm]:
    first, last, circular = period
    return [
        OfficialForm(kind, number, title, suffix, circular, used_by, first, last)
        for kind, number, suffix, title in forms
    ]


#: Two circulars for everybody, and one for dossiers that the police alone act on.
FORMS = [
    *_forms(
        _BEFORE,
        ("receipt", "01", "TNHS", "Giấy tiếp nhận hồ sơ và hẹn trả kết quả"),
        ("supplement", "02", "HDHS", "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ"),
        ("refusal", "03", "TCHS", "Phiếu từ chối giải quyết hồ sơ"),
        ("stop", "03", "TCHS", "Phiếu từ chối giải quyết hồ sơ"),
        ("apology", "04", "PXL", "Phiếu xin lỗi và hẹn lại ngày trả kết quả"),
        ("control", "05", "KSHS", "Phiếu kiểm soát quá trình giải quyết hồ sơ"),
        ("register", "06", "STDHS", "Sổ theo dõi hồ sơ"),
    ),
    *_forms(
        _SINCE,
        ("receipt", "01", "TNHS", "Giấy tiếp nhận hồ sơ và hẹn trả kết quả"),
        ("supplement", "02", "HDHS", "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ"),
        ("refusal", "03", "TCHS", "Phiếu từ chối tiếp nhận hồ sơ"),
        ("apology", "04", "PXL", "Phiếu xin lỗi và đề nghị gia hạn thời gian trả kết quả"),
        ("stop", "05", "DHS", "Thông báo dừng giải quyết hồ sơ"),
        ("control", "06", "KSHS", "Phiếu kiểm soát quá trình giải quyết hồ sơ"),
        ("register", "07", "STDHS", "Sổ theo dõi hồ sơ"),
    ),
    *_forms(
        _POLICE,
        ("receipt", "CT04", "TNHS", "Phiếu tiếp nhận hồ sơ và hẹn trả kết quả"),
        ("refusal", "CT06", "TCHS", "Phiếu từ chối tiếp nhận, giải quyết hồ sơ"),
        used_by=("commune_police", "police"),
    ),
]


def catalogue(*procedures: Procedure, papers_rule: PapersRule | None = PAPERS_RULE) -> Catalogue:
    """These procedures at the test offices."""
    return Catalogue(
        version="test",
        procedures=procedures,
        agencies=[OFFICE, OTHER_OFFICE, TAX],
        roles=[],
        wards=[],
        hours={"office": OfficeHours("Giờ hành chính", CALENDAR, CALENDAR, frozenset())},
        holidays=(),
        holidays_source="test",
        templates=[],
        papers_rules=[] if papers_rule is None else [papers_rule],
        forms=FORMS,
    )


def around(
    now: datetime = NOW,
    procedure: Procedure = PROCEDURE,
    papers_rule: PapersRule | None = PAPERS_RULE,
) -> Circumstances:
    """One procedure, whatever the day, at this instant."""
    return Circumstances(catalogue(procedure, papers_rule=papers_rule), now)


def rules(procedure: Procedure = PROCEDURE) -> Rules:
    """The time rules of a procedure at the test office."""
    return Rules(procedure.duration, CALENDAR, procedure.supplement_rule == "restart")


def dossier(
    channel: str = "direct", at: datetime = NOW, procedure: Procedure = PROCEDURE
) -> Dossier:
    """A dossier just submitted."""
    checked = check_submission(command(channel=channel), procedure, OFFICE, TODAY)
    made = submit(checked, CODE, "ABC234", around(at, procedure)).state
    assert made is not None
    return made


PAYING = replace(
    PROCEDURE,
    code="1.000002",
    name="Thủ tục có nộp tiền",
    steps=(
        Step(
            code="pay",
            name="Nộp tiền",
            role="tax",
            kind="payment",
            after=(),
            budget=None,
            shares=("full_name",),
            branch=None,
            silence="none",
            after_result=False,
            pauses_clock=True,
            results=(),
            max_extensions=0,
        ),
    ),
)
RESTARTING = replace(
    PROCEDURE, code="1.000003", supplement_rule="restart", duration=Duration(3, "working_day")
)
NEW_VERSION = replace(
    PROCEDURE, version=2, valid_from=date(2022, 3, 10), duration=Duration(2, "working_day")
)
CATALOGUE = catalogue(
    replace(PROCEDURE, valid_to=date(2022, 3, 9)),
    NEW_VERSION,
    PAYING,
    RESTARTING,
    replace(PROCEDURE, code="1.000004", level="city"),
)
