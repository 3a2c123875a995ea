"""The desk's verbs on a database: numbered without gaps, kept whole, heard by routing's rules."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.intake.domain.statuses import Status
from services.intake.on import handlers
from services.intake.storage.counters import next_number
from services.intake.storage.tables import dossiers, metadata
from services.intake.usecases import desk as verbs
from services.intake.usecases.submit import submit
from shared.database.migrate import drift
from shared.events.envelope import Data, Envelope, encode
from shared.events.event import kind_of, write
from shared.events.intake import (
    ContactGiven,
    DossierPaid,
    DossierReceived,
    DossierRegistered,
    DossierReturned,
    DossierSupplemented,
    DossierWithdrawn,
)
from shared.events.notify import CitizenNotified
from shared.events.parts import ProcedureName, Step
from shared.events.routing import (
    DossierExtended,
    DossierStarted,
    DossierStopped,
    PaymentRequested,
    StepOpened,
)
from shared.kernel.errors import InvalidInput, NotAllowed, NotFound
from shared.messaging.tables import LEDGERS
from shared.messaging.timeline import timeline
from tests.intake.made import CATALOGUE, NOW, OFFICE, OTHER_OFFICE, PAPERS, vn
from tests.intake.rig import AGENCY


def test_the_migrations_make_the_tables_that_the_code_expects(desk):
    assert drift(desk.store.engine, metadata) == []


def test_a_direct_dossier_is_received_and_says_so(desk):
    code = desk.submit()
    assert code == "000.01.15.H20-220301-0001"
    held = desk.dossier(code)
    assert held.status is Status.RECEIVED
    assert held.promised_at == vn(2022, 3, 8, 9)
    received, contact = desk.events(code)
    assert isinstance(received, DossierReceived)
    assert received.office.territory == "29866"
    assert b'"promised_at":"2022-03-08T02:00:00Z"' in encode(desk.said(code)[0])
    assert [e.source for e in desk.said(code)] == ["/intake", "/intake/contacts"]
    assert isinstance(contact, ContactGiven)
    assert contact.phone == "+84907123456"
    assert contact.lookup_word == held.lookup_word


def test_of_the_form_only_what_some_step_shares_leaves_the_desk(desk):
    kept_here = desk.submit()
    assert shared_form(desk, kept_here) == {}
    assert desk.dossier(kept_here).form["full_name"] == "Nguyễn Thị Mai"
    shared = desk.submit(procedure="1.000002")
    assert shared_form(desk, shared) == {"full_name": "Nguyễn Thị Mai"}


def shared_form(desk, code):
    received = desk.events(code)[0]
    assert isinstance(received, DossierReceived)
    return received.form


def test_phone_and_mail_leave_on_their_own_exchange_alone(desk):
    code = desk.submit(channel="online")
    outbox = LEDGERS.outbox
    with desk.store.read() as connection:
        rows = connection.execute(sa.select(outbox).where(outbox.c.subject == code)).all()
    for row in rows:
        private = b"907123456" in row.body or b"mai@example.com" in row.body
        assert private == (row.exchange == "citizen.contacts")


def test_a_dossier_read_back_is_the_one_that_was_written(desk):
    with desk.store.begin() as uow:
        from tests.intake.made import command

        made = submit(uow, CATALOGUE, command(channel="postal"))
    assert desk.dossier(made.code) == made
    asked = desk.do(
        verbs.request_supplement,
        OFFICE.code,
        made.code,
        items=["Tờ khai"],
        reason="chưa ký",
        respond_by=vn(2022, 3, 9, 17),
    )
    assert desk.dossier(made.code) == asked
    desk.clock.advance(timedelta(hours=1, microseconds=5))
    back = desk.do(verbs.supplement, OFFICE.code, made.code, papers=PAPERS, form={"copies": 2})
    assert desk.dossier(made.code) == back


def test_a_refused_submission_leaves_no_number_and_no_trace(desk):
    with pytest.raises(InvalidInput):
        desk.submit(form={})
    assert desk.submit().endswith("-0001")


def test_a_procedure_that_the_office_does_not_take_is_refused(desk):
    for code in ("1.000004", "9.999999"):
        with pytest.raises(InvalidInput) as refused:
            desk.submit(procedure=code)
        assert [f.place for f in refused.value.faults] == ["procedure"]


def test_each_office_and_each_day_counts_from_one(desk):
    assert desk.submit().endswith("-0001")
    assert desk.submit().endswith("-0002")
    assert desk.submit(office=OTHER_OFFICE.code) == "000.02.15.H20-220301-0001"
    desk.clock.set(vn(2022, 3, 2, 0, 5))
    assert desk.submit() == "000.01.15.H20-220302-0001"


def test_the_counter_goes_on_past_four_digits(desk):
    with desk.store.begin() as uow:
        uow.connection.execute(
            sa.text("INSERT INTO counters (agency_id, day, last) VALUES ('a', '2022-03-01', 9999)")
        )
        assert next_number(uow.connection, "a", vn(2022, 3, 1, 9).date()) == 10000


def test_codes_neither_repeat_nor_skip_when_many_submit_at_once(desk):
    """Four threads submit, every third submission is rolled back at the last moment."""
    made: list[str] = []
    troubles: list[BaseException] = []

    class OnPurpose(Exception):
        pass

    def work(number: int) -> None:
        from tests.intake.made import command

        for turn in range(12):
            try:
                with desk.store.begin() as uow:
                    code = submit(uow, CATALOGUE, command()).code
                    if (turn + number) % 3 == 0:
                        raise OnPurpose  # noqa: TRY301 - it must come from inside the unit
                made.append(code)
            except OnPurpose:
                continue
            except BaseException as trouble:
                troubles.append(trouble)
                raise

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    numbers = sorted(int(code.rsplit("-", 1)[1]) for code in made)
    assert numbers == list(range(1, len(made) + 1))
    with desk.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(dossiers)) == len(made)


def test_of_two_acts_at_the_same_moment_one_is_told_that_it_came_too_late(desk):
    for _ in range(5):
        code = desk.submit(channel="online")
        outcomes: list[str] = []
        start = threading.Barrier(2)

        def act(verb: str, code=code, outcomes=outcomes, start=start) -> None:
            start.wait(10)
            try:
                with desk.store.begin() as uow:
                    if verb == "receive":
                        verbs.receive(uow, CATALOGUE, OFFICE.code, code)
                    else:
                        verbs.refuse(uow, CATALOGUE, OFFICE.code, code, reason="r", next_step="n")
                outcomes.append(verb)
            except NotAllowed:
                outcomes.append("too late")

        threads = [threading.Thread(target=act, args=(v,)) for v in ("receive", "refuse")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes).count("too late") == 1, outcomes
        assert len(desk.said(code)) == 3


def test_an_online_dossier_is_received_under_the_version_it_was_filed_under(desk):
    code = desk.submit(channel="online")
    desk.clock.set(vn(2022, 3, 10, 9))
    received = desk.do(verbs.receive, OFFICE.code, code)
    assert received.procedure_version == 1
    assert received.promised_at == vn(2022, 3, 17, 9)
    told = desk.events(code)
    assert [type(event) for event in told] == [DossierRegistered, ContactGiven, DossierReceived]
    assert isinstance(told[2], DossierReceived)
    assert told[2].procedure.version == 1


def test_another_offices_dossier_is_not_there(desk):
    code = desk.submit(channel="online")
    with pytest.raises(NotFound):
        desk.do(verbs.receive, OTHER_OFFICE.code, code)


# --- what routing says ------------------------------------------------------------------------


def test_routings_facts_move_the_dossier(desk):
    code = desk.submit()
    desk.started(code)
    assert desk.dossier(code).status is Status.PROCESSING
    desk.clock.set(vn(2022, 3, 2, 9))
    desk.asked_for_papers(code)
    held = desk.dossier(code)
    assert (held.status, held.paused_since) == (Status.SUPPLEMENT, vn(2022, 3, 2, 9))
    desk.clock.set(vn(2022, 3, 3, 9))
    desk.do(verbs.supplement, OFFICE.code, code, papers=PAPERS)
    said = desk.events(code)[-1]
    assert isinstance(said, DossierSupplemented)
    assert said.round == 1
    assert said.due_at == vn(2022, 3, 9, 9)
    assert said.promised_at == vn(2022, 3, 8, 9)
    desk.hear(
        DossierExtended(
            dossier=code,
            agency=AGENCY,
            reason="chờ",
            promised_at=vn(2022, 3, 8, 9),
            due_at=vn(2022, 3, 14, 9),
            extended_at=desk.clock.now(),
            number=1,
        )
    )
    assert desk.dossier(code).due_at == vn(2022, 3, 14, 9)
    desk.resolved(code)
    held = desk.dossier(code)
    assert (held.status, held.finished_at) == (Status.RESOLVED, desk.clock.now())
    assert held.results[0].document == "12/QĐ"
    desk.do(verbs.return_result, OFFICE.code, code, method="desk")
    assert isinstance(desk.events(code)[-1], DossierReturned)


def test_a_payment_is_asked_paid_and_answered_with_the_notices_own_number(desk):
    code = desk.submit(procedure="1.000002")
    desk.started(code)
    desk.hear(
        PaymentRequested(
            dossier=code,
            step="pay",
            agency=AGENCY,
            amount_vnd=90_000,
            reference="TB-77",
            requested_at=desk.clock.now(),
        )
    )
    assert desk.dossier(code).status is Status.PAYMENT
    desk.clock.advance(timedelta(days=2))
    desk.do(verbs.pay, OFFICE.code, code, amount_vnd=90_000, proof="BL-5")
    paid = desk.events(code)[-1]
    assert isinstance(paid, DossierPaid)
    assert (paid.step, paid.reference, paid.amount_vnd) == ("pay", "TB-77", 90_000)
    assert paid.due_at == vn(2022, 3, 10, 9)
    assert desk.dossier(code).status is Status.PROCESSING


def test_a_fact_that_comes_too_late_is_kept_says_so_and_changes_nothing(desk):
    code = desk.submit()
    with desk.store.begin() as uow:
        verbs.withdraw(uow, CATALOGUE, OFFICE.code, code, reason="đổi ý")
    before = desk.dossier(code)
    desk.resolved(code)
    assert desk.dossier(code) == before
    with desk.store.read() as connection:
        last = timeline(connection, code)[-1]
    assert last.state == "late"
    assert "rút hồ sơ" in (last.note or "")


def test_a_fact_heard_twice_counts_once(desk):
    code = desk.submit()
    desk.started(code)
    desk.hear(
        DossierStopped(
            dossier=code,
            reason="không đủ điều kiện",
            next_step="nộp lại",
            agency=AGENCY,
            stopped_at=desk.clock.now(),
        )
    )
    assert desk.dossier(code).ending is not None
    with desk.store.read() as connection:
        assert len(timeline(connection, code)) == 4


def test_a_fact_of_an_unknown_dossier_is_parked_and_others_flow_on(desk):
    code = desk.submit()
    desk.started("000.01.15.H20-220301-9999")
    desk.started(code)
    assert desk.dossier(code).status is Status.PROCESSING
    inbox = LEDGERS.inbox
    with desk.store.read() as connection:
        states = dict(connection.execute(sa.select(inbox.c.subject, inbox.c.state)).all())
    assert states == {"000.01.15.H20-220301-9999": "parked", code: "done"}


def opened(desk, code):
    return StepOpened(
        dossier=code,
        step=Step(code="s", name="Thẩm tra"),
        agency=AGENCY,
        task="t-1",
        opened_at=desk.clock.now(),
        due_at=vn(2022, 3, 7),
    )


def told(desk, code):
    with desk.store.read() as connection:
        return [
            (entry.source, type(entry.envelope.event())) for entry in timeline(connection, code)
        ]


def test_steps_and_messages_are_for_the_timeline_alone(desk):
    code = desk.submit()
    desk.started(code)
    before = desk.dossier(code)
    desk.clock.advance(timedelta(minutes=1))
    desk.hear(opened(desk, code))
    desk.clock.advance(timedelta(minutes=1))
    now = desk.clock.now()
    desk.hear(
        CitizenNotified(dossier=code, moment="received", channel="sms", message="m-1", sent_at=now)
    )
    assert desk.dossier(code) == before
    assert told(desk, code)[-2:] == [("/routing/steps", StepOpened), ("/notify", CitizenNotified)]


def test_steps_that_the_version_before_states_among_routings_own_facts_are_heard_as_well(desk):
    code = desk.submit()
    desk.hear(opened(desk, code), source="/routing")
    desk.started(code)
    assert told(desk, code)[-2:] == [("/routing", StepOpened), ("/routing", DossierStarted)]
    assert desk.dossier(code).status is Status.PROCESSING


def test_what_follows_a_step_waits_for_it_and_stands_after_it_in_the_timeline(desk):
    code = desk.submit()
    desk.started(code)
    now = desk.clock.now()
    stopped = DossierStopped(dossier=code, reason="r", next_step="n", stopped_at=now)
    desk.hear(stopped, after="/routing/steps:1")
    assert desk.dossier(code).status is Status.PROCESSING
    desk.hear(opened(desk, code))
    assert desk.dossier(code).status is Status.STOPPED
    assert [cls for _, cls in told(desk, code)[-2:]] == [StepOpened, DossierStopped]


def test_what_the_desk_does_at_the_instant_of_a_step_stands_after_what_it_had_heard(desk):
    code = desk.submit()
    desk.started(code)
    desk.hear(opened(desk, code))
    desk.do(verbs.withdraw, OFFICE.code, code, reason="đổi ý")
    assert [cls for _, cls in told(desk, code)[-2:]] == [StepOpened, DossierWithdrawn]


def test_a_batch_of_facts_is_applied_with_one_load_and_one_write(embedded_desk):
    desk = embedded_desk
    codes = [desk.submit() for _ in range(20)]
    statements: list[str] = []
    sa.event.listen(
        desk.store.engine,
        "before_cursor_execute",
        lambda c, cursor, statement, *rest: statements.append(statement),
    )
    kind = kind_of(DossierStarted).type
    handler = handlers(CATALOGUE)[kind]
    procedure = ProcedureName(code="1.000001", name="x")
    facts = [
        Envelope(
            id=code,
            source="/routing",
            type=kind,
            subject=code,
            time=NOW,
            data=Data(write(DossierStarted(dossier=code, procedure=procedure, started_at=NOW))),
            sequence=1,
        )
        for code in codes
    ]
    with desk.store.begin() as uow:
        assert handler.load is not None
        handler.load(uow, facts)
        for fact in facts:
            assert handler.apply(uow, fact) is None
    ours = [s for s in statements if "dossiers" in s]
    assert len(ours) == 2
    assert desk.dossier(codes[-1]).status is Status.PROCESSING


def test_a_submission_costs_few_statements(desk):
    desk.submit()
    statements: list[str] = []
    sa.event.listen(
        desk.store.engine,
        "before_cursor_execute",
        lambda c, cursor, statement, *rest: statements.append(statement),
    )
    desk.submit()
    written = [s for s in statements if not s.startswith(("BEGIN", "COMMIT"))]
    # counter, dossier, numbers of the two streams, two facts
    assert len(written) <= 6, written
