"""The day's register of an office: what it received, in the order of reception."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import CHANNELS_VI, Dossier
from services.intake.domain.papers.matter import place_of
from services.intake.domain.papers.model import (
    Column,
    Field,
    Fields,
    OfficialPaper,
    Signer,
    Table,
)
from services.intake.domain.papers.words import minute
from shared.catalogue import Agency
from shared.kernel.clock import VN, as_utc
from shared.kernel.errors import NotFound

_COLUMNS: Final = (
    Column("STT", 6, unbroken=True),
    Column("Mã hồ sơ", 28, unbroken=True),
    Column("Thủ tục", 22),
    Column("Người nộp, địa chỉ, điện thoại", 22),
    Column("Cơ quan giải quyết", 16),
    Column("Nhận lúc", 14),
    Column("Hẹn trả", 14),
    Column("Trả kết quả", 14),
    Column("Ký nhận", 10),
    Column("Ghi chú", 14),
)


def register(
    around: Circumstances,
    office: Agency,
    on: date,
    dossiers: Sequence[Dossier],
    *,
    before: int = 0,
    total: int | None = None,
    officer: str | None = None,
) -> OfficialPaper:
    """What the office received on that local day; `before` rows of `total` stand on other papers."""
    form = around.catalogue.form("register", on)
    rows = tuple(_row(around, office, before + place, one) for place, one in enumerate(dossiers, 1))
    count = len(rows) if total is None else total
    shown = f" (trong sổ này: {before + 1}-{before + len(rows)})" if len(rows) < count else ""
    return OfficialPaper(
        kind="register",
        form=form,
        title=form.title,
        number=f"{on:%y%m%d}/{form.suffix}",
        issuer=office,
        place=place_of(around, office, _end_of(on)),
        at=_end_of(on),
        blocks=(
            Fields((
                Field("Ngày tiếp nhận", f"{on:%d/%m/%Y}"),
                Field("Số hồ sơ", f"{count}{shown}"),
            )),
            Table(None, _COLUMNS, rows, empty="Ngày này không tiếp nhận hồ sơ nào.", signed=True),
        ),
        signers=(Signer("Người ghi sổ", officer),),
        wide=True,
    )  # fmt: skip


def _end_of(on: date) -> datetime:
    return as_utc(datetime.combine(on, time(23, 59), VN))


def _row(around: Circumstances, office: Agency, number: int, dossier: Dossier) -> tuple[str, ...]:
    contact, procedure = dossier.contact, around.procedure(dossier)
    person = (contact.name, contact.address, contact.phone_original or contact.phone)
    return (
        str(number),
        dossier.code,
        procedure.name,
        ", ".join(part for part in person if part),
        _first_agency(around, office, dossier),
        minute(dossier.received_at),
        minute(dossier.due_at),
        minute(dossier.returned_at),
        "",
        f"{CHANNELS_VI[dossier.channel].capitalize()}; {dossier.status.vi}",
    )


def _first_agency(around: Circumstances, office: Agency, dossier: Dossier) -> str:
    """Who takes it up first; nobody where no agency has the role."""
    steps = [step for step in around.procedure(dossier).steps if step.kind == "task"]
    try:
        role = steps[0].role if steps else ""
        return around.catalogue.agency_for(role, office.territory, around.today).name
    except NotFound:
        return ""
