"""What a browser fetches that was never here before, and what it keeps of it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from shared.settings import PROJECT
from tests.intake.made import OFFICE

#: Bytes on the wire of a page with all that it needs; pages themselves are never compressed.
MOST = 120_000
FOLDERS = (PROJECT / "shared/web/static", PROJECT / "services/intake/web/static")
#: Beside what pages load: what tells where a file is from, and the typefaces of PDF papers.
TOLD = re.compile(r"README\.md|SHA256SUMS|.*\.(LICENSE|LICENSE\.md|OFL\.txt|ttf)")


@pytest.fixture
def client(embedded_desk):
    for _ in range(30):
        embedded_desk.submit()
    return embedded_desk.browser(("officer", OFFICE.code))


def asked_for(client, path):
    """A page, and every file that it names, as a browser asks for them: address -> answer."""
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "Content-Encoding" not in page.headers
    named = re.findall(r'<(?:link|script|img)[^>]*?(?:href|src)="(/[^"]+)"', page.text)
    files = {each: client.get(each, headers={"Accept-Encoding": "gzip"}) for each in set(named)}
    return page, files


@pytest.mark.parametrize("path", ["/dang-nhap", "/ho-so", "/ho-so/moi/1.000001", "/tra-cuu"])
def test_a_first_visit_is_light_and_the_second_asks_for_nothing_again(client, embedded_desk, path):
    who = embedded_desk.web.test_client() if path in ("/dang-nhap", "/tra-cuu") else client
    page, files = asked_for(who, path)
    assert len(files) > 6
    weight = len(page.data) + sum(len(each.data) for each in files.values())
    assert weight < MOST, {name: len(each.data) for name, each in files.items()}
    for name, each in files.items():
        kept = each.cache_control
        assert (each.status_code, kept.public, kept.max_age) == (200, True, 31_536_000), name
        assert "immutable" in str(kept), name


def test_a_text_comes_compressed_to_who_can_read_it_and_is_the_same(client):
    _, files = asked_for(client, "/ho-so")
    address = next(each for each in files if "pico.min.css" in each)
    packed, plain = files[address], client.get(address)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert packed.content_length == len(packed.data) < len(plain.data) / 4
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Content-Encoding" not in plain.headers
    asking = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    assert client.get(address, headers=asking).status_code == 304
    refused = client.get(address, headers={"Accept-Encoding": "gzip;q=0, br"})
    assert refused.data == plain.data
    font = next(each for each in files if each.endswith(".woff2"))
    assert "Content-Encoding" not in files[font].headers


def _sources():
    for room in ("shared/web", "services"):
        for file in (PROJECT / room).rglob("*"):
            if file.suffix in (".html", ".py", ".js", ".css") and ".min." not in file.name:
                yield file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "file",
    [file for folder in FOLDERS for file in sorted(folder.iterdir()) if not TOLD.fullmatch(file.name)],
    ids=lambda file: file.name,
)  # fmt: skip
def test_no_static_file_lies_there_unused(file: Path):
    assert any(file.name in source for source in _sources())
