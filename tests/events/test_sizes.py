"""The largest events that the doors let come about are smaller than an event may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.domain.sizes import LARGEST, MOST_PAPERS_HELD, check_size
from shared.catalogue.checks.sizes import MOST_STEPS
from shared.events import agencies, intake, routing
from shared.events.envelope import MAX_BYTES, Data, Envelope, encode
from shared.events.errors import TooLarge
from shared.events.event import Event, kind_of, write
from shared.events.parts import (
    Agency,
    Office,
    Paper,
    ProcedureName,
    ProcedureVersion,
    Step,
    StepResult,
)
from shared.events.types import WRITTEN_ITEM, WRITTEN_ITEMS, WRITTEN_TEXT
from shared.kernel.errors import Fault

NOON = datetime(2022, 3, 1, 5, tzinfo=UTC)
LETTER = "ắ"  # three bytes
NAME = LETTER * 120
CODE = "x" * 120
TEXT, ITEM = LETTER * WRITTEN_TEXT, LETTER * WRITTEN_ITEM


def _dossier() -> tuple[dict[str, Any], tuple[Paper, ...]]:
    """As much as one dossier may hold, in form and papers."""
    papers = tuple(
        Paper(code=f"other-{n}", name=LETTER * 60, original=99, copy=99)
        for n in range(MOST_PAPERS_HELD)
    )
    form: dict[str, Any] = {}
    faults: list[Fault] = []
    while not faults:
        last = f"field_{len(form)}"
        form[last] = LETTER * 100
        check_size(form, papers, faults)
    del form[last]
    return form, papers


FORM, PAPERS = _dossier()
AGENCY = Agency(code=CODE, name=NAME)
STEP = Step(code=CODE, name=NAME)
PROCEDURE = ProcedureVersion(code="1.0", name=NAME, version=1, short_name="s")
HELD: dict[str, Any] = {"form": FORM, "papers": PAPERS}
RESULT = StepResult(
    step=CODE, agency=AGENCY, outcome="refused", result_code=CODE, document=LETTER * 300,
    reason=TEXT, at=NOON,
)  # fmt: skip
LARGEST_EVENTS: list[Event] = [
    intake.DossierReceived(
        dossier=CODE, procedure=PROCEDURE, field=NAME, channel="direct", branches=(),
        office=Office(code=CODE, name=NAME, territory="*"),
        submitted_at=NOON, received_at=NOON, promised_at=NOON, due_at=NOON, **HELD,
    ),
    intake.DossierSupplemented(
        dossier=CODE, round=1, papers_after=PAPERS, form_after=FORM, supplemented_at=NOON, **HELD
    ),
    intake.SupplementRequested(
        dossier=CODE, round=1, agency=AGENCY, items=(ITEM,) * WRITTEN_ITEMS, reason=TEXT,
        requested_at=NOON,
    ),
    agencies.TaskAssigned(
        task=CODE, dossier=CODE, agency=CODE, procedure=ProcedureName(code="1.0", name=NAME), step=STEP, assigned_at=NOON,
        results=(CODE,) * MOST_STEPS, **HELD,
    ),
    agencies.TaskChanged(
        task=CODE, dossier=CODE, agency=CODE, change="supplemented", papers_after=PAPERS,
        note=TEXT, changed_at=NOON, **HELD,
    ),
    routing.DossierResolved(dossier=CODE, results=(RESULT,) * MOST_STEPS, resolved_at=NOON),
    intake.ResultConfirmed(
        dossier=CODE, results=(RESULT,) * MOST_STEPS, resolved_at=NOON, confirmed_at=NOON
    ),
]  # fmt: skip


def enveloped(data: bytes) -> bytes:
    """An event with attributes as long as they come."""
    word = "x" * 200
    return encode(
        Envelope(
            id=word, source=word, type=word, subject=CODE, time=NOON, data=Data(data), sequence=1,
            correlationid=word, causationid=word, after="/a:1 /b:2", actor=word,
        )
    )  # fmt: skip


@pytest.mark.parametrize("event", LARGEST_EVENTS, ids=lambda each: kind_of(type(each)).name)
def test_the_longest_that_anybody_may_write_fits_into_one_event(event: Event) -> None:
    assert len(enveloped(write(event))) <= MAX_BYTES


def test_the_limit_is_held_when_writing_and_told_to_whoever_asked() -> None:
    empty = len(enveloped(b'{"a":""}'))
    most = MAX_BYTES - empty
    assert len(enveloped(b'{"a":"%s"}' % (b"x" * most))) == MAX_BYTES
    with pytest.raises(TooLarge) as told:
        enveloped(b'{"a":"%s"}' % (b"x" * (most + 1)))
    assert told.value.status == 413
    assert "xx" not in str(told.value).replace("x" * 200, "")


def test_more_papers_or_more_text_than_one_dossier_holds_is_a_fault() -> None:
    for form, papers, place in (
        ({}, (*PAPERS, PAPERS[0]), "papers"),
        ({"a": "x" * LARGEST}, (), "form"),
        (FORM | {"more": LETTER * 100}, PAPERS, "form"),
    ):
        faults: list[Fault] = []
        check_size(form, papers, faults)
        assert [fault.place for fault in faults] == [place]
