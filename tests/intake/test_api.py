"""The REST door: what it answers, to whom, and that it says the same thing twice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.intake.storage.tables import answers, dossiers
from services.intake.usecases import desk as verbs
from shared.events.intake import ContactGiven
from shared.identity.guard import assert_every_route_is_guarded
from tests.intake.made import CATALOGUE, OFFICE, OTHER_OFFICE, vn

BODY = {
    "procedure": "1.000001",
    "channel": "direct",
    "form": {"full_name": "Nguyễn Thị Mai", "birth_date": "1990-05-04"},
    "papers": [{"code": "to-khai", "original": 1}, {"code": "giay-to", "copy": 1}],
    "contact": {
        "name": "Nguyễn Thị Mai",
        "phone": "0907123456",
        "email": "mai@example.com",
        "consent": {"sms": True, "email": True},
    },
}
WRITES = {
    "receive": {},
    "refuse": {"reason": "r", "next_step": "n"},
    "request-supplement": {"items": ["x"], "reason": "r"},
    "extend-supplement": {"respond_by": "2022-03-16T10:00:00Z"},
    "supplement": {"papers": [{"code": "to-khai", "original": 1}]},
    "payment": {"amount_vnd": 1, "proof": "b"},
    "withdraw": {"reason": "r"},
    "return-result": {"method": "desk"},
    "correct-waybill": {"carrier": "VNPost", "waybill": "EA1234567", "reason": "gõ nhầm"},
    "contact": {"name": "Trần Văn Đức"},
    "called": {},
    "correct": {"version": "v", "reason": "r"},
    "grant-extension": {},
    "refuse-extension": {"reason": "r"},
    "apologise": {"reason": "r", "due_at": "2022-03-30T10:00:00Z"},
}


def count(desk) -> int:
    with desk.store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(dossiers))


def test_a_direct_dossier_is_answered_with_code_dates_and_look_up_word(desk):
    answer = desk.http("POST", "/dossiers", BODY)
    assert answer.status_code == 201
    told = answer.get_json()
    assert told["code"] == "000.01.15.H20-220301-0001"
    assert told["status"] == {"number": 2, "name": "Được tiếp nhận"}
    assert told["promised_at"] == told["due_at"] == "2022-03-08T02:00:00Z"
    assert len(told["lookup_word"]) == 6
    assert told["allowed"] == ["request-supplement", "withdraw", "contact", "correct"]
    assert "Mai" not in answer.text


def test_the_same_key_and_body_give_the_same_answer_for_ever(desk):
    first = desk.http("POST", "/dossiers", BODY, Idempotency_Key="k-1")
    desk.clock.advance(timedelta(days=400))
    reordered = dict(reversed(list(BODY.items())))
    again = desk.http("POST", "/dossiers", reordered, Idempotency_Key="k-1")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count(desk) == 1


def test_the_same_key_with_another_body_is_a_conflict(desk):
    desk.http("POST", "/dossiers", BODY, Idempotency_Key="k-1")
    other = {**BODY, "channel": "online"}
    answer = desk.http("POST", "/dossiers", other, Idempotency_Key="k-1")
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    elsewhere = desk.http(
        "POST", f"/dossiers/{'0' * 3}.x/withdraw", {"reason": "r"}, Idempotency_Key="k-1"
    )
    assert elsewhere.status_code == 409


def test_a_key_belongs_to_its_office(desk):
    desk.http("POST", "/dossiers", BODY, Idempotency_Key="k-1")
    other = desk.http("POST", "/dossiers", BODY, key=desk.other_key, Idempotency_Key="k-1")
    assert other.status_code == 201
    assert other.get_json()["code"].startswith(OTHER_OFFICE.official_id)


def test_a_refused_request_keeps_nothing_and_may_be_mended(desk):
    wrong = {**BODY, "form": {}}
    assert desk.http("POST", "/dossiers", wrong, Idempotency_Key="k-1").status_code == 422
    assert desk.http("POST", "/dossiers", BODY, Idempotency_Key="k-1").status_code == 201


def test_a_command_repeated_under_its_key_is_answered_as_before(desk):
    code = desk.submit()
    path = f"/dossiers/{code}/withdraw"
    first = desk.http("POST", path, {"reason": "đổi ý"}, Idempotency_Key="k-2")
    again = desk.http("POST", path, {"reason": "đổi ý"}, Idempotency_Key="k-2")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.data == again.data
    assert desk.http("POST", path, {"reason": "đổi ý"}).status_code == 409


def test_twin_requests_at_the_same_moment_make_one_dossier(desk):
    results: list[tuple[int, bytes]] = []
    start = threading.Barrier(4)

    def send() -> None:
        start.wait(10)
        answer = desk.http("POST", "/dossiers", BODY, Idempotency_Key="twin")
        results.append((answer.status_code, answer.data))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(results)) == 1
    assert results[0][0] == 201
    assert len(results) == 4
    assert count(desk) == 1
    assert desk.submit().endswith("-0002")


@pytest.mark.parametrize("key", ["", "x" * 201, "phím"])
def test_a_key_that_cannot_be_kept_is_refused(embedded_desk, key):
    answer = embedded_desk.http(
        "POST", "/dossiers", BODY, Idempotency_Key=key.encode().decode("latin-1")
    )
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["place"] == "Idempotency-Key"
    with embedded_desk.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(answers)) == 0


def test_every_fault_of_a_form_is_told_at_once_in_both_languages(embedded_desk):
    wrong = {
        **BODY,
        "form": {"birth_date": "soon", "colour": "red"},
        "papers": [],
        "contact": {"phone": "12"},
    }
    answer = embedded_desk.http("POST", "/dossiers", wrong)
    assert answer.status_code == 422
    problem = answer.get_json()
    assert {e["place"] for e in problem["errors"]} == {
        "form.full_name",
        "form.birth_date",
        "form.colour",
        "papers.to-khai",
        "papers.giay-to",
        "contact.name",
        "contact.phone",
    }
    assert all(e["vi"] and e["en"] for e in problem["errors"])


def test_unknown_fields_and_wrong_kinds_are_refused(embedded_desk):
    answer = embedded_desk.http("POST", "/dossiers", {**BODY, "office": "x", "form": []})
    assert answer.status_code == 422
    assert {e["place"] for e in answer.get_json()["errors"]} == {
        "office",
        "form",
        "form.full_name",
        "form.birth_date",
    }
    assert embedded_desk.http("GET", "/dossiers?colour=red").status_code == 422


def test_the_office_sees_everything_it_holds(desk):
    code = desk.http("POST", "/dossiers", BODY).get_json()["code"]
    told = desk.http("GET", f"/dossiers/{code}").get_json()
    assert told["form"]["full_name"] == "Nguyễn Thị Mai"
    assert told["contact"]["phone"] == "+84907123456"
    assert [p["code"] for p in told["papers"]] == ["to-khai", "giay-to"]
    timeline = desk.http("GET", f"/dossiers/{code}/timeline").get_json()["items"]
    assert [e["type"] for e in timeline] == ["dossier.received", "contact.given"]
    assert "09:00 ngày 08/03/2022" in timeline[0]["details"][0]
    assert "907123456" not in str(timeline)


def test_an_online_dossier_goes_through_the_desks_commands(desk):
    code = desk.http("POST", "/dossiers", {**BODY, "channel": "online"}).get_json()["code"]
    path = f"/dossiers/{code}"
    asked = desk.http(
        "POST", f"{path}/request-supplement", {"items": ["Tờ khai có ký"], "reason": "chưa ký"}
    )
    assert asked.get_json()["status"]["number"] == 5
    assert desk.http("GET", path).get_json()["waiting_for"][0]["items"] == ["Tờ khai có ký"]
    brought = desk.http(
        "POST", f"{path}/supplement", {"papers": [{"code": "to-khai", "original": 1}]}
    )
    assert brought.get_json()["status"]["number"] == 1
    received = desk.http("POST", f"{path}/receive", {})
    assert received.get_json()["promised_at"] == "2022-03-08T02:00:00Z"
    refused = desk.http("POST", f"{path}/return-result", {"method": "desk"})
    assert refused.status_code == 409
    assert refused.get_json()["allowed"] == ["request-supplement", "withdraw", "contact", "correct"]


def test_a_wrong_phone_number_can_be_mended_and_the_notifier_hears_of_it(desk):
    code = desk.http("POST", "/dossiers", BODY).get_json()["code"]
    mended = {"name": "Nguyễn Thị Mai", "phone": "0911 222 333", "consent": {"sms": True}}
    assert desk.http("POST", f"/dossiers/{code}/contact", mended).status_code == 200
    assert desk.dossier(code).contact.phone == "+84911222333"
    given = desk.said(code)[-1]
    assert (given.source, given.sequence) == ("/intake/contacts", 2)
    told = given.event()
    assert isinstance(told, ContactGiven)
    assert told.phone == "+84911222333"
    wrong = desk.http("POST", f"/dossiers/{code}/contact", {"name": "", "phone": "1"})
    assert {e["place"] for e in wrong.get_json()["errors"]} == {"contact.name", "contact.phone"}
    desk.http("POST", f"/dossiers/{code}/withdraw", {"reason": "r"})
    assert desk.http("POST", f"/dossiers/{code}/contact", mended).status_code == 409


# --- who may --------------------------------------------------------------------------------


def routes(desk, code):
    """Every route of the API that names a dossier, with a body that fits."""
    for rule in desk.web.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/dossiers/<string:code>"):
            continue
        path = rule.rule.replace("<string:code>", code).removeprefix("/api/v1")
        path = path.replace("<string:file_id>", "f-1")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            bodies = {**WRITES, "attachments": {}}
            yield method, path, bodies[path.rsplit("/", 1)[1]] if method == "POST" else None


def test_a_key_of_one_office_cannot_see_or_touch_anothers_dossier_by_any_route(desk):
    code = desk.submit(channel="online")
    before = desk.dossier(code)
    tried = 0
    for method, path, body in routes(desk, code):
        there = desk.http(method, path, body, key=desk.other_key)
        missing = desk.http(method, path.replace(code, code[:-4] + "9999"), body)
        assert there.status_code == missing.status_code == 404, path
        assert there.data == missing.data, path
        tried += 1
    assert tried == len(WRITES) + 2 + 4  # of files: list, add, read, withdraw
    assert desk.dossier(code) == before
    assert desk.http("GET", "/dossiers", key=desk.other_key).get_json()["total"] == 0
    peek = desk.http("GET", f"/dossiers?office={OFFICE.code}", key=desk.other_key)
    assert peek.get_json() == {"items": [], "total": 0, "next": None}


def test_without_a_fitting_key_no_route_answers(desk):
    code = desk.submit()
    everything = [*routes(desk, code), ("POST", "/dossiers", BODY), ("GET", "/procedures", None)]
    for method, path, body in everything:
        assert desk.http(method, path, body, key="lt_none_none").status_code == 401, path
        assert desk.http(method, path, body, key=desk.agency).status_code == 403, path
        assert desk.http(method, path, body, key=desk.operator).status_code == 403, path


def test_every_route_names_who_may_call_it(embedded_desk):
    leading_in = ("form", "enter", "code", "first", "city", "back", "go_on", "renew", "leave")
    assert_every_route_is_guarded(
        embedded_desk.web,
        {
            "lookup.front",
            "lookup.form",
            "lookup.find",
            "lookup-api.LookUp",
            "result.send",
            "result.open",
            "result.read",
            "linked.listed",
            "linked.read",
            "linked.hand_in",
            "attachments.linked_files",
            "attachments.linked_file",
            "attachments.hand_in",
            *(f"signing.{each}" for each in leading_in),
        },
    )


# --- the list -------------------------------------------------------------------------------


def found(desk, query="", key=None):
    answer = desk.http("GET", f"/dossiers{query}", key=key)
    assert answer.status_code == 200, answer.text
    return [line["code"].rsplit("-", 1)[1] for line in answer.get_json()["items"]]


@pytest.fixture
def filled(desk):
    """Four dossiers at one office: direct, online, one that waits, one finished; times apart."""
    desk.submit()
    desk.clock.set(vn(2022, 3, 2, 9))
    desk.submit(channel="online", contact=name("Trần Văn Đức"))
    desk.clock.set(vn(2022, 3, 3, 9))
    waiting = desk.submit(procedure="1.000003")
    desk.started(waiting)
    desk.asked_for_papers(waiting, step=None)
    gone = desk.submit()
    with desk.store.begin() as uow:
        verbs.withdraw(uow, CATALOGUE, OFFICE.code, gone, reason="đổi ý")
    desk.submit(office=OTHER_OFFICE.code)
    desk.clock.set(vn(2022, 3, 20, 9))
    return desk


def name(text):
    from services.intake.domain.contacts import ContactInput

    return ContactInput(name=text)


def test_the_list_can_be_filtered(filled):
    assert found(filled) == ["0002", "0001", "0001", "0001"]
    assert found(filled, "?status=5") == ["0001"]
    assert len(found(filled, "?status=5&status=7")) == 2
    assert len(found(filled, "?channel=online")) == 1
    assert len(found(filled, "?procedure=1.000003")) == 1
    assert len(found(filled, "?text=tran%20duc")) == 1
    assert len(found(filled, "?text=220303-0002")) == 1
    assert found(filled, "?text=100%25") == []
    assert len(found(filled, "?received_from=2022-03-02T00:00:00Z")) == 2
    assert len(found(filled, "?received_to=2022-03-02T00:00:00Z")) == 1
    assert found(filled, f"?office={OFFICE.code}&size=200") == found(filled)


def test_overdue_is_told_by_the_running_clock_alone(filled):
    late = filled.http("GET", "/dossiers?overdue=true").get_json()["items"]
    assert [line["overdue"] for line in late] == [True]
    assert late[0]["code"].endswith("220301-0001")
    assert len(found(filled, "?overdue=false")) == 3


@pytest.mark.parametrize("sort", ["newest", "due"])
def test_pages_follow_each_other_and_no_dossier_is_met_twice(filled, sort):
    whole = filled.http("GET", f"/dossiers?sort={sort}").get_json()
    met, cursor = [], ""
    for _ in range(4):
        page = filled.http("GET", f"/dossiers?sort={sort}&size=1{cursor}").get_json()
        assert page["total"] >= 4
        met += page["items"]
        filled.submit()  # filed meanwhile: it must not shift the pages read on
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    if sort == "newest":
        assert met == whole["items"]
    else:
        assert len({line["code"] for line in met}) == len(met)


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "WzEsMl0", "A" * 5000])
def test_a_broken_cursor_is_refused(embedded_desk, cursor):
    answer = embedded_desk.http("GET", f"/dossiers?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["place"] == "cursor"


def test_operators_see_all_offices_and_no_names(filled):
    answer = filled.http("GET", "/dossiers", key=filled.operator).get_json()
    assert answer["total"] == 5
    assert {line["applicant"] for line in answer["items"]} == {None}


# --- procedures and the report ----------------------------------------------------------------


def test_an_office_is_told_what_it_takes_in(embedded_desk):
    items = embedded_desk.http("GET", "/procedures").get_json()["items"]
    assert [p["code"] for p in items] == ["1.000002", "1.000001", "1.000003"]
    one = embedded_desk.http("GET", "/procedures/1.000001").get_json()
    assert one["papers"][2]["condition"] == "khi người khác nộp thay"
    assert one["form"][3]["choices"] == ["học", "làm"]
    assert embedded_desk.http("GET", "/procedures/1.000004").status_code == 404


def test_the_report_counts_the_own_office_and_for_operators_all(filled):
    query = "/reports/ii06a?from=2022-03-01&to=2022-03-31"
    own = filled.http("GET", query).get_json()
    assert [o["office"] for o in own["offices"]] == [OFFICE.code]
    assert own["total"]["received"] == {
        "total": 3,
        "online": 0,
        "direct_postal": 3,
        "carried_over": 0,
    }
    assert own["total"]["resolved"]["total"] == 1
    assert own["total"]["in_progress"] == {"total": 2, "in_time": 1, "late": 1}
    everyone = filled.http("GET", query, key=filled.operator).get_json()
    assert [o["office"] for o in everyone["offices"]] == [OFFICE.code, OTHER_OFFICE.code]
    assert everyone["total"]["received"]["total"] == 4
    assert (everyone["from"], everyone["to"]) == ("2022-03-01", "2022-03-31")
    one = filled.http("GET", f"{query}&office={OTHER_OFFICE.code}", key=filled.operator)
    assert [o["office"] for o in one.get_json()["offices"]] == [OTHER_OFFICE.code]


def test_a_report_needs_two_days_in_order(embedded_desk):
    for query in ("", "?from=2022-03-01", "?from=2022-03-02&to=2022-03-01", "?from=x&to=y"):
        assert embedded_desk.http("GET", f"/reports/ii06a{query}").status_code == 422, query
    last = embedded_desk.http("GET", "/reports/ii06a?from=9999-12-31&to=9999-12-31")
    assert last.status_code == 422
