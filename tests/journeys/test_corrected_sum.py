"""The tax office corrects a sum: before it is paid a new notice replaces the old one, after it no."""

from __future__ import annotations

import pytest

from partner import DoorRefused
from simulation.kit import AnswerRefused, City, Desk, Rejected
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import LAND, LAND_OFFICE, TAX, case_of, dossier_of, filed, the_task, vn

OLD, NEW = 1_500_000, 15_000_000


def _noticed(city: City, document: str | None = None) -> tuple[Desk, str, str]:
    """A dossier whose citizen was told of the sum: the desk, the code, the tax office's task."""
    desk, code = filed(city, LAND)
    city.rest()
    with city.agency(LAND_OFFICE) as land:
        land.grant(the_task(land, code))
    city.rest()
    with city.agency(TAX) as tax:
        task = the_task(tax, code)
        tax.grant(task, amount_vnd=OLD, document=document)
    city.rest()
    assert desk.status(code) == 6
    return desk, code, task.id


def _correct(city: City, task: str, document: str | None = None, number: int = 1) -> bool:
    body = {"answer_id": f"corrected-{number}", "kind": "completed", "outcome": "granted"}
    sent = {**body, "amount_vnd": NEW, "document": document}
    with city.agency(TAX) as tax:
        told = tax.ask("POST", f"/tasks/{task}/answers", body=sent)
    city.rest()
    assert told.status == 200 or told.json()["code"] == "already_paid"
    return told.status == 200


@pytest.mark.parametrize("document", [None, "17/TB-CCT"])
def test_a_new_notice_replaces_the_old_one_and_the_old_sum_cannot_be_paid(
    opened: OpenCity, document: str | None
):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code, task = _noticed(city, document and "16/TB-CCT")
    (old,) = dossier_of(city, code).open_waits
    assert _correct(city, task, document)
    (new,) = dossier_of(city, code).open_waits
    assert (new.amount_vnd, new.reference != old.reference) == (NEW, True)
    told = [m.text or "" for m in city.sent(code) if m.moment == "payment_requested"]
    assert len(told) == 2, "of each notice, by one way"
    assert sum("15.000.000" in text for text in told) == 1
    if document:  # an SMS names a notice by its number alone; a mail also one without
        assert any(str(old.reference) in text and "thay" in text.lower() for text in told)
    with pytest.raises(Rejected) as wrong:
        desk.pay(code, OLD, "BL-1")
    assert [fault["place"] for fault in wrong.value.problem["errors"]] == ["amount_vnd"]
    desk.pay(code, NEW, "BL-2")
    city.rest()
    assert desk.status(code) == 4
    paid = [t for t in case_of(city, code).tasks.values() if t.kind == "payment"]
    assert [t.amount_vnd for t in paid] == [NEW]
    assert dossier_of(city, code).paused_since is None


def test_an_officer_with_a_browser_corrects_the_sum_until_it_is_paid(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code, task = _noticed(city)
    page = f"/nhiem-vu/{task}"
    with city.agency(TAX) as tax:
        browser = tax.browser()
        assert "Sửa số tiền" in browser.get(page).text
        typed = {"answer_id": "page-1", "kind": "completed", "outcome": "granted"}
        twofold = browser.post(f"{page}/tra-loi", typed | {"amount_vnd": "15000.00"}, page=page)
        assert twofold.status == 422
        assert "15000.00 có thể là" in twofold.text, "what was typed is told, and both readings"
        sent = browser.post(f"{page}/tra-loi", typed | {"amount_vnd": "15.000.000"}, page=page)
        assert sent.status < 400
        city.rest()
        assert [w.amount_vnd for w in dossier_of(city, code).open_waits] == [NEW]
        assert "15.000.000" in browser.get(page).text
        desk.pay(code, NEW, "BL-1")
        city.rest()
        assert "Sửa số tiền" not in browser.get(page).text


def test_after_payment_a_correction_is_refused_and_the_agency_is_told(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code, task = _noticed(city)
    desk.pay(code, OLD, "BL-1")
    city.rest()
    assert not _correct(city, task)
    with city.agency(TAX) as tax:
        tax.collect()
        with pytest.raises((AnswerRefused, DoorRefused), match="already paid"):
            tax.complete(task, "granted", amount_vnd=NEW)
    city.rest()
    assert desk.status(code) == 4
    assert dossier_of(city, code).open_waits == ()


def test_a_correction_that_crosses_the_payment_is_told_too_late(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code, task = _noticed(city)
    desk.pay(code, OLD, "BL-1")  # routing has not heard of it when the correction comes
    _correct(city, task)
    dossier, case = dossier_of(city, code), case_of(city, code)
    assert desk.status(code) == 4
    assert dossier.open_waits == ()
    assert [t.amount_vnd for t in case.tasks.values() if t.kind == "payment"] == [OLD]
    with city.agency(TAX) as tax:
        assert "đã nộp 1.500.000" in str(tax.collect()[-1].data["note"])
