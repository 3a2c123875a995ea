"""Passes: what a door believes without asking, and what it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.sessions import SecureCookieSessionInterface

from shared.identity.guard import guard_of
from shared.identity.passes import LASTS, SIGNED_IN_FOR, SKEW, Passes
from shared.kernel.clock import RealClock
from tests.staff import a_pass, carry

HTML = {"Accept": "text/html"}
OFFICER = ("officer", "ubnd-phuong-1")


def asked(tiny, shown) -> tuple[int, str]:
    client = tiny.client()
    carry(client, tiny.app, shown)
    answer = client.get("/trang", headers=HTML)
    return answer.status_code, answer.headers.get("Location", "")


def test_a_fresh_pass_opens_and_one_that_ran_out_is_sent_to_be_renewed(tiny):
    now = RealClock().now()
    assert asked(tiny, a_pass(OFFICER)) == (200, "")
    assert asked(tiny, a_pass(OFFICER, made=now - LASTS + timedelta(seconds=5))) == (200, "")
    over = a_pass(OFFICER, made=now - LASTS - timedelta(seconds=1))
    assert asked(tiny, over) == (303, "/phien?next=/trang")


def test_a_form_sent_with_a_pass_that_ran_out_goes_on_as_it_was_sent(tiny):
    client = tiny.client()
    carry(client, tiny.app, a_pass(OFFICER, made=RealClock().now() - 2 * LASTS))
    answer = client.post("/trang?a=1", data={"note": "dài"}, headers=HTML)
    assert (answer.status_code, answer.location) == (307, "/phien?next=/trang?a%3D1")


def test_the_end_of_the_sign_in_is_the_end_whatever_the_pass_says(tiny):
    now = RealClock().now()
    ended = a_pass(OFFICER, made=now - timedelta(minutes=1), until=now - timedelta(seconds=1))
    assert asked(tiny, ended) == (303, "/dang-nhap?next=/trang")
    long_ago = a_pass(OFFICER, made=now - SIGNED_IN_FOR - LASTS)
    assert asked(tiny, long_ago) == (303, "/dang-nhap?next=/trang")


@pytest.mark.parametrize(
    ("ahead", "status"), [(SKEW / 2, 200), (SKEW + timedelta(seconds=5), 303)], ids=["a bit", "far"]
)
def test_clocks_of_two_doors_may_differ_by_a_little(tiny, ahead, status):
    assert asked(tiny, a_pass(OFFICER, made=RealClock().now() + ahead))[0] == status


def test_what_is_no_pass_of_this_city_opens_nothing(tiny):
    checkpoint = guard_of(tiny.app).checkpoint
    good = checkpoint.passes.write(a_pass(OFFICER))
    body, _, mark = good.rpartition(".")
    signer = SecureCookieSessionInterface().get_signing_serializer(tiny.app)
    for text in (
        "",
        "x",
        "đây là thẻ",
        good[:-1],
        good + "A",
        f"{body}x.{mark}",
        "." * 50,
        "x" * 3900,
        Passes("another-city-with-another-secret-entirely").write(a_pass(OFFICER)),
        signer.dumps({"p": "cb-a", "s": "x", "n": "", "r": [["officer", "a"]], "m": 0, "u": 9e9}),
    ):
        client = tiny.client()
        client.set_cookie(checkpoint.cookie, text)
        answer = client.get("/trang", headers=HTML)
        assert (answer.status_code, answer.location) == (303, "/dang-nhap?next=/trang"), text[:40]


def test_a_door_that_only_believes_gives_out_no_pass(tiny):
    client = tiny.officer()
    told = client.get("/trang").headers.getlist("Set-Cookie")
    assert not [each for each in told if guard_of(tiny.app).checkpoint.cookie in each]


def test_a_pass_says_no_more_than_it_must_and_its_holder_is_in_no_repr(tiny):
    shown = a_pass(OFFICER, name="Nguyễn Thị Bí Mật", sign_in="very-secret")
    assert "Bí Mật" not in repr(shown)
    assert "very-secret" not in repr(shown)
    principal = shown.principal({"desk"})
    assert "Bí Mật" not in repr(principal)
    assert str(principal.actor) == "officer:cb-abcdefghij"
