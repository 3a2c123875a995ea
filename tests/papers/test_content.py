"""What stands on each official paper, whoever prints it and on whatever sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Ending, Extension
from services.intake.domain.papers import draw_up, papers_of
from services.intake.domain.papers.control import hand_overs, verdict
from services.intake.domain.papers.model import NEGATIVE, Because, Fields, Table
from services.intake.domain.statuses import Status
from shared.events.intake import DossierSupplemented
from shared.events.parts import Agency, Paper, StepResult
from shared.events.routing import DeadlineMissed, StepAnswered
from shared.kernel.errors import NotAllowed
from tests.intake.made import CODE, NOW, OFFICE, PROCEDURE, TAX, vn
from tests.papers.samples import (
    LINKED,
    SAMPLES,
    asked,
    filed,
    handed,
    matter,
    online,
    receipt,
    refused,
    slip_of_control,
    sorry,
    stopped,
)


def told(paper) -> dict[str, str | None]:
    """Label -> value of all fields."""
    blocks = [block for block in paper.blocks if isinstance(block, Fields)]
    return {one.label: one.value for block in blocks for one in block.fields}


def because(paper) -> list[Because]:
    return [block for block in paper.blocks if isinstance(block, Because)]


def table(paper, title) -> tuple[tuple[str, ...], ...]:
    return next(b.rows for b in paper.blocks if isinstance(b, Table) and b.title == title)


def test_the_receipt_says_who_what_until_when_and_for_how_much():
    paper = receipt()
    said = told(paper)
    assert said["Mã hồ sơ"] == CODE
    assert said["Hẹn trả kết quả"] == "09:00 ngày 08/03/2022"
    assert said["Người nộp"] == "Nguyễn Thị Mai"
    assert said["Địa chỉ"] == "12 Nguyễn Huệ, Phường 1, Cao Lãnh"
    assert said["Điện thoại"] == "0907 123 456"
    assert said["Lệ phí"] == "Theo quy định"
    assert table(paper, "Thành phần hồ sơ đã nhận") == (
        ("Tờ khai", "1", "0"),
        ("Giấy tờ tùy thân", "0", "1"),
    )
    assert (paper.number, paper.place, paper.at) == ("220301-0001/TNHS", "Cao Lãnh", NOW)
    assert paper.form_words == "Mẫu số 01 (Thông tư 01/2018/TT-VPCP)"
    assert [signer.name for signer in paper.signers] == ["Nguyễn Thị Mai", None]


def test_an_officer_who_is_known_is_named_beside_the_line_to_sign():
    paper = draw_up(matter(filed(), officer="Lê Văn Tám"), "receipt")
    assert paper.signers[1].name == "Lê Văn Tám"


def test_what_was_brought_later_stands_apart_from_what_was_received():
    brought = Paper(code="anh", name="Ảnh 4x6", original=2, copy=0)
    later = DossierSupplemented(
        dossier=CODE, round=1, papers=(brought,), form={}, supplemented_at=vn(2022, 3, 4, 10)
    )
    paper = draw_up(matter(filed(), later), "receipt")
    assert table(paper, "Bổ sung 10:00 ngày 04/03/2022") == (("Ảnh 4x6", "2", "0"),)


def test_what_was_not_received_yet_has_a_note_and_no_official_form():
    paper = draw_up(matter(online()), "receipt")
    assert (paper.title, paper.form, paper.form_words) == ("Biên nhận nộp hồ sơ", None, "")
    assert "Hẹn trả kết quả" not in told(paper)


def test_the_form_is_that_of_the_day_on_which_it_happened():
    old, new = filed(), filed(received_at=vn(2025, 7, 1, 8))
    assert draw_up(matter(old), "control").form_words == "Mẫu số 05 (Thông tư 01/2018/TT-VPCP)"
    assert draw_up(matter(new), "control").form_words == "Mẫu số 06 (Thông tư 03/2025/TT-VPCP)"
    assert stopped().form_words == "Mẫu số 05 (Thông tư 03/2025/TT-VPCP)"


def test_a_dossier_that_the_police_alone_act_on_is_on_their_form():
    steps = tuple(replace(step, role="commune_police") for step in LINKED.steps)
    own = replace(PROCEDURE, steps=steps)
    mixed = replace(PROCEDURE, steps=(steps[0], LINKED.steps[1]))
    numbers = [
        draw_up(matter(filed(), procedure=each), "receipt").form_words for each in (own, mixed)
    ]
    assert numbers == ["Mẫu số CT04 (Thông tư 56/2021/TT-BCA)", receipt().form_words]
    control = draw_up(matter(filed(), procedure=own), "control")
    assert control.form_words == "Mẫu số 05 (Thông tư 01/2018/TT-VPCP)", "they have none of it"


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_no_paper_says_no_without_why_and_what_next(name):
    paper, _ = SAMPLES[name]
    said = because(paper)
    assert bool(said) == (paper.kind in NEGATIVE)
    assert all(each.reason.strip() and each.next_step.strip() for each in said)


@pytest.mark.parametrize(("reason", "next_step"), [("", "x"), ("x", " "), ("\n", "")])
def test_a_no_without_one_of_them_cannot_be_made(reason, next_step):
    with pytest.raises(ValueError, match="why"):
        Because(reason, next_step)
    with pytest.raises(ValueError, match="reason"):
        replace(refused(), blocks=receipt().blocks)


def test_a_refused_dossier_prints_its_refusal_with_the_day_of_it():
    paper = refused()
    assert because(paper)[0].next_step == "Nộp tại UBND Phường 2, số 5 đường Thử."
    assert paper.at == vn(2022, 3, 1, 11)
    made = online(status=Status.REFUSED, ending=Ending("Sai nơi nộp"))
    bare = draw_up(matter(made), "refusal")
    assert OFFICE.hotline in because(bare)[0].next_step


def test_a_refused_branch_is_told_beside_the_parts_that_are_done():
    tax = Agency(code=TAX.code, name=TAX.name)
    results = (
        StepResult(step="birth", agency=tax, outcome="granted", at=NOW),
        StepResult(step="card", agency=tax, outcome="refused", reason="Thiếu tờ khai", at=NOW),
    )
    made = filed(status=Status.RESOLVED, results=results, finished_at=vn(2022, 3, 4, 10))
    paper = draw_up(matter(made, procedure=LINKED), "refusal")
    assert [each.reason for each in because(paper)] == ["Thiếu tờ khai"]
    assert ("refusal", None) in papers_of(made)


def test_the_apology_is_of_the_agency_in_default_and_keeps_the_first_date():
    paper = sorry()
    words = " ".join(b.text for b in paper.blocks if hasattr(b, "text"))
    assert paper.issuer.name == "Chi cục Thuế"
    assert "hẹn trả kết quả lúc 09:00 ngày 08/03/2022" in words
    assert "xin lỗi Ông/Bà và hẹn trả kết quả vào 09:00 ngày 15/03/2022" in words
    second = Extension(2, vn(2022, 3, 14, 9), vn(2022, 3, 20, 9), "gone", "Mưa tiếp")
    made = filed(extensions=(Extension(1, NOW, vn(2022, 3, 15, 9), TAX.code, "Mưa"), second))
    assert draw_up(matter(made), "apology").number == "220301-0001.2/PXL"
    assert because(draw_up(matter(made), "apology", 1))[0].reason == "Mưa"


def test_each_round_of_papers_has_a_sheet_and_the_last_comes_first():
    made = online(status=Status.SUPPLEMENT, waits=(asked(1), asked(2, items=("Ảnh",))))
    assert draw_up(matter(made), "supplement").number == "220301-0001.2/HDHS"
    assert draw_up(matter(made), "supplement", 1).number == "220301-0001.1/HDHS"
    with pytest.raises(NotAllowed, match="no papers") as refusal:
        draw_up(matter(made), "supplement", 3)
    assert "lần 3" in refusal.value.vi


def test_the_control_slip_comes_out_of_the_hand_overs():
    rows = table(slip_of_control(), "Giao, nhận hồ sơ")
    first, second = rows
    assert first[1:8] == (
        "UBND Phường 1",
        "Phòng Tư pháp: Đăng ký khai sinh",
        "09:05 ngày 01/03/2022",
        "10:00 ngày 01/03/2022",
        "09:05 ngày 04/03/2022",
        "15:00 ngày 02/03/2022",
        "Trước hạn",
    )
    assert first[-1] == "12/KS-2022"
    assert (second[1], second[7]) == ("Phòng Tư pháp", "Đang giải quyết"), "given on by the first"
    assert second[-1] == "giao lại 1 lần"
    assert slip_of_control().at == vn(2022, 3, 4, 8), "the last thing that it tells of"
    assert slip_of_control().link is None


def test_early_on_time_and_late_are_told_in_days():
    one = hand_overs(matter(filed(), *handed(), procedure=LINKED))[0]
    ends = {vn(2022, 3, 3, 17): "Trước hạn", vn(2022, 3, 4, 8): "Đúng hạn"}
    assert {at: verdict(replace(one, ended_at=at)) for at in ends} == ends
    assert verdict(replace(one, late=True)) == "Quá hạn"
    missed = DeadlineMissed(
        dossier=CODE, scope="step", task="t-2", due_at=vn(2022, 3, 7, 15), at=vn(2022, 3, 7, 15, 1)
    )
    both = hand_overs(matter(filed(), *handed(), missed, procedure=LINKED))
    assert [verdict(each) for each in both] == ["Trước hạn", "Quá hạn"]


def test_an_answer_that_was_not_applied_changes_no_hand_over():
    facts = handed()
    refusal = StepAnswered(
        dossier=CODE, step=facts[3].step, agency=facts[3].agency, task="t-2", answer="completed",
        outcome="granted", late=False, answered_at=vn(2022, 3, 4), rule="step_closed",
    )  # fmt: skip
    without, with_it = (hand_overs(matter(filed(), *each)) for each in (facts, (*facts, refusal)))
    assert without == with_it


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("supplement", "không có yêu cầu bổ sung"),
        ("refusal", "không bị từ chối"),
        ("stop", "không dừng xử lý"),
        ("apology", "xin lỗi"),
        ("control", "chưa được tiếp nhận"),
    ],
)
def test_a_paper_that_a_dossier_does_not_have_is_refused_with_why(kind, why):
    made = online()
    assert [each for each, _ in papers_of(made)] == ["receipt"]
    with pytest.raises(NotAllowed) as refusal:
        draw_up(matter(made), kind)
    assert why in refusal.value.vi


def test_a_day_without_appointments_names_no_date():
    there = matter(filed())
    there.around.catalogue._hours["office"] = replace(
        there.around.catalogue._hours["office"], no_appointment=frozenset({1})
    )
    assert "Hẹn trả kết quả" not in told(draw_up(there, "receipt"))


def test_the_square_opens_the_look_up_page_and_holds_no_word():
    paper = receipt()
    assert paper.link == f"https://motcua.example.vn/tra-cuu#{CODE}"
    assert draw_up(matter(filed(), lookup=None), "receipt").link is None


def test_a_ward_dates_its_papers_by_its_own_name(monkeypatch):
    around = Circumstances(matter(filed()).around.catalogue, NOW)
    monkeypatch.setattr(
        around.catalogue, "_agencies", {OFFICE.code: OFFICE, TAX.code: TAX}, raising=True
    )
    assert draw_up(replace(matter(filed()), around=around), "receipt").place is None
    from shared.catalogue import Ward

    around.catalogue.wards = (Ward("29866", "Phường 1", date(2004, 1, 1), None),)
    assert draw_up(replace(matter(filed()), around=around), "receipt").place == "Phường 1"
