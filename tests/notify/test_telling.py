"""From events and contacts to message rows, on both back ends."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from services.notify.domain.composing import UnknownDossier
from services.notify.domain.states import State
from services.notify.domain.values import spoken_time
from services.notify.storage.correspondence import Correspondences
from services.notify.usecases.sending import (
    give_up_waiting,
    next_give_up,
    waited_too_long,
)
from shared.events.intake import (
    DeadlineStated,
    DossierApologised,
    DossierPaid,
    DossierPartlyReturned,
    DossierReturned,
    SupplementRequested,
    WaybillCorrected,
)
from shared.events.routing import DossierExtended
from shared.kernel.text import is_gsm
from shared.messaging.loops.ticker import Ticker, Timely
from shared.messaging.parked import list_held
from tests.notify.ledger import DOSSIER, START, Ledger, a_contact, agency, received, sample


def test_news_with_a_known_contact_goes_one_way_and_the_other_stands_by(ledger: Ledger):
    ledger.hear(a_contact())
    ledger.hear(received())
    found = sorted(ledger.messages(), key=lambda message: message.rung)
    assert [(m.channel, m.state, m.moment) for m in found] == [
        ("sms", State.QUEUED, "received"),
        ("email", State.STANDBY, "received"),
    ]
    assert [m.to for m in found] == ["+84907123456", "sau.nguyen@example.vn"]


def test_the_text_message_is_plain_short_and_says_code_date_and_lookup_word(ledger: Ledger):
    ledger.hear(a_contact())
    ledger.hear(received())
    (sms,) = ledger.messages(channel="sms")
    assert is_gsm(sms.body)
    assert "?" not in sms.body
    assert (sms.encoding, sms.parts) == ("gsm7", 2)
    assert DOSSIER in sms.body
    assert "16/03/2022" in sms.body
    assert "Sau" not in sms.body


def test_the_email_has_its_marks_and_greets_by_name(ledger: Ledger):
    ledger.hear(a_contact())
    ledger.hear(received())
    (mail,) = ledger.messages(channel="email")
    assert DOSSIER in mail.subject + mail.body
    assert "Nguyễn Thị Sáu" in mail.body
    assert "14:00 ngày 16/03/2022" in mail.body


def test_the_language_is_the_contacts(ledger: Ledger):
    ledger.hear(a_contact(language="en"))
    ledger.hear(received())
    assert {m.language for m in ledger.messages()} == {"en"}
    assert "14:00 on 16/03/2022" in ledger.messages(channel="email")[0].body


def test_news_before_its_contact_waits_and_is_released_with_the_date_of_then(ledger: Ledger):
    ledger.hear(received())
    (waiting,) = ledger.messages()
    assert (waiting.state, waiting.channel, waiting.body) == (State.AWAITING_CONTACT, "", "")

    later = START + timedelta(days=6, hours=5)
    ledger.hear(sample(DossierExtended, agency=agency(), reason="quá tải", due_at=later))
    ledger.hear(a_contact())
    found = ledger.messages(channel="email")
    assert [m.moment for m in found] == ["received", "extended"]
    assert "16/03/2022" in found[0].body
    assert "20/03/2022" in found[1].body
    assert ledger.states() == {"queued": 2, "standby": 3}  # a call, should the apology not arrive
    assert found[0].about is None


def test_an_apology_for_a_missed_date_names_who_is_late_why_and_the_new_date(ledger: Ledger):
    new, made = START + timedelta(days=12), START + timedelta(days=9)
    told = sample(
        DossierApologised, agency=agency(), reason="Chưa làm xong việc: Thẩm định", due_at=new
    )
    ledger.hear(a_contact(), received())
    ledger.clock.set(made)
    ledger.hear(told)
    (mail,) = ledger.messages(channel="email")[-1:]
    (sms,) = ledger.messages(channel="sms")[-1:]
    assert "Chưa làm xong việc: Thẩm định" in mail.body
    assert spoken_time(new, "vi", brief=False) in mail.body
    assert "Hen moi: " + spoken_time(new, "vi", brief=True) in sms.body
    assert sms.parts == 2


def test_an_apology_that_comes_with_the_result_names_no_date(ledger: Ledger):
    told = sample(DossierApologised, agency=agency(), reason="Kết quả có sau ngày hẹn", due_at=None)
    ledger.hear(a_contact(), received())
    ledger.clock.set(START + timedelta(days=12))
    ledger.hear(told)
    (mail,) = ledger.messages(channel="email")[-1:]
    (sms,) = ledger.messages(channel="sms")[-1:]
    assert "Hẹn mới: đã có kết quả" in mail.body
    assert "Hen moi: da co ket qua" in sms.body


def test_a_date_stated_anew_is_remembered_and_tells_nobody(ledger: Ledger):
    due = START + timedelta(days=9)
    ledger.hear(a_contact(), received(), sample(DeadlineStated, due_at=due))
    assert {m.moment for m in ledger.messages()} == {"received"}
    with ledger.store.begin() as uow:
        assert uow.get(Correspondences).get(DOSSIER).case.due_at == due


def test_a_contact_and_news_of_one_batch_make_the_messages_whichever_comes_first(ledger: Ledger):
    other = "000.00.15.H20-220314-0002"
    ledger.hear(received(), a_contact(), a_contact(other), received(other))
    assert ledger.states() == {"queued": 2, "standby": 2}
    assert {m.about for m in ledger.messages()} == {None}


def test_a_new_contact_is_told_where_the_dossier_stands_and_gets_the_later_messages(
    ledger: Ledger,
):
    ledger.hear(a_contact(consent_email=False))
    ledger.hear(received())
    ledger.hear(a_contact(consent_email=False, phone="+84912345678"))
    ledger.hear(sample(DossierReturned, method="post"))
    assert [(m.moment, m.to) for m in ledger.messages()] == [
        ("received", "+84907123456"),
        ("contact_changed", "+84912345678"),
        ("returned", "+84912345678"),
    ]


def test_only_an_address_that_is_new_is_told_and_nobody_before_there_is_a_dossier(ledger: Ledger):
    ledger.hear(
        a_contact(consent_email=False), a_contact(consent_email=False, phone="+84912345678")
    )
    ledger.hear(received())
    assert {m.moment for m in ledger.messages()} == {"received"}
    before = len(ledger.messages())
    ledger.hear(a_contact(phone="+84912345678"))
    (told,) = ledger.messages()[before:]
    assert (told.moment, told.channel) == ("contact_changed", "email"), "the mailbox alone is new"
    ledger.hear(a_contact(phone="+84912345678"))
    assert len(ledger.messages()) == before + 1


@pytest.mark.parametrize("taker", ["applicant", None])
def test_whoever_took_the_result_at_the_desk_is_not_told(ledger: Ledger, taker: str | None):
    ledger.hear(a_contact(), received())
    ledger.hear(sample(DossierReturned, method="desk", taker=taker))
    (seen,) = [m for m in ledger.messages() if m.moment == "returned"]
    assert (seen.state, seen.reason, seen.to) == (State.SKIPPED, "at_desk", "")
    assert ledger.told() == []


def test_the_applicant_is_told_that_a_representative_took_the_result(ledger: Ledger):
    ledger.hear(a_contact(consent_email=False), received())
    ledger.hear(sample(DossierReturned, method="desk", taker="representative"))
    assert [m.moment for m in ledger.messages(states=("queued",))] == ["received", "returned"]


@pytest.mark.parametrize(("channel", "told"), [("direct", []), ("online", ["paid"])])
def test_who_paid_at_the_desk_is_not_told_so_and_who_filed_from_afar_is(
    ledger: Ledger, channel: str, told: list[str]
):
    ledger.hear(a_contact(consent_email=False), received(channel=channel))
    ledger.hear(sample(DossierPaid))
    assert [m.moment for m in ledger.messages(states=("queued",))] == ["received", *told]


def test_what_was_posted_is_told_with_its_number(ledger: Ledger):
    ledger.hear(a_contact(), received())
    before = len(ledger.messages())
    by = {"method": "post", "carrier": "VNPost", "waybill": "RR123456789VN"}
    ledger.hear(sample(DossierPartlyReturned, taker=None, **by))
    ledger.hear(sample(DossierReturned, taker=None, **by))
    told = ledger.messages()[before:]
    assert {m.moment for m in told} == {"partly_returned", "returned"}
    assert all("VNPost" in m.body and "RR123456789VN" in m.body for m in told)


def test_a_mended_waybill_is_told_though_the_dossier_is_closed(ledger: Ledger):
    ledger.hear(a_contact(), received(), sample(DossierReturned, taker=None, method="post"))
    before = len(ledger.messages())
    ledger.hear(sample(WaybillCorrected, waybill="RR123456798VN", was="RR123456789VN"))
    told = ledger.messages()[before:]
    assert {m.moment for m in told} == {"waybill_corrected"}
    assert all("RR123456798VN" in m.body and "RR123456789VN" not in m.body for m in told)


def test_without_consent_the_message_is_skipped_and_the_citizen_unreachable_once(ledger: Ledger):
    ledger.hear(a_contact(consent_sms=False, consent_email=False))
    ledger.hear(received())
    (only,) = ledger.messages()
    assert (only.state, only.reason, only.body) == (State.SKIPPED, "no_consent", "")
    told = ledger.told()
    assert [(kind, data["reason"]) for kind, data in told] == [
        ("citizen.unreachable", "no_consent")
    ]


def test_without_a_usable_address_the_citizen_is_unreachable(ledger: Ledger):
    ledger.hear(received())
    ledger.hear(a_contact(phone="+842773851234", email=None))
    (only,) = ledger.messages()
    assert (only.state, only.reason) == (State.UNDELIVERABLE, "no_address")
    assert [data["moment"] for _, data in ledger.told()] == ["received"]


def test_a_contact_that_does_not_come_within_a_day_makes_the_moment_unreachable(ledger: Ledger):
    ledger.hear(received())
    with ledger.store.read() as connection:
        assert next_give_up(connection, ()) == START + timedelta(hours=24)
    ledger.clock.advance(timedelta(hours=23, minutes=59))
    with ledger.store.begin() as uow:
        assert give_up_waiting(uow, waited_too_long(uow, ())) == 0
    ledger.clock.advance(timedelta(minutes=1))
    with ledger.store.begin() as uow:
        assert give_up_waiting(uow, waited_too_long(uow, ())) == 1
    with ledger.store.begin() as uow:
        assert give_up_waiting(uow, waited_too_long(uow, ())) == 0
    (fact,) = ledger.told()
    assert fact[1]["reason"] == "no_contact"
    ledger.hear(a_contact())
    assert ledger.states() == {"undeliverable": 1}
    with ledger.store.read() as connection:
        assert next_give_up(connection, ()) is None


def test_one_that_cannot_be_given_up_does_not_hold_up_the_others(ledger: Ledger):
    codes = [f"000.00.15.H20-220314-{number:04}" for number in range(1, 4)]
    ledger.hear(*(received(code) for code in codes))
    broken = "UPDATE messages SET state = 'awaiting_contact', {} WHERE dossier = '" + codes[1] + "'"
    with ledger.store.begin() as uow:  # a moment that nothing may be said of
        uow.connection.exec_driver_sql(broken.format("moment = ''"))
    work = Timely(next_give_up, waited_too_long, give_up_waiting)
    ticker = Ticker("notify.ticker", ledger.store, work)
    ledger.clock.advance(timedelta(hours=24))
    while ticker.step(0):
        pass
    assert ledger.states() == {"undeliverable": 2, "awaiting_contact": 1}
    with ledger.store.read() as connection:
        (held,) = list_held(connection, states=("retry",))
    assert held.consumer == "notify.ticker"
    with ledger.store.begin() as uow:
        uow.connection.exec_driver_sql(broken.format("moment = 'received'"))
    ledger.clock.set(held.next_at)
    assert ticker.step(0) == 1
    assert ledger.states() == {"undeliverable": 3}


def test_the_same_moment_can_never_be_written_twice_for_one_fact(ledger: Ledger):
    ledger.hear(a_contact())
    fact = ledger.fact(received())
    ledger.hear(fact)
    with pytest.raises(sa.exc.IntegrityError):
        ledger.hear(fact)
    assert len(ledger.messages()) == 2


def test_two_rounds_of_papers_are_two_moments(ledger: Ledger):
    ledger.hear(a_contact())
    asking = agency("ubnd-phuong-1", "UBND Phường 1")
    ask = sample(SupplementRequested, agency=asking, items=("Giấy chứng sinh",), reason="thiếu")
    ledger.hear(received(), ask, replace(ask, round=2))
    asked = [m for m in ledger.messages(channel="email") if m.moment == "supplement_requested"]
    assert len(asked) == 2
    assert "Giấy chứng sinh" in asked[0].body


def test_news_of_a_dossier_nobody_ever_heard_of_is_not_told_in_half(ledger: Ledger):
    ledger.hear(a_contact())
    with pytest.raises(UnknownDossier):
        ledger.hear(sample(DossierReturned))
    assert ledger.messages() == []


def test_a_batch_of_fifty_costs_a_handful_of_statements(ledger: Ledger):
    codes = [f"000.00.15.H20-220314-{number:04}" for number in range(50)]
    ledger.hear(*(a_contact(code) for code in codes))
    statements: list[str] = []
    sa.event.listen(
        ledger.store.engine,
        "before_cursor_execute",
        lambda *args: statements.append(args[2]),
    )
    ledger.hear(*(received(code) for code in codes))
    assert len(ledger.messages()) == 100
    heard = [text for text in statements if not text.startswith(("BEGIN", "SELECT messages"))]
    assert len(heard) <= 5, heard


def test_a_contact_and_news_that_cross_never_miss_each_other(ledger_on_postgresql: Ledger):
    # Each side commits only after the other has looked: without a lock both would miss.
    # (SQLite has one writer at a time, so there nothing can cross.)
    ledger = ledger_on_postgresql
    ledger.hear(received())
    ledger.hear(a_contact())
    dossier = "000.00.15.H20-220314-0002"
    news, contact = received(dossier), a_contact(dossier)
    looked = threading.Event()
    faults: list[Exception] = []

    def give() -> None:
        try:
            looked.wait(60)
            ledger.hear(contact)
        except Exception as fault:  # noqa: BLE001 - shown by the assertion below
            faults.append(fault)

    giver = threading.Thread(target=give)
    giver.start()
    with ledger.store.begin() as uow:
        assert uow.get(Correspondences).get(dossier).contact is None
        looked.set()
        giver.join(0.3)
        assert giver.is_alive(), "the contact must wait for the news"
        ledger.handle(uow, news)
    giver.join(60)
    assert faults == []
    assert {m.state for m in ledger.messages(dossier=dossier)} == {State.QUEUED, State.STANDBY}, (
        "the first way, and the one behind it"
    )
