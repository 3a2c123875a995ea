"""Signatures, addresses, pauses of webhooks: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from partner.webhook import NotSigned, verify
from services.routing.domain.webhook import (
    GRACE,
    LEASE,
    Outcome,
    Secret,
    Webhook,
    check_skips,
    check_url,
    failed,
    headers,
    is_public,
    renewed,
    secret_of,
    sign,
)
from shared.events.names import wire
from shared.kernel.errors import InvalidInput
from tests.routing.worlds import NOW

KEY = "the city's own secret, for tests alone"
HOOK = Webhook("bhxh", "https://bhxh.example/", (), (Secret("n1"),), None, NOW, 4, last=5)


def test_a_signature_is_that_of_standard_webhooks():
    """The vector of the specification's own libraries."""
    made = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_old_and_new_secret_sign_beside_each_other_for_a_day():
    hook = replace(HOOK, secrets=renewed(HOOK.secrets, "n2", NOW))
    old, new = (secret_of(KEY, "bhxh", nonce) for nonce in ("n1", "n2"))
    for at, good in ((NOW, (old, new)), (NOW + GRACE, (new,))):
        made = headers(KEY, hook, "id-1", b"body", at)
        for secret in (old, new):
            if secret in good:
                verify([secret], made, b"body", lambda at=at: at)
            else:
                with pytest.raises(NotSigned):
                    verify([secret], made, b"body", lambda at=at: at)
    assert len(renewed(hook.secrets, "n3", NOW)) == 2, "a day has two, however often it is asked"
    assert secret_of(KEY, "bhxh", "n1") != secret_of(KEY, "cong-an", "n1")


@pytest.mark.parametrize(
    ("url", "loopback", "good"),
    [
        ("https://congan.example/webhook?a=1", False, True),
        ("https://congan.example:8443/", False, True),
        ("https://8.8.8.8/", False, True),
        ("http://congan.example/", False, False),
        ("http://congan.example/", True, False),
        ("https://u:p@congan.example/", False, False),
        ("https://congan.example/#x", False, False),
        ("https://10.0.0.1/", False, False),
        ("https://[::1]/", False, False),
        ("https://[::ffff:10.0.0.1]/", False, False),
        ("https://169.254.169.254/latest", True, False),
        ("https://localhost/", False, False),
        ("http://127.0.0.1:8090/", True, True),
        ("https://", False, False),
        ("ftp://x.vn/", False, False),
        ("https://x.vn:99999/", False, False),
        ("https://[x/", False, False),
        ("https://x.vn/\n", False, True),
        ("https://x .vn/", False, False),
        ("https://x.vn/" + "a" * 500, False, False),
        ("", False, False),
    ],
)
def test_which_addresses_may_be_named(url: str, loopback: bool, good: bool):
    if good:
        assert check_url(url, loopback=loopback) == url.strip()
        return
    with pytest.raises(InvalidInput) as refused:
        check_url(url, loopback=loopback)
    assert [each.place for each in refused.value.faults] == ["url"]
    assert "p@" not in str(refused.value), "it may hold a password"


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("64:ff9b::808:808", True),
        ("10.1.2.3", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("127.0.0.1", False), ("169.254.169.254", False),
        ("::1", False), ("fe80::1", False), ("fd00::1", False), ("fec0::1", False), ("ff02::1", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::", False),
    ],
)  # fmt: skip
def test_which_addresses_are_called(address: str, good: bool):
    assert is_public(ip_address(address)) is good


def test_pauses_grow_for_a_day_and_then_it_is_paused():
    hook, now, spans = HOOK, NOW, []
    while hook.paused is None:
        hook = failed(hook, Outcome("http 500"), now)
        if hook.next_at is not None:
            spans.append((hook.next_at - now).total_seconds())
            now = hook.next_at
    assert now == NOW + timedelta(hours=24)
    assert (hook.paused, hook.since) == ("http 500", now)
    assert 5 <= spans[0] <= 6.25
    assert 15 <= spans[1] <= 18.75
    assert max(spans) <= 3 * 3600
    assert 10 <= len(spans) <= 20


def test_gone_pauses_at_once_and_a_wish_to_wait_is_heeded_within_an_hour():
    assert failed(HOOK, Outcome("http 410"), NOW).paused == "http 410"
    for asked, least, most in ((600, 600, 600), (1, 5, 6.25), (-5, 5, 6.25), (10**6, 3600, 3600)):
        tried = failed(HOOK, Outcome("http 429", timedelta(seconds=asked)), NOW)
        assert tried.next_at is not None
        assert least <= (tried.next_at - NOW).total_seconds() <= most


def test_when_an_agency_is_sent_to():
    later = NOW + timedelta(seconds=60)
    assert HOOK.due(NOW) == NOW
    assert replace(HOOK, cursor=5).due(NOW) is None
    assert replace(HOOK, paused="by hand").due(NOW) is None
    assert replace(HOOK, paused="by hand", trial_asked_at=NOW).due(NOW) == NOW
    assert replace(HOOK, next_at=later).due(NOW) == later
    assert replace(HOOK, next_at=later, trial_asked_at=NOW).due(NOW) == NOW
    assert replace(HOOK, held_until=later).due(NOW) == later
    put_back = NOW - timedelta(days=30)
    assert replace(HOOK, next_at=NOW, held_until=NOW + LEASE).due(put_back) == put_back


def test_an_assigned_task_is_never_left_out():
    with pytest.raises(InvalidInput):
        check_skips(["assigned"])
    quiet = replace(HOOK, skips=check_skips(["changed", "cancelled", "answer_refused", "changed"]))
    assert quiet.skips == ("answer_refused", "cancelled", "changed")
    assert quiet.goes(wire("task.assigned"))
    assert quiet.goes(wire("fact.withheld"))
    assert not quiet.goes(wire("task.changed"))
    assert HOOK.goes(wire("task.changed"))
