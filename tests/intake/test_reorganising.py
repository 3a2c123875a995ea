"""A plan of reorganisation is refused as a whole, with every fault in words, or it is sound."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.intake.domain.reorganising import BY_COMPETENCE, Plan
from services.intake.usecases.reorganise import read_plan
from shared.catalogue import Catalogue, load
from shared.kernel.errors import Fault, InvalidInput
from shared.settings import PROJECT

CITY_OF_2025 = (PROJECT / "docs/examples/reorganise-2025-07-01.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


@pytest.fixture
def read(tmp_path: Path, catalogue: Catalogue):
    def reading(text: str) -> Plan:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return read_plan(path, catalogue)

    return reading


def faults(read, *changes: tuple[str, str]) -> list[Fault]:
    text = CITY_OF_2025
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(InvalidInput) as refused:
        read(text)
    return refused.value.faults


def test_the_plan_of_2025_names_a_successor_for_every_unit_and_agency_that_ended(read, catalogue):
    plan = read(CITY_OF_2025)
    assert plan.day == date(2025, 7, 1)
    ended = {each.code for each in catalogue.agencies(plan.eve) if not each.is_valid(plan.day)}
    assert set(plan.successors) == ended
    assert plan.successors["ubnd-phuong-1"] == "ubnd-phuong-cao-lanh"
    assert plan.successors["phong-tu-phap"] == BY_COMPETENCE
    assert plan.workplaces["phong-tu-phap"] == "ubnd-phuong-cao-lanh"
    assert sum(len(line.before) for line in plan.units) == 15


@pytest.mark.parametrize(
    ("change", "en", "vi"),
    [
        (('"29863", ', ""), "Phường 11 (29863) ends on 2025-06-30 and is missing", "thiếu Phường 11"),
        (('"29863", ', '"29863", "29999", '), "no unit 29999 ends", "không có đơn vị 29999"),
        (('"29863", ', '"29863", "29866", '), "'29866' stands twice", "'29866' ghi hai lần"),
        (('{to: "29884", from: ["29863"', '{to: "29866", from: ["29863"'), "there is no unit 29866 on", "không có đơn vị 29866"),
        (('["29863", ', '["29863", "29887", '), "stands twice", "ghi hai lần"),
        (("from: [mot-cua-thanh-pho]", "from: [bhxh-cao-lanh]"), "no agency 'bhxh-cao-lanh' ends", "không có cơ quan 'bhxh-cao-lanh'"),
        (("[ubnd-phuong-11, ", "["), "'ubnd-phuong-11' ends on 2025-06-30 and has no successor", "chưa có cơ quan kế tiếp"),
        (("{to: ubnd-phuong-my-ngai,", "{to: ubnd-phuong-my-ngay,"), "did you mean 'ubnd-phuong-my-ngai'", "có phải là 'ubnd-phuong-my-ngai'"),
        (("{to: ubnd-phuong-my-ngai,", "{to: ubnd-phuong-my-tra,"), "goes to 29884, and 'ubnd-phuong-my-tra' is of 29888", "địa bàn của 'ubnd-phuong-11' thuộc 29884"),
        (("{to: ubnd-phuong-my-ngai,", "{to: by_competence,"), "has a desk: its dossiers need an office", "có bộ phận tiếp nhận"),
        (("{to: cong-an-phuong-my-ngai,", "{to: phong-kinh-te-phuong-my-ngai,"), "does not do all that 'cong-an-phuong-11' did (commune_police)", "không làm hết việc"),
        (("day: 2025-07-01", "day: 2025-07-02"), "no unit 29866 ends on 2025-07-01", "không có đơn vị 29866"),
        (("reason: Sắp xếp", "ly-do: Sắp xếp"), "'reason' is missing", "thiếu 'reason'"),
        (("plan: sap-xep", "plan: Sắp xếp"), "lower-case letters", "chữ thường không dấu"),
    ],
)  # fmt: skip
def test_a_faulty_plan_is_refused_with_what_is_wrong_and_where(read, change, en, vi):
    found = faults(read, change)
    assert any(en in fault.en for fault in found), [fault.en for fault in found]
    assert any(vi in fault.vi for fault in found)
    assert all(fault.place for fault in found)


def test_all_faults_are_told_at_once(read):
    found = faults(
        read, ('"29863", ', ""), ("[ubnd-phuong-11, ", "["), ("[cong-an-phuong-11, ", "[")
    )
    assert len(found) == 3


def test_what_is_no_plan_at_all_is_told(read):
    for text in ("", "- 1\n", "plan: [", "units: 5\nagencies: x\nplan: a\nday: b\nreason: c\n"):
        with pytest.raises(InvalidInput):
            read(text)
