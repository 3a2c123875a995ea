"""Files that are not what they say, or too much: refused in words, and nothing of them is left."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from services.intake.domain.files import tidy_name
from services.intake.storage import files as rows
from tests.intake import scans
from tests.intake.rig import Desk


def left(desk: Desk, code: str) -> tuple[list[str], int]:
    """The files that lie in the folder, and the rows of the dossier."""
    folder = desk.folder
    lying = [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]
    with desk.store.read() as connection:
        return lying, len(rows.of_dossier(connection, code))


def sent(desk: Desk, code: str, content: bytes, name: str = "x.pdf", kind: str = "x/y"):
    """One file over REST, as a form."""
    return desk.web.test_client(use_cookies=False).post(
        f"/api/v1/dossiers/{code}/attachments",
        data={"file": (io.BytesIO(content), name, kind)},
        headers={"Authorization": f"Bearer {desk.key}"},
    )


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "file_empty"),
    "html": (lambda: b"<!doctype html><script>alert(1)</script>", "file_kind"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "file_kind"),
    "exe": (lambda: b"MZ" + bytes(500), "file_kind"),
    "gif": (lambda: scans.picture("GIF"), "file_kind"),
    "webp": (lambda: scans.picture("WEBP"), "file_kind"),
    "docx": (scans.archive, "file_kind"),
    "html before a pdf": (lambda: b"<html>" + scans.pdf(), "file_kind"),
    "pdf with a zip": (lambda: scans.pdf() + scans.archive(), "file_mixed"),
    "jpeg with a zip": (lambda: scans.picture() + scans.archive(), "file_mixed"),
    "png with a zip": (lambda: scans.picture("PNG") + scans.archive(), "file_mixed"),
    "jpeg that is a pdf": (
        lambda: scans.picture()[:2] + b"\xff\xfe\x00\x0c%PDF-1.4\n\n" + scans.picture()[2:],
        "file_mixed",
    ),
    "half a jpeg": (lambda: scans.picture(size=(900, 900))[:-900], "file_broken"),
    "half a png": (lambda: scans.picture("PNG", (300, 300))[:-300], "file_broken"),
    "half a pdf": (lambda: scans.pdf()[:120], "file_broken"),
    "signature alone": (lambda: b"\x89PNG\r\n\x1a\n", "file_broken"),
    "png of 2,500 million pixels": (lambda: scans.huge_png(50_000, 50_000), "file_too_many_pixels"),
    "pdf of 301 pages": (lambda: scans.pdf(301), "file_too_many_pages"),
    "pdf with a password": (scans.locked, "file_locked"),
    "pdf with a script": (lambda: scans.pdf(change=scans.with_script), "file_active"),
    "pdf with a hidden script": (lambda: scans.pdf(change=scans.with_hidden_script), "file_active"),
    "pdf with a renamed script": (
        lambda: scans.pdf(change=scans.with_script).replace(b"/JavaScript", b"/#4aavaScrip#74"),
        "file_active",
    ),
    "pdf with a packed script": (
        lambda: scans.pdf(
            change=scans.with_hidden_script,
            object_stream_mode=scans.pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
        ),
        "file_active",
    ),
    "pdf that starts a program": (lambda: scans.pdf(change=scans.with_launch), "file_active"),
    "pdf with a live form": (lambda: scans.pdf(change=scans.with_live_form), "file_active"),
    "pdf with a file within": (lambda: scans.pdf(change=scans.with_attachment), "file_embedded"),
    "pdf that unpacks to 2 GB": (scans.packed_bomb, "file_too_complex"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_plain_scan_is_refused_and_nothing_is_left(embedded_desk: Desk, name: str):
    desk = embedded_desk
    make, rule = HOSTILE[name]
    code = desk.submit()
    answer = sent(desk, code, make())
    told = answer.get_json()
    assert answer.status_code == 422, told
    (fault,) = told["errors"]
    assert (fault["rule"], left(desk, code)) == (rule, ([], 0))
    assert fault["vi"].startswith("x.pdf: ")
    assert fault["en"]


def test_50_mb_are_refused_before_they_are_read_to_the_end(embedded_desk: Desk):
    code = embedded_desk.submit()
    answer = sent(embedded_desk, code, bytes(50 * 1024 * 1024))
    assert answer.status_code == 413
    assert "21 MB" in answer.get_json()["detail"]
    assert left(embedded_desk, code) == ([], 0)


def test_a_file_just_over_the_limit_is_told_the_limit(embedded_desk: Desk):
    code = embedded_desk.submit()
    answer = sent(embedded_desk, code, scans.pdf() + bytes(20 * 1024 * 1024 - 100))
    assert answer.status_code == 413
    assert "lớn hơn 20 MB" in answer.get_json()["errors"][0]["vi"]
    assert left(embedded_desk, code) == ([], 0)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Hoa\\giấy khai sinh.PDF", "giấy khai sinh.PDF"),
        ("/etc/cron.d/x", "x"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie x=1.pdf"),
        ("a\x00b.pdf", "ab.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("....", "tep"),
        ("ảnh chụp (2) [cuối].jpg", "ảnh chụp (2) [cuối].jpg"),
        ("", "tep"),
        (None, "tep"),
        ("ă" * 300 + ".jpeg", "ă" * 95 + ".jpeg"),
        ("x" * 300, "x" * 100),
        ('q"; filename="y.exe', "q ; filename= y.exe"),
    ],
)
def test_a_name_is_of_no_path(given: str | None, kept: str):
    assert tidy_name(given) == kept


def test_names_with_paths_write_nowhere_else(embedded_desk: Desk):
    desk = embedded_desk
    code = desk.submit()
    answer = sent(desk, code, scans.picture(), "../../../../tmp/lienthong-was-here.jpg")
    told = answer.get_json()
    assert (answer.status_code, told["name"]) == (201, "lienthong-was-here.jpg")
    (lying,), count = left(desk, code)
    assert count == 1
    assert lying == f"{told['sha256'][:2]}/{told['sha256']}-{told['id']}"
