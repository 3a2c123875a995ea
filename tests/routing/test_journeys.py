"""Journeys through routing's own doors and ledgers, on both back ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from services.routing.domain import refusals, words
from services.routing.storage.tables import metadata
from shared.database.migrate import drift
from shared.events import names
from shared.events.agencies import AnswerCompleted
from shared.events.envelope import Data, Envelope, encode
from shared.events.event import write
from shared.events.intake import (
    DossierPaid,
    DossierSupplemented,
    SilenceConfirmed,
    SupplementLapsed,
)
from shared.events.names import wire
from shared.events.parts import Paper
from shared.kernel.clock import VN, format_instant
from shared.messaging import parked
from shared.messaging.tables import LEDGERS
from tests.routing.town import LAND, PERMIT, Town, at, granted, received, withdrawn
from tests.routing.worlds import CALENDAR, NOW

CODE = "000.00.01.H20-220301-0001"


def test_an_interlinked_dossier_goes_through_its_agencies_to_its_results(town: Town) -> None:
    town.receive(CODE)
    assert town.names(CODE) == ["dossier.started", "step.opened"]
    (message,) = town.queue("phuong-1")
    assert message.type == wire("task.assigned")
    assert message.sequence == 1
    assert message.data["form"] == {"child": "Bé An", "mother": "Lê Thị Hoa"}
    task = message.data["task"]
    town.answer("phuong-1", "taken", task, officer="Nguyễn Văn B")
    town.grant("phuong-1", task, document="01/2022")
    town.grant("cong-an")
    town.grant("bhxh", result_code="KQ.3")
    resolved = town.one(CODE, "dossier.resolved")
    assert [(r["step"], r["outcome"], r["result_code"]) for r in resolved["results"]] == [
        ("birth", "granted", "KQ.1"),
        ("residence", "granted", "KQ.2"),
        ("card", "granted", "KQ.3"),
    ]
    assert [row.state for row in town.inbox("routing.answers")] == ["done"] * 4


def test_personal_fields_that_a_step_does_not_share_never_leave(town: Town) -> None:
    town.receive(CODE)
    town.grant("phuong-1")
    outbox = LEDGERS.outbox
    with town.service.store.read() as connection:
        bodies = [bytes(row.body) for row in connection.execute(outbox.select())]
    assert not any(b"0907123456" in body for body in bodies)
    seen = [body for body in bodies if "Lê Thị Hoa".encode() in body]
    assert len(seen) == 1, "the mother's name goes to the one step that shares it"


def test_a_fact_that_comes_twice_opens_one_case(town: Town) -> None:
    town.receive(CODE)
    town.intake(received(CODE), number=2)
    assert town.names(CODE) == ["dossier.started", "step.opened"]
    assert [(row.state, row.note) for row in town.inbox("routing.facts")] == [
        ("done", None),
        ("late", words.ALREADY_OPEN),
    ]


def test_facts_that_arrive_in_the_wrong_order_are_applied_in_the_right_one(town: Town) -> None:
    town.intake(withdrawn(CODE), number=2)
    assert town.names(CODE) == []
    town.intake(received(CODE), number=1)
    assert [m.type for m in town.queue("phuong-1")] == [
        wire("task.assigned"),
        wire("task.cancelled"),
    ]


def test_papers_stop_the_clock_for_all_and_start_it_again(town: Town) -> None:
    town.receive(CODE)
    town.grant("phuong-1")
    task = town.task("bhxh")
    due_at = at(town.queue("cong-an")[0].data["due_at"])
    town.answer("bhxh", "supplement_needed", task, items=("Giấy khai sinh",), reason="thiếu")
    asked = town.one(CODE, "dossier.supplement_requested")
    assert (asked["round"], asked["agency"]["code"]) == (1, "bhxh")
    (paused,) = town.queue("cong-an")
    assert (paused.data["change"], paused.data["due_at"]) == ("paused", None)
    town.clock.set(CALENDAR.add_days(NOW, 4))
    town.intake(
        DossierSupplemented(
            dossier=CODE,
            round=1,
            papers=(Paper(code="ks", name="Giấy khai sinh", original=1, copy=0),),
            form={"child": "Bé Ánh"},
            supplemented_at=town.clock.now(),
            promised_at=CALENDAR.add_days(NOW, 20),
            due_at=CALENDAR.add_days(NOW, 24),
        )
    )
    # The task itself comes again beside it: nobody there has seen it for days.
    (went_on,) = (each for each in town.queue("cong-an") if each.type == wire("task.changed"))
    assert went_on.data["change"] == "supplemented"
    assert at(went_on.data["due_at"]) == CALENDAR.add_days(due_at, 4)
    assert went_on.data["form"] == {"child": "Bé Ánh"}
    town.answer("bhxh", "supplement_needed", task, items=("Ảnh",), reason="thiếu nữa")
    assert len([n for n in town.names(CODE) if n == "dossier.supplement_requested"]) == 1
    last = town.queue("bhxh")[-1]
    assert (last.type, last.data["rule"]) == (wire("task.answer_refused"), "rounds_used")


def test_the_citizen_pays_and_the_certificate_is_signed(town: Town) -> None:
    town.receive(CODE, LAND)
    town.grant("thue", amount_vnd=1_250_000)
    asked = town.one(CODE, "dossier.payment_requested")
    assert (asked["amount_vnd"], asked["agency"]["code"]) == (1_250_000, "thue")
    town.clock.advance(timedelta(days=3))
    town.intake(
        DossierPaid(
            dossier=CODE,
            step="pay",
            reference=asked["reference"],
            amount_vnd=1_250_000,
            paid_at=town.clock.now(),
            promised_at=CALENDAR.add_days(NOW, 20),
            due_at=CALENDAR.add_days(NOW, 23),
        )
    )
    town.grant("dat-dai")
    results = town.one(CODE, "dossier.resolved")["results"]
    assert [r["step"] for r in results] == ["sign"]
    town.grant("dat-dai")
    assert town.names(CODE)[-1] == "step.answered"


def test_a_withdrawn_dossier_takes_its_tasks_back_and_a_late_answer_says_so(town: Town) -> None:
    town.receive(CODE)
    task = town.task("phuong-1")
    town.intake(withdrawn(CODE))
    (cancelled,) = town.queue("phuong-1")
    assert cancelled.type == wire("task.cancelled")
    town.grant("phuong-1", task)
    assert [(row.state, row.note) for row in town.inbox("routing.answers")] == [
        ("refused", refusals.ALREADY_CANCELLED.vi)
    ]
    assert "dossier.resolved" not in town.names(CODE)


def test_deadlines_are_told_once_each_by_the_ticker(town: Town) -> None:
    town.receive(CODE)
    (ticker,) = (loop for loop in town.service.loops if loop.name == "routing.deadlines")
    for _ in range(60):
        due = ticker.next_due()
        if due is None:
            break
        town.clock.set(due)
        town.rest()
    told = [
        (name, data["scope"]) for name, data in town.facts(CODE) if name.startswith("deadline.")
    ]
    assert sorted(told) == [
        ("deadline.missed", "dossier"),
        ("deadline.missed", "step"),
        ("deadline.near", "dossier"),
        ("deadline.near", "dossier"),
        ("deadline.near", "step"),
        ("deadline.near", "step"),
    ]
    assert ticker.next_due() is None


def test_silence_is_consent_and_an_unheld_role_comes_to_the_receiving_office(town: Town) -> None:
    town.receive(CODE, PERMIT)
    assigned, note = town.queue("phuong-1")
    assert assigned.data["step"]["code"] == "consult"
    assert note.data["note"] == words.NO_AGENCY
    due_at = at(assigned.data["due_at"])
    town.clock.set(due_at)
    town.rest()
    missed = town.one(CODE, "deadline.missed")
    assert missed["consent"]
    assert not town.queue("xay-dung"), "intake may know of an earlier end"
    town.clock.advance(timedelta(hours=1))
    task = missed["task"]
    town.intake(SilenceConfirmed(dossier=CODE, task=task, due_at=due_at, confirmed_at=due_at))
    answered = town.one(CODE, "step.answered")
    assert (answered["answer"], answered["outcome"]) == ("silent", "silent_consent")
    assert town.queue("xay-dung")


def test_more_time_past_the_promise_is_an_apology(town: Town) -> None:
    town.receive(CODE)
    until = CALENDAR.add_days(NOW, 22)
    task = town.task("phuong-1")
    town.answer("phuong-1", "more_time_needed", task, reason="thiếu người", until=until)
    town.intake(granted(town.one(CODE, "extension.requested")))
    extended = town.one(CODE, "dossier.extended")
    assert at(extended["promised_at"]) == CALENDAR.add_days(NOW, 20)
    assert at(extended["due_at"]) == CALENDAR.add_days(until, 2)
    assert extended["number"] == 1


def test_what_only_timelines_read_leaves_under_a_source_of_its_own(town: Town) -> None:
    town.receive(CODE)
    town.grant("phuong-1")
    outbox = LEDGERS.outbox.c
    query = sa.select(outbox.source, outbox.sequence, outbox.routing_key, outbox.sent_at)
    with town.service.store.read() as connection:
        rows = connection.execute(
            query.where(outbox.subject == CODE).order_by(outbox.source, outbox.sequence)
        ).all()
    assert [(row.source, row.sequence, row.routing_key) for row in rows] == [
        ("/routing", 1, "routing.dossier.started"),
        ("/routing/steps", 1, "steps.step.opened"),
        ("/routing/steps", 2, "steps.step.answered"),
        ("/routing/steps", 3, "steps.step.opened"),
        ("/routing/steps", 4, "steps.step.opened"),
    ]
    assert all(row.sent_at for row in rows), "intake has heard them all"


def test_an_instant_of_an_agency_goes_on_in_utc_however_it_was_written(town: Town) -> None:
    town.receive(CODE)
    until = CALENDAR.add_days(NOW, 22)
    task = town.task("phuong-1")
    local = until.astimezone(VN)
    town.answer("phuong-1", "more_time_needed", task, reason="đông", until=local)
    town.intake(granted(town.one(CODE, "extension.requested")))
    assert town.one(CODE, "dossier.extended")["due_at"].endswith("Z")
    assert town.queue("phuong-1")[-1].data["due_at"] == format_instant(until)


def test_an_answer_in_another_agencys_name_is_parked_and_changes_nothing(town: Town) -> None:
    town.receive(CODE)
    task = town.task("phuong-1")
    town.answer("phuong-1", "completed", task, outcome="granted", key="answer.cong-an.completed")
    stranger = names.agency_source("nobody")
    given = AnswerCompleted(task=task, outcome="granted")
    town.send("nobody", given, id="a-1", source=stranger)
    town.rest()
    rows = town.inbox("routing.answers")
    assert [row.state for row in rows] == ["parked"] * 2
    assert all(row.reason.startswith("forged_answer") for row in rows)
    assert not town.queue("phuong-1"), "who is not known is told nothing"
    assert "step.answered" not in town.names(CODE)


def test_the_same_answer_twice_counts_once(town: Town) -> None:
    town.receive(CODE)
    task = town.task("phuong-1")
    fields = {"outcome": "granted", "answer_id": "a-1"}
    town.answer("phuong-1", "completed", task, **fields)
    town.answer("phuong-1", "completed", task, **fields)
    assert town.names(CODE).count("step.answered") == 1
    assert len(town.inbox("routing.answers")) == 1


def test_a_dossier_under_unknown_rules_is_parked_and_the_others_flow_on(town: Town) -> None:
    unknown = msgspec.structs.replace(received(CODE).procedure, code="9.999999")
    town.send_as_intake(received("000.00.01.H20-220301-0002", procedure=unknown))
    town.receive(CODE)
    states = {row.subject: row.state for row in town.inbox("routing.facts")}
    assert states == {CODE: "done", "000.00.01.H20-220301-0002": "parked"}


def test_many_dossiers_at_once_cost_few_statements(town: Town) -> None:
    from sqlalchemy import event

    for number in range(40):
        code = f"000.00.01.H20-220301-{number:04d}"
        town.send_as_intake(received(code))
    counted: list[str] = []
    event.listen(
        town.service.store.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_rest: counted.append(statement),
    )
    consumer = town.service.loops[1]
    done = 0
    while done < 40:
        done += consumer.step(10.0)
    assert len(counted) < 60, "statements for forty dossiers"
    town.handled(consumer.name, done)
    town.rest()
    numbers = [m.sequence for m in town.queue("phuong-1")]
    assert numbers == list(range(1, 41)), "numbered per agency without a gap"


def test_the_database_is_what_the_code_says(town: Town) -> None:
    assert drift(town.service.store.engine, metadata) == []


def test_a_dossier_of_a_year_without_a_calendar_is_parked_at_once(town: Town) -> None:
    far = at("2050-03-01T02:00:00Z")
    town.clock.set(far)
    town.receive(CODE, received_at=far, promised_at=far, due_at=far)
    (row,) = town.inbox("routing.facts")
    assert (row.state, row.reason.split(":")[0]) == ("parked", "missing_calendar")


# --- late news ----------------------------------------------------------------------------------


def _asked(town: Town, respond_by: datetime) -> None:
    town.receive(CODE)
    wanted = {"items": ("Sổ",), "reason": "mờ", "respond_by": respond_by}
    town.answer("phuong-1", "supplement_needed", town.task("phuong-1"), **wanted)


def test_papers_that_were_taken_in_time_count_from_then_however_late_it_is_heard(
    town: Town,
) -> None:
    by = NOW + timedelta(hours=8)
    _asked(town, by)
    asked = town.one(CODE, "dossier.supplement_requested")
    town.clock.set(by + timedelta(hours=1))
    town.rest()
    assert not {"dossier.stopped", "dossier.supplement_dropped"} & set(town.names(CODE))
    taken_at = by - timedelta(minutes=30)
    town.intake(_brought(asked["round"], taken_at))
    resumed = [m for m in town.queue("phuong-1") if m.type == wire("task.changed")][-1]
    assert resumed.data["change"] == "supplemented"
    assert at(resumed.data["changed_at"]) == taken_at
    # Two working days from NOW, and the eight hours in between do not count.
    assert at(resumed.data["due_at"]) == CALENDAR.add_minutes(taken_at, 2 * 480)


def _brought(round_: int, taken_at: datetime) -> DossierSupplemented:
    due_at = CALENDAR.add_days(NOW, 21)
    return DossierSupplemented(
        dossier=CODE,
        round=round_,
        papers=(Paper(code="so", name="Sổ", original=1, copy=0),),
        form={},
        supplemented_at=taken_at,
        promised_at=CALENDAR.add_days(NOW, 20),
        due_at=due_at,
    )


def test_papers_lapse_when_intake_says_so_as_of_the_date_that_was_told(town: Town) -> None:
    by = NOW + timedelta(days=3)
    _asked(town, by)
    town.clock.set(by + timedelta(hours=5))
    town.rest()
    assert "dossier.stopped" not in town.names(CODE)
    lapsed = SupplementLapsed(
        dossier=CODE,
        round=1,
        step=town.one(CODE, "dossier.supplement_requested")["step"],
        reason="không bổ sung",
        lapsed_at=by,
        promised_at=CALENDAR.add_days(NOW, 20),
        due_at=CALENDAR.add_days(NOW, 23),
    )
    town.intake(lapsed)
    stopped = town.one(CODE, "dossier.stopped")
    assert (at(stopped["stopped_at"]), stopped["proposed"]) == (by, True)


def test_a_withdrawal_that_crossed_with_the_result_wins_and_leaves_no_task_open(town: Town) -> None:
    town.receive(CODE, LAND)
    town.grant("thue", amount_vnd=5)
    paid = DossierPaid(
        dossier=CODE,
        step="pay",
        reference="1",
        amount_vnd=5,
        paid_at=NOW,
        promised_at=CALENDAR.add_days(NOW, 20),
        due_at=CALENDAR.add_days(NOW, 20),
    )
    town.intake(paid)
    town.clock.advance(timedelta(hours=1))
    town.grant("dat-dai")
    assert "dossier.resolved" in town.names(CODE)
    after_result = town.task("dat-dai")
    town.intake(withdrawn(CODE))
    (cancelled,) = [m for m in town.queue("dat-dai") if m.type == wire("task.cancelled")]
    assert cancelled.data["task"] == after_result
    town.answer("dat-dai", "completed", after_result, outcome="granted")
    assert town.inbox("routing.answers")[-1].state == "refused"


def test_an_answer_counts_from_its_first_arrival_however_long_it_waited_in_the_inbox(
    town: Town,
) -> None:
    town.receive(CODE)
    task = town.task("phuong-1")
    given = AnswerCompleted(task=task, outcome="granted")
    whole = Envelope(
        id="answer-1",
        source=names.agency_source("phuong-1"),
        type=wire("answer.completed"),
        subject=task,
        time=NOW,
        data=Data(write(given)),
    )
    sound, odd = b'{"specversion"', b'<"specversion"'
    town.send_bytes("answer.phuong-1.completed", encode(whole).replace(sound, odd))
    town.rest()
    (held,) = town.inbox("routing.answers")
    assert held.state == "parked"
    came_at = town.clock.now()
    _mend(town, held.fact_id, odd, sound)
    town.clock.advance(timedelta(days=9))
    with town.service.store.begin() as uow:
        parked.replay(uow, held.fact_id)
    town.rest()
    answered = town.one(CODE, "step.answered")
    assert (at(answered["answered_at"]), answered["late"]) == (came_at, False)


def _mend(town: Town, fact_id: str, odd: bytes, sound: bytes) -> None:
    """The kept message as it should have been."""
    inbox = LEDGERS.inbox
    with town.service.store.begin() as uow:
        mine = sa.select(inbox.c.body).where(inbox.c.fact_id == fact_id)
        mended = bytes(uow.connection.scalar(mine) or b"").replace(odd, sound)
        uow.connection.execute(
            sa.update(inbox).where(inbox.c.fact_id == fact_id).values(body=mended)
        )
