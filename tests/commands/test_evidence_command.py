"""`lienthong evidence`: a file of signed records, checked without the city; the keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.__main__ import cli
from services.routing.domain.signing import draw
from simulation.kit import MORNING, open_city

OFFICE = "ubnd-phuong-1"


def test_records_go_into_a_file_that_is_checked_and_keys_come_and_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, file, keys = tmp_path / "city", tmp_path / "f.jsonl", tmp_path / "keys.json"
    with open_city(folder) as city:
        city.desk(OFFICE).submit("2.000986")
        city.rest()
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(folder))

    def run(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["evidence", *map(str, words)])
        return done.exit_code, done.stdout

    assert run("export", OFFICE, file)[0] == 0
    keys.write_text(run("keys")[1], encoding="utf-8")
    status, said = run("verify", file, "--keys", keys)
    assert (status, said.splitlines()[0].split(";")[0]) == (
        0,
        f"{OFFICE}: 1 bản ghi / records, 1-1",
    )
    day = f"{MORNING:%Y-%m-%d}"
    assert run("export", OFFICE, file, "--from", day, "--to", day, "--salts")[0] == 0
    message = tmp_path / "message"
    message.write_bytes(b"{}")
    status, said = run("verify", file, "--message", message)
    assert (status, said.splitlines()[-1]) == (1, "bản ghi / record: -")
    file.write_text(file.read_text().replace("task.assigned", "task.changed"))
    assert run("verify", file)[0] == 1
    assert run("verify", keys)[0] != 0, "no file of evidence"
    pem = tmp_path / "own.pem"
    pem.write_text(draw(), encoding="ascii")
    assert run("keys", OFFICE, "--add", pem)[0] != 0, "the private half stays at home"
    pem.write_text(public(pem.read_text()), encoding="ascii")
    (added,) = (k for k in json.loads(run("keys", OFFICE, "--add", pem)[1]) if k["owner"] == OFFICE)
    assert added["until"] is None
    told = json.loads(run("keys", OFFICE, "--end", added["key"])[1])
    assert [each["until"] is None for each in told] == [True, False]
    assert run("export", "cong-anh", file)[0] != 0


def public(pem: str) -> str:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    half = load_pem_private_key(pem.encode(), None).public_key()
    return half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
