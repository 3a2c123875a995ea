"""200 MB come in and go out over HTTP, and the memory of the process hardly moves."""

from __future__ import annotations

import hashlib
import http.client
import re
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.intake.domain.files import MIB, Limits
from services.intake.usecases.files import FileRoom
from shared.web.connections import Limits as LineLimits
from shared.web.server import WebServer, serving
from tests.intake import scans
from tests.intake.rig import Desk

SIZE = 200 * MIB
#: What may be held beside: buffers of the server, of the parser and of the database.
MOST_GROWTH = 40 * MIB


class Watched:
    """A file that is read a piece at a time while somebody looks at the memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.peak = 0

    def read(self, size: int = -1) -> bytes:
        self.look()
        return self._file.read(min(size, 64 * 1024) if size > 0 else 64 * 1024)

    def look(self) -> None:
        self.peak = max(self.peak, psutil.Process().memory_info().rss)


def multipart(path: Path, to: Path) -> str:
    """The file as a browser sends it; the content type."""
    with to.open("wb") as out, path.open("rb") as given:
        out.write(
            b'--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
            b"Content-Type: application/pdf\r\n\r\n"
        )
        while piece := given.read(MIB):
            out.write(piece)
        out.write(b"\r\n--b0undary--\r\n")
    return "multipart/form-data; boundary=b0undary"


@pytest.mark.parametrize("way", [pytest.param("body", marks=pytest.mark.long), "form"])
def test_200_mb_in_and_out_without_the_memory_growing(
    embedded_desk: Desk, tmp_path: Path, way: str
):
    desk = embedded_desk
    code, room = desk.submit(), desk.store.given[FileRoom]
    desk.store.given[FileRoom] = replace(room, limits=Limits(file=210 * MIB, dossier=210 * MIB))
    whole, sent_ = tmp_path / "whole.pdf", tmp_path / "sent"
    scans.large_pdf(whole, SIZE)
    kind = "application/pdf" if way == "body" else multipart(whole, sent_)
    sent = whole if way == "body" else sent_
    key = {"Authorization": f"Bearer {desk.key}"}
    server = WebServer(desk.web, limits=LineLimits(upload=212 * MIB))
    with serving(server):
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=100)
        line.request("GET", f"/api/v1/dossiers/{code}/attachments", headers=key)
        assert line.getresponse().read() == b'{"items":[]}\n'
        before, watched = psutil.Process().memory_info().rss, Watched(sent)
        about = {"Content-Type": kind, "Content-Length": str(sent.stat().st_size)}
        line.request(
            "POST", f"/api/v1/dossiers/{code}/attachments", body=watched, headers=key | about
        )
        answer = line.getresponse()
        told = answer.read().decode()
        watched.look()
        assert answer.status == 201, told
        (file_id,) = re.findall(r'"id": ?"([^"]+)"', told)
        line.request("GET", f"/api/v1/dossiers/{code}/attachments/{file_id}", headers=key)
        got, digest, size = line.getresponse(), hashlib.sha256(), 0
        while piece := got.read(64 * 1024):
            digest.update(piece)
            size += len(piece)
            watched.look()
        line.close()
    assert (got.status, size) == (200, whole.stat().st_size)
    assert digest.hexdigest() in told
    assert watched.peak - before < MOST_GROWTH
