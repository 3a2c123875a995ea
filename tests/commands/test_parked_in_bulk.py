"""Held facts settled in bulk, under odd ids, and past what never comes; every act is on record."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime

import sqlalchemy as sa

from shared.events.envelope import Envelope, encode
from shared.kernel.errors import Conflict, NotAllowed, ParkNow
from shared.messaging.consumer import Consumer, Handler
from shared.messaging.tables import LEDGERS
from tests.commands.ledgers import BECAUSE, opened
from tests.messaging.rig import ScriptedBus

ODD = [
    "1",
    "-h1",
    "--force",
    "a 'quoted' \"id\"",
    "số-một-Đỗ",
    "\x1b[2J\rgone\u202e",
    "%_%",
    "-x-y",
]
REASONS = ("the form is wrong", "The SEAL is missing")


def fact(fact_id, source="/intake", subject="D1", sequence=1, after=None):
    return encode(
        Envelope(
            id=fact_id,
            source=source,
            type="vn.lienthong.x.v1",
            subject=subject,
            time=datetime.now(UTC),
            data={},
            sequence=sequence,
            after=after,
        )
    )


def come(backend, *bodies, parks=lambda fact: None, queue="notify.facts"):
    """These facts come to notify, whose handler parks those for which `parks` gives a reason."""

    def apply(_, envelope):
        if (reason := parks(envelope)) is not None:
            raise ParkNow(reason)

    store = opened(backend, "notify")
    bus = ScriptedBus()
    bus.put(*bodies)
    handlers = {"vn.lienthong.x.v1": Handler(apply)}
    consumer = Consumer(queue, queue, store, bus, handlers, sources=("/intake", "/routing"))
    while consumer.step(0):
        pass
    with store.read() as connection:
        inbox = LEDGERS.inbox.c
        asked = sa.select(inbox.source, inbox.sequence, inbox.subject, inbox.state)
        found = sorted(map(tuple, connection.execute(asked.where(inbox.state != "done"))))
        done = sorted(
            connection.execute(
                sa.select(inbox.source, inbox.sequence).where(inbox.state == "done")
            ).all()
        )
    store.close()
    return found, [tuple(row) for row in done]


def listed(run, *arguments):
    output = run("parked", "list", "--json", "--service", "notify", *arguments).output
    return [json.loads(line) for line in output.splitlines()]


def test_a_fact_under_any_id_is_shown_and_settled(run, migrated, backend):
    come(backend, *(fact(odd, subject=f"D{n}") for n, odd in enumerate(ODD)), parks=lambda _: "no")
    at = ("--service", "notify")
    listing = run("parked", "list", *at).output
    assert not set("\x1b\r\u202e") & set(listing), "what comes from outside moves no cursor"
    for number, odd in enumerate(ODD):
        assert f"D{number} #1" in run("parked", "show", *at, "--", odd).output
        run("parked", "replay", *at, *BECAUSE, "--", odd)
    assert listed(run) == []
    come(backend, parks=lambda _: "still no")
    assert "#1" in run("parked", "show", "-x-y", *at).output, "a dash alone needs no ceremony"
    for odd in ODD:
        run("parked", "discard", *at, *BECAUSE, "--", odd)
    assert {row["id"] for row in listed(run, "--state", "discarded")} == set(ODD)


def test_two_senders_that_chose_the_same_id_are_told_apart(run, migrated, backend):
    both = (fact("1", "/routing", "D2"), fact("1", "/intake", "D1"))
    come(backend, *both, parks=lambda _: "no")
    at = ("--service", "notify", *BECAUSE)
    assert isinstance(run("parked", "discard", "1", *at, ok=False).exception, Conflict)
    run("parked", "discard", "1", "--source", "/routing", *at)
    (left,) = listed(run)
    assert (left["source"], left["routing_key"], left["user_id"]) == (
        "/intake",
        "maker.test.made",
        None,
    )


def test_many_are_settled_by_what_they_have_in_common_and_totals_are_true(run, migrated, backend):
    bodies = [fact(f"i-{n}", "/intake", f"D{n}") for n in range(30)]
    bodies += [fact(f"r-{n}", "/routing", f"D{n}") for n in range(4)]
    reasons = {"/intake": REASONS[0], "/routing": REASONS[1]}
    come(backend, *bodies, parks=lambda each: reasons[each.source])
    at = ("--service", "notify")
    page = run("parked", "list", *at, "--limit", "5").output
    assert "34 bản tin" in page
    assert "5 shown" in page
    assert "4 bản tin" in run("parked", "list", *at, "--reason", "seal IS").output
    assert "0 bản tin" in run("parked", "list", *at, "--older", "1h").output
    assert "34 bản tin" in run("parked", "list", *at, "--older", "0s").output
    assert "0 bản tin" in run("parked", "list", *at, "--agency", "so-tu-phap").output

    some = (*at, "--source", "/routing", *BECAUSE)
    assert "4 facts fit; nothing was done" in run("parked", "discard", *some).output
    assert len(listed(run)) == 34
    assert "4 / 4 discard" in run("parked", "discard", *some, "--yes").output
    assert (
        "30 / 30 replay"
        in run("parked", "replay", *at, "--reason", "form", *BECAUSE, "--yes").output
    )
    _, done = come(backend)
    assert len(done) == 30
    assert run("parked", "discard", *at, *BECAUSE, "--yes", ok=False).exit_code == 2


def test_every_act_needs_a_person_and_a_reason_and_is_on_record(run, migrated, backend):
    come(backend, fact("one-fact"), parks=lambda _: "no")
    for act in ("replay", "discard", "release"):
        done = run("parked", act, "one-fact", "--service", "notify", "--who", "lan", ok=False)
        assert done.exit_code == 2
        blank = ("--who", " ", "--why", "x")
        assert run("parked", act, "one-fact", "--service", "notify", *blank, ok=False).exit_code
    assert run("resend", "--since", "2h", ok=False).exit_code == 2
    run("parked", "discard", "one-fact", "--service", "notify", *BECAUSE)
    run("resend", "--since", "2h", *BECAUSE, "--service", "notify")
    told = run("acts", "--service", "notify").output
    assert "notify discard (1): notify.facts /intake one-fact" in told
    assert "notify resend (0): since " in told
    assert told.count("lan: thử") == 2


def test_what_waits_for_a_number_that_never_comes_is_let_go_on(run, migrated, backend):
    held, _ = come(backend, fact("f1"), fact("f4", sequence=4), fact("f5", sequence=5))
    assert [each[1] for each in held] == [4, 5]
    run("parked", "release", "f5", "--service", "notify", *BECAUSE)
    held, done = come(backend)
    assert done == [("/intake", 1), ("/intake", 4), ("/intake", 5)]
    gone = listed(run, "--state", "discarded")
    assert [(row["sequence"], row["owner"], row["note"]) for row in gone] == [
        (2, "lan", "thử"), (3, "lan", "thử"),
    ]  # fmt: skip
    # The lost one comes after all: nobody takes it for a repeat, a person sees it.
    held, _ = come(backend, fact("f2", sequence=2), fact("f6", sequence=6))
    (late,) = listed(run)
    assert (late["id"], late["reason"]) == ("f2", "number already used: the stream is at 5")


def test_a_cause_of_another_source_that_never_comes_is_passed_over_too(run, migrated, backend):
    come(backend, fact("f1", after="/routing:2"), fact("r1", "/routing"))
    run("parked", "release", "--service", "notify", "--reason", "waits for", *BECAUSE, "--yes")
    held, done = come(backend, fact("r3", "/routing", sequence=3))
    assert done == [("/intake", 1), ("/routing", 1), ("/routing", 3)]
    assert held == [("/routing", 2, "D1", "discarded")]


def test_what_waits_for_a_parked_fact_is_not_let_past_it(run, migrated, backend):
    parks = lambda each: "no" if each.sequence == 1 else None  # noqa: E731
    come(backend, fact("f1"), fact("f2", sequence=2), parks=parks)
    refused = run("parked", "release", "f2", "--service", "notify", *BECAUSE, ok=False)
    assert isinstance(refused.exception, NotAllowed)
    assert len(listed(run, "--state", "waiting")) == 1
    run("parked", "discard", "f2", "--service", "notify", *BECAUSE)  # with what stands before it
    held, done = come(backend, fact("f3", sequence=3))
    assert done == [("/intake", 3)]
    assert {each[3] for each in held} == {"discarded"}


def test_what_status_says_can_be_typed_whatever_a_sender_calls_itself(run, migrated, backend):
    odd = "/agencies/x; echo 'gone' \x1b[2J"
    come(
        backend, fact("one-fact", odd), fact("two-fact", "/intake"), parks=lambda _: "it's no good"
    )
    done = run("status", "--door", "http://127.0.0.1:9", "--service", "notify", ok=False)
    assert "\x1b" not in done.output
    command = next(
        line for line in done.output.splitlines() if "--agency" in line and "lienthong" in line
    )
    typed = shlex.split(command.partition("lienthong ")[2])
    assert typed[typed.index("--reason") + 1] == "park_now: it's no good"
    assert typed[typed.index("--service") + 1] == "notify"
    assert "gone" in typed[typed.index("--agency") + 1], "one word, which no shell takes apart"
