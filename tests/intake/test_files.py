"""Scans at the desk: kept, read, withdrawn, held until they are scanned, never half there."""

from __future__ import annotations

import io
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake.domain.files import DRAFT_FOR, LEFT_OVER_AFTER, Limits
from services.intake.judging.viruses import Clamd
from services.intake.storage import files as rows
from services.intake.usecases import files
from services.intake.usecases.files import FileRoom, look_again
from services.intake.usecases.prune import prune
from shared.events.intake import FileAdded, FileWithdrawn
from shared.kernel.errors import Transient
from tests.intake import scans
from tests.intake.rig import Desk


def lying(desk: Desk) -> list[Path]:
    return [path for path in desk.folder.rglob("*") if path.is_file()]


def sent(desk: Desk, code: str, content: bytes, **options):
    """One file over REST, as the body itself."""
    headers = {"Authorization": f"Bearer {options.get('key') or desk.key}"}
    headers["Content-Disposition"] = "attachment; filename*=UTF-8''gi%E1%BA%A5y.png"
    return desk.web.test_client(use_cookies=False).post(
        f"/api/v1/dossiers/{code}/attachments",
        data=content,
        content_type=options.get("kind", "application/octet-stream"),
        headers=headers,
    )


def form(browser, code: str, *given: tuple[bytes, str]):
    """Several files by the page's form."""
    token = browser.get(f"/ho-so/{code}").text.partition('name="csrf_token" value="')[2]
    data = {
        "csrf_token": token.partition('"')[0],
        "file": [(io.BytesIO(content), name) for content, name in given],
    }
    return browser.post(f"/ho-so/{code}/tep", data=data, content_type="multipart/form-data")


def test_a_scan_is_kept_as_it_came_and_read_by_its_own_office_alone(desk: Desk):
    code, content = desk.submit(), scans.picture("PNG")
    kept = sent(desk, code, content).get_json()
    assert (kept["media_type"], kept["name"], kept["state"]) == ("image/png", "giấy.png", "clean")
    path = f"/dossiers/{code}/attachments"
    assert [each["id"] for each in desk.http("GET", path).get_json()["items"]] == [kept["id"]]
    read = desk.http("GET", f"{path}/{kept['id']}")
    assert read.data == content
    assert read.headers["Content-Type"] == "image/png"
    told = "attachment; filename=giay.png; filename*=UTF-8''gi%E1%BA%A5y.png"
    assert read.headers["Content-Disposition"] == told
    assert read.headers["X-Content-Type-Options"] == "nosniff"
    assert read.headers["Cache-Control"] == "no-store"
    assert read.headers["Content-Security-Policy"].startswith("sandbox;")
    for other in (f"{path}/{kept['id']}", path):
        assert desk.http("GET", other, key=desk.other_key).status_code == 404
    assert sent(desk, code, content, key=desk.other_key).status_code == 404
    assert desk.http("GET", path, key=desk.agency).status_code == 403
    (event,) = [e for e in desk.events(code) if isinstance(e, FileAdded)]
    assert (event.file, event.sha256, event.size) == (kept["id"], kept["sha256"], len(content))
    (path_,) = lying(desk)
    assert (path_.stat().st_mode & 0o777, path_.read_bytes()) == (0o600, content)


def test_another_dossiers_file_is_not_found_under_this_one(desk: Desk):
    one, other = desk.submit(), desk.submit()
    kept = sent(desk, one, scans.picture()).get_json()
    assert desk.http("GET", f"/dossiers/{other}/attachments/{kept['id']}").status_code == 404


def test_the_same_bytes_sent_again_are_the_same_file(desk: Desk):
    code = desk.submit()
    first, again = (sent(desk, code, scans.pdf(change=None)) for _ in range(2))
    once = sent(desk, code, scans.picture()).get_json()
    twice = sent(desk, code, scans.picture()).get_json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert once["id"] == twice["id"]
    assert len([e for e in desk.events(code) if isinstance(e, FileAdded)]) == len(lying(desk))


def test_of_several_files_the_good_are_kept_and_the_bad_are_named(desk: Desk):
    code, browser = desk.submit(), desk.browser()
    told = form(
        browser,
        code,
        (scans.picture(), "mặt trước.jpg"),
        (b"<html>", "lạ.pdf"),
        (scans.pdf(), "đơn.pdf"),
    )
    assert told.status_code == 422
    assert "lạ.pdf: không phải PDF, JPEG hay PNG" in told.text
    assert "Đã lưu 2 tệp" in told.text
    page = browser.get(f"/ho-so/{code}").text
    assert "mặt trước.jpg" in page
    assert "đơn.pdf" in page
    assert "lạ.pdf" not in page
    assert form(browser, code, (scans.picture(colour=9), "sau.jpg")).status_code == 303
    assert len(lying(desk)) == 3


def test_a_form_without_a_file_says_so(desk: Desk):
    told = form(desk.browser(), desk.submit())
    assert told.status_code == 422
    assert "chọn ít nhất một tệp" in told.text


def test_a_withdrawn_file_leaves_its_digest_and_the_reason(desk: Desk):
    code = desk.submit()
    kept = sent(desk, code, scans.picture()).get_json()
    path = f"/dossiers/{code}/attachments/{kept['id']}"
    assert desk.http("POST", f"{path}/withdraw", {"reason": " "}).status_code == 422
    assert desk.http("POST", f"{path}/withdraw", {"reason": "x"}, key=desk.other_key).status_code
    assert desk.http("GET", path).status_code == 200
    gone = desk.http("POST", f"{path}/withdraw", {"reason": "nhầm hồ sơ"}).get_json()
    assert (gone["sha256"], gone["name"]) == (kept["sha256"], "")
    assert desk.http("GET", path).status_code == 404
    assert lying(desk) == []
    assert desk.http("POST", f"{path}/withdraw", {"reason": "nhầm"}).status_code == 404
    (event,) = [e for e in desk.events(code) if isinstance(e, FileWithdrawn)]
    assert (event.sha256, event.reason) == (kept["sha256"], "nhầm hồ sơ")
    assert "Lý do: nhầm hồ sơ" in desk.browser().get(f"/ho-so/{code}").text
    assert sent(desk, code, scans.picture()).get_json()["id"] != kept["id"]


def test_who_read_which_file_is_in_the_access_log(desk: Desk):
    code = desk.submit()
    kept = sent(desk, code, scans.picture()).get_json()
    desk.http("GET", f"/dossiers/{code}/attachments/{kept['id']}")
    desk.service.beside[0].flush()
    from shared.identity.audit.tables import LOG

    with desk.store.read() as connection:
        read = connection.execute(LOG.select().where(LOG.c.act.like("GET %attachments%"))).all()
    assert [(kept["id"] in row.things, code in row.things) for row in read] == [(True, True)]
    assert read[0].actor.startswith("officer:")


def test_a_dossier_takes_so_much_and_no_more(desk: Desk):
    code, room = desk.submit(), desk.store.given[FileRoom]
    desk.store.given[FileRoom] = replace(room, limits=Limits(file=room.limits.file, dossier=1500))
    assert sent(desk, code, scans.picture()).status_code == 201
    full = sent(desk, code, scans.picture(colour=50, size=(400, 400)))
    assert full.status_code == 422
    assert full.get_json()["errors"][0]["rule"] == "file_dossier_full"
    assert len(lying(desk)) == 1


def test_a_crash_between_bytes_and_row_leaves_nothing_that_is_served(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    code = desk.submit()

    def crash(*_args: object, **_options: object) -> None:
        raise Transient("cut off")

    monkeypatch.setattr(rows, "put", crash)
    assert sent(desk, code, scans.picture()).status_code == 503
    monkeypatch.undo()
    (orphan,) = lying(desk)
    assert desk.http("GET", f"/dossiers/{code}/attachments").get_json()["items"] == []
    kept = sent(desk, code, scans.picture()).get_json()
    aged = desk.clock.now().timestamp() - (LEFT_OVER_AFTER + timedelta(hours=1)).total_seconds()
    for path in lying(desk):
        os.utime(path, (aged, aged))
    cut = desk.folder / "incoming" / "cut"
    cut.write_bytes(b"half")
    old = desk.clock.now().timestamp() - (DRAFT_FOR + timedelta(hours=1)).total_seconds()
    os.utime(cut, (old, old))
    settings = desk.service.settings
    assert {each.what for each in prune(desk.store, settings, dry=True)} == {"files left over"}
    assert len(lying(desk)) == 3
    list(prune(desk.store, settings))
    (left,) = lying(desk)
    assert left != orphan
    assert kept["id"] in left.name


def test_files_go_when_the_term_of_their_ended_dossier_is_over(desk: Desk):
    from services.intake.usecases import desk as verbs
    from tests.intake.made import OFFICE

    code, open_ = desk.submit(), desk.submit()
    for each in (code, open_):
        assert sent(desk, each, scans.picture()).status_code == 201
    desk.do(verbs.withdraw, OFFICE.code, code, reason="công dân xin rút")
    settings = replace(desk.service.settings, keep_files_days=730)
    desk.clock.advance(timedelta(days=729))
    assert list(prune(desk.store, settings)) is not None
    assert len(lying(desk)) == 2
    desk.clock.advance(timedelta(days=2))
    list(prune(desk.store, settings))
    assert [path.name for path in lying(desk)] != []
    assert desk.http("GET", f"/dossiers/{code}/attachments").get_json()["items"] == []
    assert len(desk.http("GET", f"/dossiers/{open_}/attachments").get_json()["items"]) == 1


def test_what_no_scanner_has_judged_is_held_and_served_to_nobody(desk: Desk, tmp_path: Path):
    code, room = desk.submit(), desk.store.given[FileRoom]
    away = replace(room, scanner=Clamd(str(tmp_path / "nobody.ctl")))
    desk.store.given[FileRoom] = away
    kept = sent(desk, code, scans.picture()).get_json()
    assert (kept["state"], kept["why"]) == ("held", "unscanned")
    path = f"/dossiers/{code}/attachments/{kept['id']}"
    assert desk.http("GET", path).status_code == 404
    assert "chờ quét mã độc" in desk.browser().get(f"/ho-so/{code}").text
    assert look_again(desk.store, away) == 0
    assert desk.http("GET", path).status_code == 404
    assert look_again(desk.store, room) == 1  # the setting was taken away: content alone judges
    assert desk.http("GET", path).status_code == 200


def test_bytes_that_are_gone_are_not_found_and_told_to_the_operator(desk: Desk):
    code = desk.submit()
    kept = sent(desk, code, scans.picture()).get_json()
    (path,) = lying(desk)
    path.unlink()
    assert desk.http("GET", f"/dossiers/{code}/attachments/{kept['id']}").status_code == 404


def test_two_uploads_of_one_dossier_at_once_do_not_pass_the_limit(desk: Desk):
    from concurrent.futures import ThreadPoolExecutor

    code, room = desk.submit(), desk.store.given[FileRoom]
    desk.store.given[FileRoom] = replace(room, limits=Limits(file=room.limits.file, dossier=2000))
    given = [scans.picture(colour=each * 60) for each in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: sent(desk, code, each).status_code, given))
    size = sum(path.stat().st_size for path in lying(desk))
    assert (size <= 2000, answers.count(201)) == (True, len(lying(desk)))


def test_filing_does_not_touch_files_at_all(desk: Desk):
    began = time.monotonic()
    desk.submit()
    assert not desk.folder.exists(), began
    assert files.file_room(desk.service.settings).limits == Limits()
