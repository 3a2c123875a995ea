from __future__ import annotations

import json

import pytest


def problem_of(response, status):
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body = json.loads(response.data)
    assert body["status"] == status
    assert body["title"]
    assert body["type"].startswith("urn:lienthong:problem:")
    return body


def test_every_fault_of_a_form_is_told_at_once_in_both_languages(tiny):
    body = {"count": "3", "urgent": "yes", "extra": 1, "at": "yesterday"}
    answer = tiny.client().post("/api/v1/notes", json=body, headers=tiny.bearer())
    problem = problem_of(answer, 422)
    assert problem["code"] == "invalid_input"
    faults = {fault["place"]: fault for fault in problem["errors"]}
    assert set(faults) == {"title", "count", "urgent", "extra", "at"}
    assert faults["title"]["vi"] == "Thiếu trường bắt buộc."
    assert faults["count"] == {
        "place": "count",
        "pointer": "#/count",
        "rule": "invalid_field",
        "vi": "Phải là số nguyên.",
        "en": "Not a valid whole number.",
    }
    assert faults["extra"]["vi"] == "Trường không được phép."


def test_a_good_request_goes_through_and_text_is_kept_in_vietnamese(tiny):
    body = {"title": "  Khai sinh đúng hạn ", "count": 2.0, "at": "2022-03-01T08:30:00+07:00"}
    answer = tiny.client().post("/api/v1/notes", json=body, headers=tiny.bearer())
    assert answer.status_code == 201
    assert "Khai sinh đúng hạn" in answer.text
    assert answer.json == {
        "title": "Khai sinh đúng hạn",
        "count": 2,
        "urgent": False,
        "at": "2022-03-01T01:30:00Z",
    }


@pytest.mark.parametrize(
    ("accept", "tongue", "title"),
    [
        (None, "vi", "Không tìm thấy"),
        ("en", "en", "Not found"),
        ("en-GB,en;q=0.8", "en", "Not found"),
        ("vi-VN,en;q=0.5", "vi", "Không tìm thấy"),
        ("de", "vi", "Không tìm thấy"),
    ],
)
def test_a_problem_speaks_the_language_that_was_asked_for(tiny, accept, tongue, title):
    headers = {"Accept-Language": accept} if accept else {}
    answer = tiny.client().get("/api/v1/nowhere", headers=headers)
    assert problem_of(answer, 404)["title"] == title
    assert answer.headers["Content-Language"] == tongue
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_wrong_method_keeps_its_allow_header(tiny):
    answer = tiny.client().delete("/api/v1/notes", headers=tiny.bearer())
    problem_of(answer, 405)
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


def test_a_body_that_is_not_json_is_415_and_broken_json_is_400(tiny):
    client = tiny.client()
    foreign = client.post(
        "/api/v1/notes", data="a=1", content_type="text/plain", headers=tiny.bearer()
    )
    problem_of(foreign, 415)
    broken = client.post(
        "/api/v1/notes", data="{", content_type="application/json", headers=tiny.bearer()
    )
    assert problem_of(broken, 400)["errors"][0]["vi"] == "Nội dung không phải là JSON hợp lệ."


def test_a_body_that_is_too_large_is_413(tiny):
    big = json.dumps({"title": "x" * 2_000_000, "count": 1})
    answer = tiny.client().post(
        "/api/v1/notes", data=big, content_type="application/json", headers=tiny.bearer()
    )
    problem_of(answer, 413)


def test_our_own_refusals_carry_their_status_and_what_is_allowed(tiny):
    client = tiny.client()
    assert problem_of(client.get("/api/v1/broken/move"), 409)["allowed"] == ["withdraw"]
    assert problem_of(client.get("/api/v1/broken/forbidden"), 403)["code"] == "forbidden"
    many = problem_of(client.get("/api/v1/broken/many"), 422)
    assert [fault["vi"] for fault in many["errors"]] == ["Sai a.", "Sai b."]


@pytest.mark.parametrize("kind", ["away", "broker", "contention", "later"])
def test_what_will_be_better_soon_is_503_with_a_time_to_try_again(tiny, kind):
    answer = tiny.client().get(f"/api/v1/broken/{kind}")
    problem_of(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("kind", ["bug", "park"])
def test_a_defect_is_500_and_says_nothing_about_itself(tiny, kind):
    answer = tiny.client().get(f"/api/v1/broken/{kind}")
    problem_of(answer, 500)
    assert "secret" not in answer.text
    assert "0912345678" not in answer.text


def test_an_unusual_status_is_still_a_problem_document(tiny):
    problem_of(tiny.client().get("/api/v1/broken/teapot"), 418)


def test_a_page_that_fails_is_a_page_in_vietnamese(tiny):
    answer = tiny.client().get("/hong/forbidden", headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert answer.content_type.startswith("text/html")
    assert "Không có quyền thực hiện" in answer.text
    missing = tiny.client().get("/khong-co", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert "Không tìm thấy" in missing.text
    bug = tiny.client().get("/hong/bug", headers={"Accept": "text/html"})
    assert bug.status_code == 500
    assert "0912345678" not in bug.text


def test_the_description_names_problems_as_the_error_of_each_operation(tiny):
    document = tiny.client().get("/openapi.json").json
    error = document["components"]["responses"]["DEFAULT_ERROR"]
    assert list(error["content"]) == ["application/problem+json"]
    assert document["paths"]["/api/v1/notes"]["post"]["responses"]["default"]
    assert document["security"] == [{"key": []}]
    assert document["paths"]["/api/v1/open"]["get"]["security"] == []
    title = document["components"]["schemas"]["NewNote"]["properties"]["title"]
    assert title["minLength"] == 1
    assert document["components"]["schemas"]["NewNote"]["additionalProperties"] is False
