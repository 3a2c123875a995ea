"""All that citizens are told, at every moment, in both languages and by every way, with the longest there is."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from services.notify.domain.composing import Composer
from services.notify.domain.contacts import CALL, EMAIL, SMS
from services.notify.domain.moments import CONTACT_CHANGED, NAMES_VI, Details
from services.notify.domain.moments import MOMENTS as TABLE
from services.notify.domain.previews import CODE, Known, made_up, previewed
from services.notify.domain.values import values_for
from shared.catalogue.checks.messages import longest_values
from shared.catalogue.faults import Faults
from shared.catalogue.moments import MOMENTS, OF_CASE
from shared.catalogue.read import read_folder
from shared.events.describe import SAMPLES
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.names import PREFIX
from shared.settings import PROJECT
from tests.notify.ledger import START, the_catalogue

COMPOSER = Composer(the_catalogue())
DAY = START.date()
LONG = "thiếu bản sao giấy chứng nhận quyền sử dụng đất và tờ khai có chữ ký hai bên; " * 3
NEXT = "nộp lại tờ khai có chữ ký hai bên tại nơi đã nộp hồ sơ; " * 3
LANGUAGES = ("vi", "en")
BAD_NEWS = ("refused", "supplement_dropped", "extended", "stopped")


def known(language: str, **changes: Any) -> Known:
    """The longest that the catalogue and people can put into a text."""
    usual = made_up(COMPOSER, language, DAY)  # type: ignore[arg-type]
    longest = longest_values(read_folder(PROJECT / "catalogue", Faults()))
    values = {
        "reason": LONG,
        "next_step": NEXT,
        "items": (LONG,),
        "step": longest["step"],
        **changes,
    }
    details = msgspec.structs.replace(usual.notice.details, **values)
    place = replace(usual.notice.place, short_name=longest["place"], hotline=longest["hotline"])
    case = replace(usual.notice.case, dossier=longest["code"], short_name=longest["procedure"])
    notice = replace(
        usual.notice, details=details, place=place, case=case, agency_short=longest["agency"]
    )
    return Known(notice, usual.contact)


@pytest.fixture(scope="module", params=LANGUAGES)
def longest(request: pytest.FixtureRequest) -> Known:
    return known(request.param)


def written(moment: str, channel: str, of: Known) -> str:
    template = COMPOSER.catalogue.template(moment, channel, of.contact.language, DAY)
    shown = previewed(COMPOSER, template, of)
    return f"{shown.subject}\n{shown.body}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_sms_keeps_to_its_parts_and_says_where_to_ask_and_how_to_check_it(moment, longest):
    template = COMPOSER.catalogue.template(moment, SMS, longest.contact.language, DAY)
    shown = previewed(COMPOSER, template, longest)
    assert shown.parts <= COMPOSER.rule(START).parts.get(moment, 1), shown.body
    assert shown.encoding == "gsm7"
    assert shown.vnd == 350 * shown.parts
    for said in (longest.notice.case.dossier, longest.notice.place.hotline, f"THAT {CODE}", "HS"):
        assert said in shown.body, (said, shown.body)
    assert "..." not in shown.body
    assert "http" not in shown.body


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_step_and_the_reason_of_bad_news_are_never_dropped(moment, longest):
    text = written(moment, SMS, longest)
    english = longest.contact.language == "en"
    if "next_step" in MOMENTS[moment]:
        assert "nop lai" in text, text
    if moment in BAD_NEWS:
        assert ("in Vietnamese, ask us" if english else "thieu") in text, text


@pytest.mark.parametrize("moment", MOMENTS)
def test_english_texts_hold_no_vietnamese_reason(moment):
    of = known("en")
    for channel in (SMS, EMAIL):
        template = COMPOSER.catalogue.template(moment, channel, "en", DAY)
        if "reason" not in re.findall(r"\{(\w+)\}", template.body):
            continue
        values = values_for(of.notice, of.contact, channel)
        assert values["reason"] == "in Vietnamese, ask us"
        plain = replace(of.notice, details=msgspec.structs.replace(of.notice.details, reason="No."))
        assert values_for(plain, of.contact, channel)["reason"] == "No."


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_extension_before_the_date_does_not_say_that_it_is_late(language):
    of = known(language, reason="more time")
    for channel in (SMS, EMAIL, CALL):
        text = written("extended", channel, of).lower()
        for late in ("tre hen", "trễ hẹn", "is late", "overdue", "quá hạn"):
            assert late not in text, text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_text_has_no_hole_where_an_event_says_little(moment, language):
    """Only what the class of the event requires: no `Ly do: .`, no empty brackets."""
    of = made_up(COMPOSER, language, DAY)
    for details in least(moment):
        bare = Known(replace(of.notice, details=details, agency="", agency_short=""), of.contact)
        if details.agency:
            bare = Known(replace(of.notice, details=details), of.contact)
        for channel in (SMS, EMAIL, *([CALL] if moment in COMPOSER.rule(START).needs_act else [])):
            text = written(moment, channel, bare)
            assert not re.search(r"[:,(] *[.,)]|\(\)|: *(\n\n|\Z)|  +\S", text), text


def events(moment: str) -> list[Any]:
    """The contract's own samples of the events that lead to this moment."""
    found = []
    for cls in (cls for cls, row in TABLE.items() if row.code == moment):
        path = SAMPLES / f"{kind_of(cls).type.removeprefix(PREFIX)}.json"
        found.append(decode(path.read_bytes()).event())
    return found


def least(moment: str) -> list[Details]:
    """What the events of this moment say at least: without any of their options."""
    found = []
    for event in events(moment):
        options = {
            each.name: each.default
            for each in msgspec.structs.fields(event)
            if each.default is not msgspec.NODEFAULT
        }
        found.append(TABLE[type(event)].details(msgspec.structs.replace(event, **options)))
    return found or [Details()]


def test_the_catalogue_knows_what_each_event_can_fill_in():
    """What it lets words ask for at a moment is what the class of its event can say."""
    at = START + timedelta(days=1)
    of = made_up(COMPOSER, "vi", DAY)
    filled: dict[str, set[str]] = {CONTACT_CHANGED: set()}
    for cls, row in TABLE.items():
        (event,) = [each for each in events(row.code) if type(each) is cls]
        whole = {"carrier": "x", "waybill": "x", "reason": "x", "next_step": "x", "step": "x",
                 "amount_vnd": 1, "replaces": "x", "respond_by": at, "items": ("x",)}  # fmt: skip
        fields = {each.name for each in msgspec.structs.fields(event)}
        event = msgspec.structs.replace(event, **{k: v for k, v in whole.items() if k in fields})
        details = row.details(event)
        notice = COMPOSER.notice(of.notice.case, of.notice.made_at, details)
        values = values_for(notice, of.contact, EMAIL)
        filled.setdefault(row.code, set()).update(name for name, said in values.items() if said)
    assert set(MOMENTS) == set(filled) == set(NAMES_VI)
    for moment, names in filled.items():
        assert names - OF_CASE == MOMENTS[moment] - OF_CASE, moment


def test_an_apology_gives_its_whole_reason_and_the_new_date():
    text = written("extended", SMS, made_up(COMPOSER, "vi", DAY))
    assert "Ly do: thieu ban sao giay chung sinh." in text
