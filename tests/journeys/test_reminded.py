"""A date that comes near reaches the agency's head as mail, through the whole city."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from services.intake.storage.queries import find_dossier
from services.notify.storage import queries
from services.routing.usecases.remind import set_addresses
from shared.kernel.clock import to_vn
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import BIRTH, WARD, filed, vn

HEAD = "truong@phuong1.example"
MONDAY = vn(2026, 3, 2, 9)


def test_the_head_of_a_late_agency_has_one_mail_on_each_working_day(opened: OpenCity):
    city = opened(at=MONDAY, public_url="https://motcua.example.vn")
    routing, notify = city.built.routing, city.built.notify
    with routing.store.begin() as uow:
        set_addresses(uow, city.built.catalogue, WARD, [HEAD], remove=False)
    _, code = filed(city, BIRTH)
    city.advance(timedelta(days=8, hours=3))
    with notify.store.read() as connection:
        found = [
            each
            for each in queries.find(connection, queries.Search(limit=100))
            if each.role == "staff"
        ]
    days = Counter(to_vn(each.made_at).date().isoformat() for each in found)
    assert set(days) <= {f"2026-03-{day:02}" for day in (3, 4, 5, 6, 9, 10)}
    assert {"2026-03-09", "2026-03-10"} <= set(days), "the weekend before has none"
    assert set(days.values()) == {1}
    assert {(each.to, each.dossier, each.state.value) for each in found} == {(HEAD, WARD, "sent")}
    last = found[0]
    assert code in last.body
    assert "Danh sách: https://motcua.example.vn/nhiem-vu/sap-den-han" in last.body
    written = sorted((notify.settings.data_dir / "messages" / "email").glob("*.eml"))
    assert sum(HEAD in path.read_text() for path in written) == len(found)
    with city.built.intake.store.read() as connection:
        assert find_dossier(connection, WARD) is None
