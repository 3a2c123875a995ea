"""The receipt: what was handed in, and when the result is promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from services.intake.domain.dossier import CHANNELS_VI
from services.intake.domain.papers.matter import Matter, number_of, place_of
from services.intake.domain.papers.model import (
    Block,
    Column,
    Field,
    Fields,
    Items,
    OfficialPaper,
    Signer,
    Table,
    Words,
)
from services.intake.domain.papers.words import declared, duration, fee, minute
from shared.events.intake import DossierReceived, DossierSupplemented, SlipGiven
from shared.events.parts import Paper
from shared.kernel.clock import to_vn

_COLUMNS: Final = (
    Column("Giấy tờ", 64),
    Column("Bản chính", 18, unbroken=True),
    Column("Bản sao", 18, unbroken=True),
)
_NOT_YET: Final = "Biên nhận nộp hồ sơ"
_WITHOUT_DATE: Final = "Giấy tiếp nhận hồ sơ"
CORRECTED: Final = "bản sửa"


def receipt(matter: Matter) -> OfficialPaper:
    """The official receipt; before reception a note of what was filed, which is no form's."""
    dossier = matter.dossier
    blocks = tuple(_blocks(matter))
    signers = (
        Signer("Người nộp hồ sơ", dossier.contact.name),
        Signer("Cán bộ tiếp nhận", matter.officer),
    )
    if dossier.received_at is not None:
        paper = matter.paper("receipt", dossier.received_at, blocks, signers)
        mended = f"{paper.title} ({CORRECTED})"
        return replace(paper, title=mended) if dossier.corrections else paper
    return OfficialPaper(
        kind="receipt",
        form=None,
        title=_NOT_YET,
        number=number_of(dossier.code),
        issuer=matter.then(dossier.submitted_at),
        place=place_of(matter.around, matter.then(dossier.submitted_at), dossier.submitted_at),
        at=dossier.submitted_at,
        blocks=blocks,
        signers=signers,
        code=dossier.code,
        lookup=matter.lookup,
    )


def _blocks(matter: Matter) -> Iterator[Block]:
    dossier, procedure, office = matter.dossier, matter.procedure, matter.office
    promised = dossier.promised_at if _with_date(matter) else None
    found = [matter.code_field(), Field("Từ tra cứu", dossier.lookup_word, unbroken=True)]
    if promised:
        found.append(Field("Hẹn trả kết quả", minute(promised)))
    yield Fields(tuple(found), framed=True)
    yield Fields(matter.person())
    if dossier.branches:
        chosen = (one.name for one in procedure.branches if one.code in dossier.branches)
        yield Items("Việc công dân chọn", tuple(chosen))
    yield _table("Thành phần hồ sơ đã nhận", _at_first(matter))
    for brought in matter.said(DossierSupplemented):
        if brought.papers:
            yield _table(f"Bổ sung {minute(brought.supplemented_at)}", brought.papers)
    yield from map(_of_slip, matter.said(SlipGiven))
    yield Fields(
        (
            Field("Số lượng hồ sơ", "01 bộ"),
            Field("Hình thức nộp", CHANNELS_VI[dossier.channel].capitalize()),
            Field("Nộp lúc", minute(dossier.submitted_at)),
            *([Field("Tiếp nhận lúc", minute(dossier.received_at))] if dossier.received_at else []),
            Field("Thời hạn giải quyết", duration(matter.legal_time)),
            Field("Lệ phí", fee(procedure)),
            Field("Nơi nhận kết quả", f"{office.name}, {office.address}"),
            Field("Giờ mở cửa", matter.openings),
        )
    )
    yield from _read_back(matter)
    if dossier.corrections:
        last = dossier.corrections[-1]
        yield Words(
            f"Bản sửa lần {last.number}, lúc {minute(last.at)}; thay các bản in trước. Ngày tiếp nhận "
            "và ngày hẹn không đổi."
        )
    if dossier.received_at is None:
        yield Words("Hồ sơ sẽ được kiểm tra; ngày hẹn chỉ có khi hồ sơ được tiếp nhận.")
    elif promised is None:
        yield Words("Ngày không hẹn: ông/bà được báo ngay khi có kết quả.")


def _of_slip(slip: SlipGiven) -> Fields:
    taken = minute(slip.taken_at) if slip.taken_at else "không rõ"
    number = Field("Giấy tiếp nhận tạm số", slip.number, unbroken=True)
    return Fields((number, Field("Nhận tại quầy lúc (theo máy ở quầy)", taken)))


def _with_date(matter: Matter) -> bool:
    """None is given by a reception on a day without appointments."""
    at = matter.dossier.received_at
    if at is None:
        return False
    return not matter.around.catalogue.no_appointment(matter.then(at).code, to_vn(at).date())


def _at_first(matter: Matter) -> Sequence[Paper]:
    """The papers at reception; before it, those that were filed."""
    received = next(matter.said(DossierReceived), None)
    return matter.dossier.papers if received is None else received.papers


def _table(title: str, papers: Sequence[Paper]) -> Table:
    rows = tuple((paper.name, str(paper.original), str(paper.copy)) for paper in papers)
    return Table(title, _COLUMNS, rows, empty="Chưa có giấy tờ nào.")


def _read_back(matter: Matter) -> Iterator[Block]:
    """Numbers and dates as they were read, so that a slip of the hand is seen at the desk."""
    form = matter.dossier.form
    read = tuple(
        Field(asked.label, declared(asked, form[asked.name]))
        for asked in matter.procedure.form
        if asked.type in ("number", "date") and form.get(asked.name) is not None
    )
    if read:
        yield Fields(read, title="Số và ngày đã ghi")
