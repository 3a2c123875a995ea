"""A golden sample made for an event that has none: whole, good to read, and never over one that is there."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from shared.events import __main__ as writing
from shared.events import describe
from shared.events.describe import SAMPLES, sample
from shared.events.envelope import Data, decode, encode
from shared.events.event import Kind, write
from shared.events.registry import KINDS
from shared.events.specimen import specimen

ALL = sorted(KINDS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the samples and pages, to be written to."""
    for name in ("samples", "docs"):
        (tmp_path / name).mkdir()
    for file in SAMPLES.iterdir():
        (tmp_path / "samples" / file.name).write_bytes(file.read_bytes())
    for name in ("asyncapi.json", *writing.PAGES):
        (tmp_path / "docs" / name).write_bytes((writing.DOCS / name).read_bytes())
    monkeypatch.setattr(describe, "SAMPLES", tmp_path / "samples")
    monkeypatch.setattr(writing, "DOCS", tmp_path / "docs")
    return tmp_path / "samples"


@pytest.mark.parametrize("name", ALL)
def test_what_is_made_is_read_and_written_the_same(name: str, folder: Path):
    kind = KINDS[name]
    (folder / f"{name.removeprefix('vn.lienthong.')}.json").unlink()
    made = specimen(kind)
    body = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    envelope = decode(body)
    assert encode(envelope) == body
    assert Data(write(envelope.event())) == made["data"]
    assert envelope.event().subject == envelope.subject
    assert made["data"].keys() == {f.encode_name for f in msgspec.structs.fields(kind.cls)}
    assert made["id"] not in {sample(each)["id"] for each in others(kind)}


def others(kind: Kind) -> list[Kind]:
    return [each for each in KINDS.values() if each is not kind]


def test_only_what_is_missing_is_written(folder: Path):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "dossier.paid.v1.json").unlink()
    writing.main()
    after = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert after.keys() == before.keys()
    same = {name for name in after if after[name] == before[name]}
    assert before.keys() - same == {"dossier.paid.v1.json"}
