"""A dossier's row: what the version before wrote is read, and written the same for ever."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.intake.domain.dossier import ClockStop, Ending, Extension, Pause, Wait
from services.intake.domain.statuses import Status
from services.intake.storage.rows import from_row, to_row
from shared.events.parts import Agency, Paper, StepResult
from tests.intake.made import NOW, dossier

# To the letter as it lay in a database of version 1.
PAPERS = [["to-khai", "Tờ khai", 1, 0], ["other-1", "Giấy xác nhận", 0, 2]]
PROGRESS = {
    "waits": [
        {
            "kind": "supplement",
            "asked_by": "routing",
            "asked_at": "2022-03-02T02:00:00.000005Z",
            "stops_clock": True,
            "round": 1,
            "step": "check",
            "agency": "thue",
            "items": ["Giấy chứng sinh"],
            "reason": "mờ",
            "respond_by": "2022-03-09T10:00:00Z",
            "remind_at": "2022-03-08T10:00:00Z",
            "answered": False,
        }
    ],
    "pauses": [
        {
            "since": "2022-03-02T02:00:00.000005Z",
            "restart": False,
            "until": "2022-03-03T02:00:00Z",
            "due_after": "2022-03-09T02:00:00Z",
            "owed_after": "2022-03-09T02:00:00Z",
        }
    ],
    "standstill": {"since": "2022-03-04T02:00:00Z", "step": "tax", "agency": "thue"},
    "extensions": [
        {
            "number": 1,
            "at": "2022-03-05T02:00:00Z",
            "due_at": "2022-03-15T02:00:00Z",
            "agency": "thue",
            "reason": "chờ",
        }
    ],
    "ending": {"reason": "hết hạn"},
    "results": [
        {
            "step": "s",
            "agency": {"code": "thue", "name": "Chi cục Thuế"},
            "outcome": "granted",
            "result_code": None,
            "document": "12/QĐ",
            "reason": None,
            "at": "2022-03-06T02:00:00Z",
        }
    ],
}


def at(day: int, hour: int = 2, microsecond: int = 0) -> datetime:
    return datetime(2022, 3, day, hour, 0, 0, microsecond, tzinfo=UTC)


HELD = replace(
    dossier(),
    underlying=Status.PROCESSING,
    adjusted_due_at=at(9),
    papers=(
        Paper(code="to-khai", name="Tờ khai", original=1, copy=0),
        Paper(code="other-1", name="Giấy xác nhận", original=0, copy=2),
    ),
    waits=(
        Wait(
            kind="supplement",
            asked_by="routing",
            asked_at=at(2, microsecond=5),
            stops_clock=True,
            round=1,
            step="check",
            agency="thue",
            items=("Giấy chứng sinh",),
            reason="mờ",
            respond_by=at(9, 10),
            remind_at=at(8, 10),
        ),
    ),
    pauses=(
        Pause(
            since=at(2, microsecond=5),
            until=at(3),
            due_after=at(9),
            adjusted_due_after=at(9),
        ),
    ),
    clock_stop=ClockStop(at(4), "tax", "thue"),
    extensions=(Extension(1, at(5), at(15), "thue", "chờ"),),
    ending=Ending("hết hạn"),
    results=(
        StepResult(
            step="s",
            agency=Agency(code="thue", name="Chi cục Thuế"),
            outcome="granted",
            document="12/QĐ",
            at=at(6),
        ),
    ),
)


def stored(row: dict[str, Any]) -> dict[str, Any]:
    """As it comes back: JSON knows no tuples."""
    through_json = {name: json.loads(json.dumps(row[name])) for name in ("papers", "progress")}
    return row | through_json


def test_a_row_of_the_version_before_is_the_same_dossier():
    row = to_row(HELD) | {"papers": PAPERS, "progress": PROGRESS}
    assert (row["standing"], row["owed_at"]) == (4, at(9))
    assert from_row(row) == HELD


def test_it_is_written_as_it_always_was():
    row = stored(to_row(HELD))
    assert row["papers"] == PAPERS
    assert row["progress"] == PROGRESS
    assert row["contact"] == {
        "name": "Nguyễn Thị Mai",
        "phone": "+84907123456",
        "phone_original": "0907 123 456",
        "email": "mai@example.com",
        "language": "vi",
        "sms": True,
        "mail": True,
    }


def test_of_a_new_dossier_nothing_has_happened_yet():
    row = stored(to_row(dossier()))
    assert row["progress"] == {}
    assert row["received_at"] == NOW
    assert from_row(row) == dossier()
