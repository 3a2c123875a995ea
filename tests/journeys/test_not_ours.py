"""«Not mine» through the whole city: two agencies, the head, and what desk and citizen see of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.intake.usecases.lists import holders
from simulation.kit import AnswerRefused, open_city

BIRTH = "2.000986"
WARD_1, WARD_2 = "ubnd-phuong-1", "ubnd-phuong-2"


def test_a_step_goes_from_ward_to_ward_to_the_head_and_the_dossier_ends_well(tmp_path: Path):
    with open_city(tmp_path) as city:
        desk = city.desk(WARD_1)
        receipt = desk.submit(BIRTH)
        city.rest()
        first = city.agency(WARD_1)
        (task,) = first.tasks(receipt.code)
        first.not_ours(task.id, "Trẻ cư trú ở Phường 2", WARD_2)
        with pytest.raises(AnswerRefused):
            first.complete(task.id)
        city.rest()
        second = city.agency(WARD_2, way="queue")
        (handed,) = second.tasks(receipt.code)
        assert (handed.due_at, handed.data["form"]) == (task.due_at, task.data["form"])
        second.not_ours(handed.id, "Sổ hộ tịch ở Phường 1")
        city.rest()

        def shown() -> str:
            with city.built.intake.store.read() as connection:
                return holders(connection, [receipt.code])[receipt.code]

        ward = city.catalogue.agency(WARD_1).name
        assert shown() == ward, "its head must act"
        (waiting,) = city.head(WARD_1).to_place()
        assert [each["agency"] for each in waiting["before"]] == [WARD_2, WARD_1]
        city.head(WARD_1).place(waiting["task"], WARD_1, "Đúng việc của phường")
        city.rest()
        (again,) = first.tasks(receipt.code)
        first.grant(again)
        city.rest()
        told = [each["title"] for each in desk.timeline(receipt.code)]
        assert f"{ward}: chuyển sang {city.catalogue.agency(WARD_2).name}" in told
        assert f"{city.catalogue.agency(WARD_2).name}: chờ trưởng bộ phận chọn cơ quan" in told
        page = city.citizen(receipt.code, receipt.word).page()
        assert "chuyển sang" not in page
        assert "Trẻ cư trú ở Phường 2" not in page
        city.play()
        city.rest()
        assert desk.status(receipt.code) == 9
        assert [each.moment for each in city.sent(receipt.code) if each.channel == "sms"] == [
            "received",
            "resolved",
        ]
        slip = desk.browser().get(f"/ho-so/{receipt.code}/phieu-kiem-soat").text
        assert "chờ điều phối" in slip
