"""What messages cost: parts that were really handed over, by month, channel and office, beside budgets."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.notify.delivery.sender import Sender
from services.notify.delivery.shown import budgets_measured
from services.notify.domain.delivery import Failed, Unknown
from services.notify.domain.spending import (
    Budget,
    Handed,
    Month,
    Priced,
    added_up,
    budgets,
    midnight,
    month_at,
    priced,
    read_month,
)
from services.notify.storage.erasing import erase
from services.notify.usecases.resending import resend
from services.notify.usecases.sending import claim_due, go_out
from services.notify.usecases.spending import Account, account, budget_lines, csv_of
from shared.catalogue import Catalogue
from shared.catalogue.model import CostRule
from shared.events.intake import ResultConfirmed
from shared.kernel.errors import InvalidInput
from tests.notify.ledger import (
    DOSSIER,
    OFFICE,
    Ledger,
    RecordingChannel,
    a_contact,
    received,
    sample,
    the_catalogue,
)

MARCH = Month(2022, 3)
OLD = CostRule(date(2021, 1, 1), date(2022, 3, 9), {"sms": 300})
NEW = CostRule(date(2022, 3, 10), None, {"sms": 400})


def handed(parts: int, outcome: str = "sent", provider: str = "sms.smpp", **other: str) -> Handed:
    office, channel = other.get("office", OFFICE), other.get("channel", "sms")
    return Handed(channel, office, provider, outcome, 1, parts)


def test_a_month_is_vietnam_s_and_read_as_people_write_it():
    assert read_month("03/2022") == read_month("2022-03") == MARCH
    assert month_at(datetime(2022, 2, 28, 17, tzinfo=UTC)) == MARCH  # midnight there
    assert (MARCH.before, str(MARCH), MARCH.written) == (Month(2022, 2), "2022-03", "03/2022")
    assert Month(2021, 12).after == date(2022, 1, 1)
    with pytest.raises(InvalidInput):
        read_month("13/2022")


def test_a_price_that_changes_in_the_month_counts_from_its_day():
    spans = list(priced(MARCH, lambda day: OLD if OLD.is_valid(day) else NEW))
    edge = midnight(date(2022, 3, 10))
    assert [(span.since, span.until) for span in spans] == [
        (midnight(date(2022, 3, 1)), edge),
        (edge, midnight(date(2022, 4, 1))),
    ]
    (line,) = added_up([(spans[0], handed(2)), (spans[1], handed(1))])
    assert (line.messages, line.parts, line.vnd) == (2, 3, 2 * 300 + 400)


def test_what_nobody_knows_of_is_counted_and_named_and_what_is_written_down_costs_nothing():
    span = Priced(midnight(MARCH.first), midnight(MARCH.after), {"sms": 350})
    sums = [
        handed(2),
        handed(1, "unknown"),
        handed(5, provider="sms.file"),
        handed(1, channel="email"),
    ]
    mail, texts = added_up((span, each) for each in sums)
    assert (texts.parts, texts.uncertain, texts.written, texts.vnd) == (3, 1, 5, 3 * 350)
    assert (mail.channel, mail.parts, mail.vnd) == ("email", 1, 0)


def test_budgets_are_of_the_city_and_of_offices_and_never_lie_at_the_edges():
    span = Priced(midnight(MARCH.first), midnight(MARCH.after), {"sms": 350})
    lines = added_up((span, handed(2, office=office)) for office in (OFFICE, "other", ""))
    rule = CostRule(date(2021, 1, 1), None, {}, 2100, 1000, {"other": 700})
    told = {each.office: each.percent for each in budgets(lines, rule, [OFFICE, "third"])}
    assert told == {None: 100, OFFICE: 70, "other": 100, "third": 0}
    assert [Budget(None, 0, spent).percent for spent in (0, 1)] == [0, 100]
    assert Budget(None, 1000, 799).percent == 79


@pytest.fixture
def spent(ledger: Ledger) -> Ledger:
    """Two texts in March: one taken at the second try, and one of which nobody knows."""
    ledger.hear(a_contact(consent_email=False), received())
    ledger.hear(a_contact("D-2", consent_email=False), received("D-2"))
    answers = [Failed("smpp bind: 14"), Unknown("broke off")]
    texts = RecordingChannel(False, True, "sms.smpp", answers=list(answers))  # type: ignore[arg-type]
    Sender("sms", texts, ledger.store).step(0)
    ledger.clock.advance(timedelta(minutes=5))
    Sender("sms", texts, ledger.store).step(0)
    return ledger


def of_march(ledger: Ledger, book: Catalogue | None = None) -> Account:
    with ledger.store.read() as connection:
        return account(connection, book or the_catalogue(), MARCH, ledger.clock.now())


def test_a_month_s_sum_is_of_what_was_handed_over_and_stays_when_words_are_erased(spent: Ledger):
    (line,) = of_march(spent).lines
    parts = {message.state.value: message.parts for message in spent.messages()}
    assert set(parts) == {"sent", "uncertain"}
    assert (line.office, line.channel, line.messages) == (OFFICE, "sms", 2)
    assert (line.parts, line.uncertain) == (sum(parts.values()), parts["uncertain"])
    assert line.vnd == line.parts * 350
    before = of_march(spent)
    with spent.store.begin() as uow:
        erase(uow.connection, [DOSSIER, "D-2"], uow.now, rule="term", who="x")
    assert of_march(spent) == before
    assert not any(message.body for message in spent.messages())


def test_what_goes_twice_is_paid_twice_in_the_month_in_which_it_went(spent: Ledger):
    (unsure,) = spent.messages(states=("uncertain",))
    first = of_march(spent).vnd
    spent.clock.set(midnight(date(2022, 4, 1)))
    with spent.store.begin() as uow:
        resend(uow, unsure.id)
    Sender("sms", RecordingChannel(name="sms.smpp"), spent.store).step(0)
    assert of_march(spent).vnd == first
    with spent.store.read() as connection:
        april = account(connection, the_catalogue(), Month(2022, 4), spent.clock.now())
    assert april.vnd == unsure.parts * 350


def test_what_a_crash_left_behind_is_paid_for_too(ledger: Ledger):
    ledger.hear(a_contact(consent_email=False), received())
    with ledger.store.begin() as uow:
        (claimed,) = claim_due(uow, "sms", "dead", 9)
    with ledger.store.begin() as uow:
        go_out(uow, [claimed], "dead", [])
    ledger.clock.advance(timedelta(minutes=20))
    Sender("sms", RecordingChannel(False, True, "sms.smpp"), ledger.store).step(0)
    (message,) = ledger.messages()
    (line,) = of_march(ledger).lines
    assert message.state.value == "uncertain"
    assert (line.parts, line.uncertain) == (message.parts, message.parts)


def test_an_alarm_says_who_must_act_and_stops_nothing(spent: Ledger):
    city = the_catalogue()
    vnd = of_march(spent).vnd
    rule = replace(city.cost_rule(MARCH.first), city_vnd=vnd * 100 // 85, office_vnd=vnd)
    city = _with(city, rule)
    with spent.store.read() as connection:
        near, full = budget_lines(connection, spent.clock.now(), city)
    assert (near.level, full.level) == ("note", "act")
    assert near.act is not None
    assert "raise budget_vnd" in near.act.en
    assert "cả thành phố" in near.said.vi
    readings = budgets_measured(spent.store, city)()
    shares = {dict(each.labels)["office"]: each.value for each in readings}
    assert 0.8 <= shares["city"] < 1
    assert shares[OFFICE] == 1
    spent.hear(sample(ResultConfirmed))
    spent.clock.advance(timedelta(hours=1))
    Sender("sms", RecordingChannel(name="sms.smpp"), spent.store).step(0)
    assert of_march(spent, city).vnd > vnd


def test_the_sums_go_into_a_spreadsheet(spent: Ledger):
    head, line = csv_of(of_march(spent), the_catalogue()).splitlines()
    assert head.startswith("month,office,name,channel")
    assert line.startswith(f"2022-03,{OFFICE},UBND Phường 1,sms,2,")


def _with(city: Catalogue, rule: CostRule) -> Catalogue:
    """The same city with another price and budget."""
    import copy

    other = copy.copy(city)
    other._cost_rules = (rule,)
    return other
