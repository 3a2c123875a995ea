"""A real clamd with a database of one signature of our own: what it finds is gone, and on record."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.intake.domain.files import File
from services.intake.judging.viruses import Clamd
from services.intake.storage import files as rows
from services.intake.usecases.files import FileRoom, look_again
from shared.events.intake import FileWithdrawn
from tests.intake import scans
from tests.intake.rig import Desk
from tests.intake.test_files import lying, sent

BAD = scans.picture("PNG", (33, 44))


def _is_up(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(path))
            line.sendall(b"zPING\0")
            return line.recv(16).startswith(b"PONG")
    except OSError:
        return False


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[Path]:
    """The socket of a running clamd that knows one digest."""
    program = shutil.which("clamd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("NOT RUN: there is no clamd here (apt-get install clamav-daemon)")
    database = tmp_path / "signatures"
    database.mkdir()
    told = f"{hashlib.md5(BAD).hexdigest()}:{len(BAD)}:Lienthong.Test\n"
    (database / "own.hdb").write_text(told)
    place = tmp_path / "clamd.ctl"
    config = tmp_path / "clamd.conf"
    lines = (
        f"LocalSocket {place}", f"DatabaseDirectory {database}", "Foreground yes",
        f"TemporaryDirectory {tmp_path}", "StreamMaxLength 25M", "ConcurrentDatabaseReload no",
    )  # fmt: skip
    mine = ("User root",) if os.geteuid() == 0 else ()  # else it wants a user of its own
    config.write_text("\n".join((*lines, *mine)) + "\n")
    with subprocess.Popen(
        [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        end = time.monotonic() + 60
        while not _is_up(place):
            assert running.poll() is None, "clamd ended by itself"
            assert time.monotonic() < end, "clamd did not answer within a minute"
            time.sleep(0.1)
        try:
            yield place
        finally:
            running.kill()


def of(desk: Desk, code: str) -> list[File]:
    with desk.store.read() as connection:
        return rows.of_dossier(connection, code)


def test_malware_is_refused_deleted_and_kept_as_a_digest(desk: Desk, clamd: Path) -> None:
    code, room = desk.submit(), desk.store.given[FileRoom]
    desk.store.given[FileRoom] = replace(room, scanner=Clamd(str(clamd)))
    refused = sent(desk, code, BAD)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["rule"] == "file_infected"
    assert lying(desk) == []
    (row,) = of(desk, code)
    assert (row.state, row.why, row.name) == ("refused", "infected", "")
    assert row.sha256 == hashlib.sha256(BAD).hexdigest()
    assert desk.http("GET", f"/dossiers/{code}/attachments/{row.id}").status_code == 404
    good = sent(desk, code, scans.picture()).get_json()
    assert good["state"] == "clean"


def test_what_came_while_it_was_away_is_looked_at_when_it_is_back(
    desk: Desk, clamd: Path, tmp_path: Path
) -> None:
    code, room = desk.submit(), desk.store.given[FileRoom]
    desk.store.given[FileRoom] = replace(room, scanner=Clamd(str(tmp_path / "away.ctl")))
    bad, good = sent(desk, code, BAD), sent(desk, code, scans.picture())
    assert {each.get_json()["state"] for each in (bad, good)} == {"held"}
    assert look_again(desk.store, replace(room, scanner=Clamd(str(clamd)))) == 2
    states = {row.id: row.state for row in of(desk, code)}
    assert states == {bad.get_json()["id"]: "refused", good.get_json()["id"]: "clean"}
    assert len(lying(desk)) == 1
    assert [e.file for e in desk.events(code) if isinstance(e, FileWithdrawn)] == [
        bad.get_json()["id"]
    ]


def test_what_is_longer_than_it_scans_is_held(desk: Desk, clamd: Path, tmp_path: Path) -> None:
    whole = tmp_path / "long.pdf"
    scans.large_pdf(whole, 26 * 1024 * 1024)
    assert Clamd(str(clamd)).scan(whole) == "unscanned"
