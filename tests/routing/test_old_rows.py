"""What the version before wrote into routing's tables is read as it was meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from services.routing.domain.case import PapersWanted
from services.routing.domain.submission import digest
from services.routing.storage.cases import Cases
from shared.events.agencies import (
    Answer,
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerSupplementNeeded,
)
from shared.events.parts import Agency, Office, Paper, ProcedureName
from tests.routing.town import Town

SIXTEEN = datetime(2022, 3, 20, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (
            AnswerCompleted(task="t-1", outcome="refused", reason="không đủ", amount_vnd=5),
            "739ec454d9fd0d30f0b36e826769d87f12238c4d7eb6d0db37cd01cb35c99494",
        ),
        (
            AnswerSupplementNeeded(task="t-1", items=("Sổ",), reason="thiếu", respond_by=SIXTEEN),
            "f1c0d76d20dac7168a44c6c33d7e32b15539b75772ee3eddbefafac4127aebbe",
        ),
        (
            AnswerMoreTimeNeeded(
                task="t-1", reason="đông", until=SIXTEEN.replace(microsecond=500_000)
            ),
            "706077992c643a81d36eb06272db79b21551daa2953b2ad6c3017bc10770f060",
        ),
    ],
)
def test_an_answer_that_is_repeated_after_an_upgrade_is_still_the_same(
    answer: Answer, kept: str
) -> None:
    assert digest(answer) == kept


_PAPERS = '[{"code": "to-khai", "name": "Tờ khai", "original": 1, "copy": 0}]'
_PENDING = '{"items": ["Sổ"], "reason": "mờ", "respond_by": "2022-03-20T16:00:00Z"}'
_CASE = {
    "dossier": "D-1", "procedure": "2.000986", "procedure_name": "Thủ tục", "version": 1,
    "office": "phuong-1", "office_name": "UBND Phường 1", "territory": "29866",
    "branches": "[]", "state": "live", "form": '{"child": "Bé An"}', "papers": _PAPERS,
    "opened_at": "2022-03-01 02:00:00.000000", "promised_at": "2022-03-29 02:00:00.000000",
    "due_at": "2022-03-29 02:00:00.000000", "rounds": 1, "waiting_papers": 1, "respond_by": None,
    "extensions": 0, "outside_since": "2022-03-02 02:00:00.000000", "dates_owed": 2, "missed": 0,
}  # fmt: skip
_TASK = {
    "id": "t-1", "dossier": "D-1", "step": "birth", "kind": "task", "agency": "phuong-1",
    "agency_name": "UBND Phường 1", "state": "paused", "opened_at": "2022-03-01 02:00:00.000000",
    "paused_at": "2022-03-02 02:00:00.000000", "asked": 1, "pending": _PENDING, "extensions": 0,
    "missed": 0, "late": 0,
}  # fmt: skip


def _write(connection: sa.Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def test_a_case_of_the_version_before_is_read_with_its_tasks(small_town: Town) -> None:
    with small_town.service.store.begin() as uow:
        _write(uow.connection, "cases", _CASE)
        _write(uow.connection, "tasks", _TASK)
    with small_town.service.store.begin() as uow:
        case = uow.get(Cases).get("D-1")
    assert case is not None
    assert case.procedure == ProcedureName(code="2.000986", name="Thủ tục")
    assert case.office == Office(code="phuong-1", name="UBND Phường 1", territory="29866")
    assert case.papers == (Paper(code="to-khai", name="Tờ khai", original=1, copy=0),)
    assert case.clock_stopped_at == datetime(2022, 3, 2, 2, tzinfo=UTC)
    assert case.dates_awaited == 2
    task = case.tasks["birth"]
    assert task.agency == Agency(code="phuong-1", name="UBND Phường 1")
    assert task.pending == PapersWanted(("Sổ",), "mờ", SIXTEEN)
