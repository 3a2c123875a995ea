"""A scan from the desk to the agency, a result from the agency to the citizen; every read on record."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import Client as WsgiClient

from partner.errors import DoorRefused
from shared.identity.audit.tables import LOG
from shared.identity.links import LASTS
from simulation.kit import AnswerRefused, City
from tests.intake import scans
from tests.journeys.conftest import OpenCity

BIRTH, OFFICE = "2.000986", "ubnd-phuong-1"


def scanned(city: City, code: str, content: bytes) -> str:
    """The desk adds a scan over REST; its id."""
    answer = WsgiClient(city.built.web).post(
        f"/api/v1/dossiers/{code}/attachments",
        data=content,
        content_type="image/jpeg",
        headers={"Authorization": f"Bearer {city.key('intake', 'desk', OFFICE)}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def acts(city: City, like: str) -> list[tuple[str, str]]:
    """Who did what of this kind, by intake's access log."""
    city.built.intake.beside[0].flush()  # type: ignore[attr-defined]
    with city.built.intake.store.read() as connection:
        rows = connection.execute(sa.select(LOG).where(LOG.c.act.like(like))).all()
    return [(row.actor, row.things) for row in rows]


def test_an_agency_reads_the_scans_of_its_own_task_and_no_others(opened: OpenCity) -> None:
    with opened() as city:
        desk = city.desk(OFFICE)
        mine, other = desk.submit(BIRTH).code, desk.submit(BIRTH, number=2).code
        photo = scans.picture()
        scan, foreign = scanned(city, mine, photo), scanned(city, other, scans.picture(colour=99))
        city.until(lambda: desk.status(mine) == 4)
        ward, *_ = city.agencies_of(BIRTH, OFFICE)
        with city.agency(ward) as agency:
            city.until(lambda: bool(agency.tasks(mine)))
            (task,) = agency.tasks(mine)
            files = agency.client.files
            assert [(each.id, each.kind) for each in files.of(task.id)] == [(scan, "scan")]
            assert files.read(task.id, scan) == photo
            with pytest.raises(DoorRefused) as missing:
                files.read(task.id, foreign)
            assert missing.value.status == 404
            with pytest.raises(DoorRefused) as nobody:
                files.of("no-such-task")
            assert nobody.value.status == 404
        read = acts(city, "GET /api/v1/files/%")
        assert (f"agency:{ward}", f"{scan} {mine}") in read
        assert all(actor == f"agency:{ward}" for actor, _ in read)


def test_a_link_ends_cannot_be_mended_and_reads_only(opened: OpenCity) -> None:
    with opened() as city:
        desk = city.desk(OFFICE)
        code = desk.submit(BIRTH).code
        scan = scanned(city, code, scans.picture())
        city.until(lambda: desk.status(code) == 4)
        ward, *_ = city.agencies_of(BIRTH, OFFICE)
        with city.agency(ward) as agency:
            city.until(lambda: bool(agency.tasks(code)))
            links = agency.told("GET", f"/tasks/{agency.tasks(code)[0].id}/files")
        stranger = WsgiClient(city.built.web)
        read, hand_in = links["read"], links["hand_in"]
        path, _, shown = read.partition("?")
        assert stranger.get(read).status_code == 200
        assert stranger.get(f"{path}/{scan}?{shown}").status_code == 200
        assert stranger.post(read, data=scans.pdf()).status_code == 404
        assert stranger.get(hand_in).status_code == 404
        assert stranger.get(f"{path}/{scan}?{shown[:-2]}xx").status_code == 404
        assert stranger.get(f"{path}/{scan}").status_code == 404
        city.advance(LASTS + timedelta(seconds=1))
        assert stranger.get(f"{path}/{scan}?{shown}").status_code == 404
        assert stranger.post(hand_in, data=scans.pdf()).status_code == 404


def test_a_result_comes_to_the_citizen_who_shows_the_code_that_was_sent(
    opened: OpenCity, tmp_path: Path
) -> None:
    with opened() as city:
        desk = city.desk(OFFICE)
        receipt = desk.submit(BIRTH)
        code, made = receipt.code, tmp_path / "giấy khai sinh.pdf"
        made.write_bytes(scans.pdf(2))
        city.until(lambda: desk.status(code) == 4)
        ward, *others = city.agencies_of(BIRTH, OFFICE)
        with city.agency(ward) as agency:
            city.until(lambda: bool(agency.tasks(code)))
            (task,) = agency.tasks(code)
            named = agency.client.files.hand_in(task.id, made)
            with pytest.raises(AnswerRefused, match="no receipt of a file"):
                agency.complete(task.id, file="made-up.receipt", result_code=task.results[0])
            agency.grant(task, file=named, document="12/2022")
            with pytest.raises(DoorRefused):
                agency.client.files.hand_in(task.id, made)  # the task is closed
        for other in others:
            with city.agency(other) as agency:
                city.until(lambda agency=agency: bool(agency.tasks(code)))
                (task,) = agency.tasks(code)
                with pytest.raises(AnswerRefused, match="no receipt of a file"):
                    agency.grant(task, file=named)  # another task's receipt
                agency.grant(task)
        city.until(lambda: desk.status(code) == 9)
        asking = {"code": code, "word": receipt.word}
        browser = Browser(city)
        assert "Có 1 tệp kết quả" in browser.post("/tra-cuu", asking)
        assert "Mã xác nhận" in browser.post("/tra-cuu/ket-qua", asking)
        turned = asking | {"asked": "1"}  # the same page in another language: no second code
        assert "A code of 6 digits" in browser.post("/tra-cuu/ket-qua?lang=en", turned)
        assert "Mã xác nhận" in browser.post("/tra-cuu/ket-qua?lang=vi", turned)
        city.rest()
        said = [each for each in city.sent(code) if each.moment == "result_code"]
        assert {each.channel for each in said} <= {"sms", "email"}
        (otp,) = {re.search(r"\b\d{6}\b", (e.text or "").replace(code, "")).group() for e in said}  # type: ignore[union-attr]
        wrong = browser.post("/tra-cuu/ket-qua/mo", asking | {"otp": f"{int(otp) ^ 1:06d}"}, 422)
        assert "Mã không đúng" in wrong
        page = browser.post("/tra-cuu/ket-qua/mo", asking | {"otp": f"{otp[:3]} {otp[3:]}"})
        (address,) = re.findall(r'href="(/tra-cuu/ket-qua/[^"]+)"', page)
        got = browser.client.get(address)
        assert got.data == made.read_bytes()
        assert "attachment" in got.headers["Content-Disposition"]
        browser.post("/tra-cuu/ket-qua/mo", asking | {"otp": otp}, 422)  # it counts once
        assert "citizen" in {actor for actor, _ in acts(city, "GET /tra-cuu/ket-qua/%")}
        city.advance(timedelta(minutes=11))
        assert browser.client.get(address).status_code == 404


def test_five_tries_and_ten_minutes_and_no_more(opened: OpenCity) -> None:
    from services.intake.domain import one_time
    from services.intake.domain.one_time import LASTS as CODE_LASTS
    from services.intake.storage.files import put_code
    from services.intake.usecases.results import code_counts

    with opened() as city:
        code, store = city.desk(OFFICE).submit(BIRTH).code, city.built.intake.store

        def given() -> None:
            with store.begin() as uow:
                kept = one_time.digest("123456", code, "s")
                put_code(uow, code, kept, uow.now + CODE_LASTS)

        given()
        for _ in range(one_time.MOST_TRIES):
            assert not code_counts(store, code, "000000", "s")
        assert not code_counts(store, code, "123456", "s")
        given()
        assert not code_counts(store, "another", "123456", "s")
        assert code_counts(store, code, "123456", "s")
        assert not code_counts(store, code, "123456", "s")
        given()
        city.advance(CODE_LASTS)
        assert not code_counts(store, code, "123456", "s")


def test_no_code_is_sent_beyond_the_allowance_or_without_a_result(opened: OpenCity) -> None:
    with opened() as city:
        receipt = city.desk(OFFICE).submit(BIRTH)
        asking = {"code": receipt.code, "word": receipt.word}
        browser = Browser(city)
        assert "không có tệp kết quả" in browser.post("/tra-cuu/ket-qua", asking, 404)
        wrong = {"code": receipt.code, "word": "AAAAAA"}
        browser.post("/tra-cuu/ket-qua", wrong, 404)
        assert [each for each in city.sent(receipt.code) if each.moment == "result_code"] == []


def test_an_agency_officer_hands_in_a_result_at_the_page(opened: OpenCity) -> None:
    with opened() as city:
        desk = city.desk(OFFICE)
        code = desk.submit(BIRTH).code
        city.until(lambda: desk.status(code) == 4)
        ward, *_ = city.agencies_of(BIRTH, OFFICE)
        with city.agency(ward) as agency:
            city.until(lambda: bool(agency.tasks(code)))
            (task,) = agency.tasks(code)
            officer = agency.browser()
            page = officer.get(f"/nhiem-vu/{task.id}").text
            (hand_in,) = re.findall(r'action="(/tep\?ve=[^"]+)"', page)
            at_intake = WsgiClient(city.built.web)
            bad = at_intake.post(hand_in, data={"file": (io.BytesIO(b"MZ"), "x.pdf")})
            assert (bad.status_code, "không phải PDF" in bad.text) == (422, True)
            back = at_intake.post(hand_in, data={"file": (io.BytesIO(scans.pdf()), "kq.pdf")})
            assert back.status_code == 303
            page = officer.get(back.headers["Location"].partition("#")[0]).text
            assert "Đã nhận tệp kết quả" in page
            (named,) = re.findall(r'name="file" value="([^"]+)"', page)
            said = {"answer_id": "p-1", "kind": "completed", "outcome": "granted", "file": named}
            said["result_code"] = task.results[0] if task.results else ""
            answered = officer.post(
                f"/nhiem-vu/{task.id}/tra-loi", said, page=f"/nhiem-vu/{task.id}"
            )
            assert answered.status in (200, 303)
        who = {actor for actor, _ in acts(city, "POST /tep")}
        assert len(who) == 1
        assert who.pop().startswith("officer:")


class Browser:
    """A citizen's: it keeps cookies and sends the token of forms."""

    def __init__(self, city: City) -> None:
        self.client = WsgiClient(city.built.web)

    def post(self, path: str, form: dict[str, str], status: int = 200) -> str:
        """What the page says to this form."""
        page = self.client.get("/tra-cuu").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = self.client.post(path, data={"csrf_token": token, **form})
        assert answer.status_code == status, answer.text
        return str(answer.text)
