"""Papers that never come: reminded of in time, closed once, extended by a person, told to late comers."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.intake.app import MIGRATIONS, build
from services.intake.domain import citizen, expiry, reception
from services.intake.domain.dossier import Dossier, Wait
from services.intake.domain.statuses import Status
from services.intake.storage.alarms import next_due
from services.intake.storage.tables import dossiers
from services.intake.usecases import desk as verbs
from services.intake.usecases.pass_time import due, pass_time
from shared.catalogue import PapersRule
from shared.database.resealing import open_all
from shared.events.event import Event
from shared.events.intake import (
    DeadlineStated,
    DossierRefused,
    DossierSupplemented,
    ResultConfirmed,
    StopConfirmed,
    SupplementExtended,
    SupplementLapsed,
    SupplementReminded,
)
from shared.events.parts import Agency
from shared.events.routing import DossierResolved, DossierStopped, SupplementDropped
from shared.kernel.calendar import Duration
from shared.kernel.errors import InvalidInput, NotAllowed
from shared.messaging.parked import list_held
from tests.intake.made import (
    CALENDAR,
    CATALOGUE,
    NOW,
    OFFICE,
    PAPERS,
    PAPERS_RULE,
    around,
    dossier,
    vn,
)
from tests.intake.rig import AGENCY, Desk
from tests.migrating import go_back

BY = vn(2022, 3, 9, 17)  # a Wednesday
EVE = vn(2022, 3, 8, 17)


def asked(by=BY, rule: PapersRule | None = PAPERS_RULE, **contact) -> Dossier:
    filed = dossier("online")
    filed = replace(filed, contact=replace(filed.contact, **contact))
    decision = reception.request_supplement(
        filed, around(papers_rule=rule), items=["Tờ khai"], reason="chưa ký", respond_by=by
    )
    assert decision.state is not None
    return decision.state


def passed(waiting: Dossier, now) -> tuple[Dossier, tuple[Event, ...]]:
    decision = expiry.pass_time(waiting, around(now))
    assert decision.state is not None
    return decision.state, decision.events


# --- pure -------------------------------------------------------------------------------------


def test_a_desks_request_knows_when_it_reminds_and_when_it_lapses():
    (wait,) = asked().open_waits
    assert (wait.remind_at, wait.lapse_at, asked().next_at) == (EVE, BY, EVE)


@pytest.mark.parametrize(
    ("by", "remind_at"),
    [
        (vn(2022, 3, 7, 9), vn(2022, 3, 4, 9)),  # a Monday: over the weekend
        (vn(2022, 4, 12, 9), vn(2022, 4, 8, 9)),  # the Monday before is a day off
        (vn(2022, 3, 9, 20), vn(2022, 3, 8, 17, 30)),  # after closing: the last hour of the eve
        (vn(2022, 3, 2, 8), None),  # tomorrow morning: less than a working day from now
        (vn(2022, 12, 30, 9), vn(2022, 12, 29, 9)),
    ],
)
def test_a_reminder_comes_one_working_day_before_the_date(by, remind_at):
    assert asked(by).open_waits[0].remind_at == remind_at


@pytest.mark.parametrize(
    ("before", "remind_at"),
    [
        (Duration(2, "working_hour"), vn(2022, 3, 9, 15)),
        (Duration(3, "day"), vn(2022, 3, 6, 17)),
        (Duration(24, "hour"), vn(2022, 3, 8, 17)),
        (None, None),
    ],
)
def test_how_long_before_is_the_citys_to_say(before, remind_at):
    rule = replace(PAPERS_RULE, remind_before=before)
    assert asked(rule=rule).open_waits[0].remind_at == remind_at


def test_a_date_on_a_day_off_ends_with_the_next_working_day():
    (wait,) = asked(vn(2022, 3, 6, 10)).open_waits
    assert wait.respond_by == wait.lapse_at == vn(2022, 3, 7, 17, 30)


def test_a_date_in_a_year_without_a_calendar_is_a_fault_of_that_field():
    for by in (vn(2031, 1, 6, 9), NOW):
        with pytest.raises(InvalidInput) as refused:
            asked(by)
        assert [f.place for f in refused.value.faults] == ["respond_by"]


def test_without_a_date_or_a_rule_a_person_decides():
    kept = replace(PAPERS_RULE, unanswered="keep")
    assert asked(None).next_at is None
    assert asked(rule=None).next_at is None
    (wait,) = asked(rule=kept).open_waits
    assert (wait.remind_at, wait.lapse_at) == (EVE, None)


def test_when_the_date_passes_the_dossier_is_closed_with_reason_and_next_step():
    closed, (fact,) = passed(asked(), BY)
    assert closed.status is Status.REFUSED
    assert closed.open_waits == ()
    assert closed.next_at is None
    assert closed.ending is not None
    assert closed.ending.reason == "Giấy tờ yêu cầu ngày 01/03 chưa có đến 17:00 09/03/2022"
    assert closed.ending.next_step == "Nộp lại tại UBND Phường 1"
    assert closed.waits[0].dropped == closed.ending.reason
    assert isinstance(fact, DossierRefused)
    assert (fact.reason, fact.next_step) == (closed.ending.reason, closed.ending.next_step)


def test_an_english_speaker_is_told_in_english_and_the_file_stays_vietnamese():
    closed, (fact,) = passed(asked(language="en"), BY)
    assert isinstance(fact, DossierRefused)
    assert fact.reason == "Papers asked for on 01/03 did not come by 17:00 09/03/2022"
    assert fact.next_step == "File again at UBND Phường 1"
    assert closed.ending is not None
    assert closed.ending.reason.startswith("Giấy tờ")


def test_the_citizen_is_reminded_once():
    reminded, facts = passed(asked(), EVE)
    assert [type(f) for f in facts] == [SupplementReminded]
    assert reminded.next_at == BY
    assert passed(reminded, EVE) == (reminded, ())


def test_whoever_slept_over_both_instants_closes_and_does_not_remind_as_well():
    _, facts = passed(asked(), BY + timedelta(days=2))
    assert [type(f) for f in facts] == [DossierRefused]


def test_a_reminder_after_the_date_of_an_agencys_request_is_left_out():
    late = Wait("supplement", "routing", NOW, True, 1, items=("x",), reason="y", respond_by=BY)
    held = replace(dossier(), waits=(expiry.planned(late, NOW, PAPERS_RULE, CALENDAR),))
    kept = replace(held, waits=(replace(held.waits[0], lapse_at=None),))
    after, facts = passed(kept, BY)
    assert (facts, after.next_at) == ((), None)


def test_a_dossier_that_was_received_is_not_closed_by_the_clock():
    odd = replace(asked(), received_at=NOW + timedelta(hours=1))
    after, facts = passed(odd, BY)
    assert (facts, after.next_at, after.status) == ((), None, odd.status)


def test_an_extension_goes_to_a_later_date_only_and_is_reminded_of_anew():
    reminded, _ = passed(asked(), EVE)
    later = vn(2022, 3, 16, 17)
    decision = expiry.extend_supplement(reminded, around(EVE), respond_by=later)
    held, (told,) = decision.state, decision.events
    assert held is not None
    assert isinstance(told, SupplementExtended)
    assert told.respond_by == later
    assert (held.next_at, held.open_waits[0].lapse_at) == (vn(2022, 3, 15, 17), later)
    for wrong in (BY, None, NOW):
        with pytest.raises(InvalidInput) as refused:
            expiry.extend_supplement(held, around(EVE), respond_by=wrong)
        assert {f.place for f in refused.value.faults} == {"respond_by"}
    with pytest.raises(NotAllowed):
        expiry.extend_supplement(dossier("online"), around(), respond_by=BY)


def test_late_papers_are_told_apart_from_papers_nobody_asked_for():
    closed, _ = passed(asked(), BY)
    with pytest.raises(NotAllowed) as late:
        citizen.supplement(closed, around(BY), papers=PAPERS)
    assert "too late" in late.value.en
    assert "17:00 09/03/2022" in late.value.vi
    assert "nộp hồ sơ mới" in late.value.vi
    with pytest.raises(NotAllowed) as unasked:
        citizen.supplement(dossier("online"), around(), papers=PAPERS)
    assert "too late" not in unasked.value.en


# --- on a database ----------------------------------------------------------------------------


def ask(desk: Desk, by=BY) -> str:
    code = desk.submit(channel="online")
    request = {"items": ["Tờ khai"], "reason": "chưa ký", "respond_by": by}
    desk.do(verbs.request_supplement, OFFICE.code, code, **request)
    return code


def spoken(desk: Desk, code: str) -> list[type[Event]]:
    """What has been said since the request."""
    return [type(event) for event in desk.events(code)[3:]]


def test_the_loop_reminds_and_closes_each_at_its_instant(desk):
    code = ask(desk)
    (ticker,) = (loop for loop in desk.service.loops if loop.name == "intake.due")
    assert ticker.next_due() == EVE
    desk.rest()
    assert spoken(desk, code) == []
    desk.clock.set(EVE)
    desk.rest()
    reminded = desk.events(code)[-1]
    assert isinstance(reminded, SupplementReminded)
    assert reminded.agency == Agency(code=OFFICE.code, name=OFFICE.name)
    assert reminded.respond_by == BY
    assert ticker.next_due() == BY
    desk.clock.set(BY)
    desk.rest()
    desk.rest()
    assert spoken(desk, code) == [SupplementReminded, DossierRefused]
    assert desk.dossier(code).status is Status.REFUSED
    assert ticker.next_due() is None


def test_papers_that_came_in_time_are_neither_reminded_of_nor_missed(desk):
    code = ask(desk)
    desk.do(verbs.supplement, OFFICE.code, code, papers=PAPERS)
    desk.clock.set(BY)
    desk.rest()
    assert spoken(desk, code) == [DossierSupplemented]


def test_papers_of_an_agency_that_never_come_lapse_here_and_routing_says_what_follows(desk):
    code = desk.submit()
    desk.started(code)
    desk.asked_for_papers(code, respond_by=BY)
    desk.clock.set(BY)
    desk.rest()
    lapsed = desk.events(code)[-1]
    assert isinstance(lapsed, SupplementLapsed)
    held = desk.dossier(code)
    assert (lapsed.round, lapsed.step, lapsed.lapsed_at) == (1, "check", BY)
    assert lapsed.due_at == held.due_at
    assert (held.status, held.waits[0].dropped) == (Status.PROCESSING, lapsed.reason)
    dropped = SupplementDropped(
        dossier=code, round=1, step="check", reason=lapsed.reason, dropped_at=BY
    )
    desk.hear(dropped)
    assert desk.dossier(code) == held, "all was known already"
    assert isinstance(desk.events(code)[-1], DeadlineStated)
    with pytest.raises(NotAllowed) as late:
        desk.do(verbs.supplement, OFFICE.code, code, papers=PAPERS)
    assert "work on the dossier goes on" in late.value.en


def test_a_service_that_slept_over_the_date_states_the_lapse_as_of_the_date(desk):
    code = desk.submit()
    desk.started(code)
    desk.asked_for_papers(code, respond_by=BY)
    desk.clock.set(BY + timedelta(days=3))
    desk.rest()
    lapsed = desk.events(code)[-1]
    assert isinstance(lapsed, SupplementLapsed)
    assert desk.dossier(code).pauses[-1].until == lapsed.lapsed_at == BY


def test_a_request_that_is_heard_of_after_its_date_waits_for_the_papers(desk):
    code = desk.submit()
    desk.started(code)
    desk.asked_for_papers(code, respond_by=desk.clock.now() - timedelta(hours=1))
    desk.rest()
    assert desk.dossier(code).status is Status.SUPPLEMENT
    assert desk.dossier(code).next_at is None


def test_a_request_of_the_version_before_gets_its_lapse_when_the_database_is_brought_up(desk):
    code = desk.submit()
    desk.started(code)
    desk.asked_for_papers(code, respond_by=BY)
    (asked,) = desk.dossier(code).waits
    with desk.store.engine.begin() as connection:
        open_all(connection, dossiers)  # that version sealed nothing
    go_back(desk.store.engine, MIGRATIONS, "0003")
    with desk.store.read() as connection:
        (wait,) = connection.scalar(sa.select(dossiers.c.progress))["waits"]
    assert "lapse_at" not in wait
    desk.service.migrate()
    assert desk.dossier(code).waits == (asked,)
    with desk.store.read() as connection:
        assert next_due(connection) == asked.remind_at
    desk.clock.set(BY)
    desk.rest()
    assert isinstance(desk.events(code)[-1], SupplementLapsed)


@pytest.mark.parametrize("proposed", [True, None])
def test_only_an_end_that_was_taken_is_confirmed_and_only_once(desk, proposed):
    """Of a fact of the version before (`proposed` null) notify told the citizen by itself."""
    taken, withdrawn = desk.submit(), desk.submit()
    for code in (taken, withdrawn):
        desk.started(code)
    desk.do(verbs.withdraw, OFFICE.code, withdrawn, reason="đổi ý")
    for code in (taken, withdrawn):
        desk.hear(
            DossierResolved(
                dossier=code, results=(), resolved_at=desk.clock.now(), proposed=proposed
            )
        )
        desk.hear(
            DossierStopped(
                dossier=code,
                reason="x",
                next_step="y",
                stopped_at=desk.clock.now(),
                proposed=proposed,
            )
        )
    said = [type(event) for event in desk.events(taken)]
    assert said.count(ResultConfirmed) == (1 if proposed else 0)
    assert StopConfirmed not in said
    assert desk.dossier(taken).status is Status.RESOLVED
    assert desk.dossier(withdrawn).status is Status.WITHDRAWN
    lost = {type(event) for event in desk.events(withdrawn)}
    assert not lost & {ResultConfirmed, StopConfirmed}


def test_a_reminder_names_the_agency_that_asked(desk):
    code = desk.submit()
    desk.asked_for_papers(code, respond_by=BY)
    desk.clock.set(EVE)
    desk.rest()
    reminded = desk.events(code)[-1]
    assert isinstance(reminded, SupplementReminded)
    assert reminded.agency == AGENCY


def test_processes_that_look_at_the_clock_at_once_close_each_dossier_once(desk):
    codes = [ask(desk) for _ in range(12)]
    desk.clock.set(BY)
    start, troubles = threading.Barrier(4), []

    def work() -> None:
        start.wait(10)
        try:
            for _ in range(3):
                with desk.store.begin() as uow:
                    pass_time(uow, due(uow, ()), CATALOGUE)
        except BaseException as trouble:
            troubles.append(trouble)
            raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    for code in codes:
        assert spoken(desk, code) == [DossierRefused]


def test_of_papers_and_the_clock_at_the_same_moment_one_wins_and_the_other_is_told(desk):
    for _ in range(5):
        code = ask(desk, by=desk.clock.now() + timedelta(hours=1))
        desk.clock.advance(timedelta(hours=1))
        start, outcomes = threading.Barrier(2), []

        def bring(code=code, outcomes=outcomes, start=start) -> None:
            start.wait(10)
            try:
                desk.do(verbs.supplement, OFFICE.code, code, papers=PAPERS)
                outcomes.append("brought")
            except NotAllowed:
                outcomes.append("too late")

        def tick(start=start) -> None:
            start.wait(10)
            with desk.store.begin() as uow:
                pass_time(uow, due(uow, ()), CATALOGUE)

        threads = [threading.Thread(target=one) for one in (bring, tick)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        expected = {"brought": DossierSupplemented, "too late": DossierRefused}
        assert spoken(desk, code) == [expected[outcomes[0]]]


SPOILT = {
    "its procedure is gone": ("procedure = '9.999999'", "procedure = '{procedure}'"),
    "its row cannot be read": ("papers = '{{'", "papers = '[]'"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_one_whose_clock_cannot_be_passed_is_put_off_and_does_not_hold_up_the_others(
    embedded_desk, spoilt
):
    desk = embedded_desk
    stuck, *free = [ask(desk) for _ in range(4)]
    broken, mended = (
        each.format(procedure=desk.dossier(stuck).procedure) for each in SPOILT[spoilt]
    )
    desk.clock.set(BY)

    def write(change: str) -> None:
        with desk.store.begin() as uow:
            change = f"UPDATE dossiers SET {change} WHERE code = '{stuck}'"
            uow.connection.exec_driver_sql(change)

    write(broken)
    desk.rest()
    for code in free:
        assert spoken(desk, code) == [DossierRefused]
    with desk.store.read() as connection:
        (held,) = list_held(connection, states=("retry",))
        assert next_due(connection, [stuck]) is None
    assert (held.consumer, held.subject, held.attempts) == ("intake.due", stuck, 1)
    assert held.reason
    write(mended)
    (ticker,) = (loop for loop in desk.service.loops if loop.name == "intake.due")
    assert ticker.next_due() == held.next_at
    desk.clock.set(held.next_at)
    desk.rest()
    assert spoken(desk, stuck) == [DossierRefused]
    with desk.store.read() as connection:
        assert list_held(connection, states=("retry", "parked")) == []


def test_a_service_that_was_down_over_the_date_closes_when_it_comes_back(backend):
    desk = Desk(backend)
    code = ask(desk)
    desk.clock.set(BY + timedelta(days=3))
    again = build(
        desk.service.settings,
        catalogue=CATALOGUE,
        clock=desk.clock,
        ids=desk.store.ids,
        bus=desk.bus,
    )
    try:
        (ticker,) = (loop for loop in again.loops if loop.name == "intake.due")
        ticker.step(0)
        assert desk.dossier(code).status is Status.REFUSED
    finally:
        again.close()
        desk.close()


# --- by the doors -----------------------------------------------------------------------------


def test_the_desk_extends_by_the_api_and_late_papers_are_told_in_both_languages(desk):
    code = ask(desk)
    later = vn(2022, 3, 16, 17)
    path = f"/dossiers/{code}/extend-supplement"
    answer = desk.http("POST", path, {"respond_by": desk.stamp(later)})
    assert answer.status_code == 200
    assert "extend-supplement" in answer.get_json()["allowed"]
    told = desk.events(code)[-1]
    assert isinstance(told, SupplementExtended)
    assert told.respond_by == later
    earlier = desk.http("POST", path, {"respond_by": desk.stamp(BY)})
    assert earlier.status_code == 422
    assert [e["place"] for e in earlier.get_json()["errors"]] == ["respond_by"]
    desk.clock.set(later)
    desk.rest()
    body = {"papers": [{"code": "to-khai", "original": 1}]}
    for language, words in (("vi", "Giấy tờ đến muộn"), ("en", "came too late")):
        late = desk.http("POST", f"/dossiers/{code}/supplement", body, Accept_Language=language)
        assert late.status_code == 409
        assert words in late.get_json()["detail"]
    assert desk.http("POST", path, {"respond_by": desk.stamp(later)}).status_code == 409
