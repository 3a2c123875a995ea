"""SMS by SMPP: what the channel makes of whatever an SMSC does, judged by the SMSC's own list."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.channels.smpp import SmppChannel, Times, parse_smpp_url
from services.notify.channels.smpp.line import Broken
from services.notify.channels.smpp.pdus import names
from services.notify.channels.smpp.texts import cut
from services.notify.domain.delivery import (
    Busy,
    Failed,
    GoingOut,
    Letter,
    Result,
    Sent,
    Unknown,
    Waiting,
    Word,
)
from services.notify.domain.receipts import Fate, Receipt, Ticket, even, number_of
from shared.kernel.errors import SettingsError
from shared.kernel.text import sms_segments
from shared.testing.smsc import QUEUE_FULL, THROTTLED, Smsc, Temper
from tests.ports import free_port
from tests.tls import Authority

QUICK = Times(connect=2, reply=1, silent=0.3, throttled=0.05, longest_pause=0.4, parts=3)
LONG = "Hồ sơ đã được tiếp nhận, mời Ông/Bà " * 8


def a_letter(number: int = 1, body: str = "Ho so da xong", to: str | None = None) -> Letter:
    phone = to or f"+8490712{number:04}"
    return Letter(f"m-{number}", "sms", phone, "", body, datetime(2022, 3, 14, tzinfo=UTC))


@contextmanager
def a_channel(
    smsc: Smsc, options: str = "", times: Times = QUICK, password: str = "secret"
) -> Iterator[SmppChannel]:
    url = f"smpp://city:{password}@127.0.0.1:{smsc.port}?from=UBNDCaoLanh{options}"
    channel = SmppChannel("sms.smpp", parse_smpp_url(url), times=times)
    yield channel
    channel.close()


def words(channel: SmppChannel, letters: Iterable[Letter]) -> list[Word]:
    return [word for word in channel.send(letters) if not isinstance(word, Waiting)]


def results(channel: SmppChannel, letters: Iterable[Letter]) -> list[Result]:
    return [word for word in words(channel, letters) if not isinstance(word, GoingOut)]


def heard(channel: SmppChannel, count: int = 1) -> list[Receipt]:
    """So many receipts, thanked for."""
    found: list[Receipt] = []
    end = time.monotonic() + 5
    while len(found) < count and time.monotonic() < end:
        found += channel.told(0.2)
    channel.thank(found)
    return found


def eventually(true: object, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.02)


# --- texts ---------------------------------------------------------------------------------------


def test_a_text_arrives_as_it_was_written_plain_or_with_marks_short_or_long():
    texts = ["Ho so [1] da xong: 5€ ~ {ok} § @", "Hồ sơ đã xong 😀", LONG, "a" * 161, "^" * 100]
    with Smsc() as smsc, a_channel(smsc) as channel:
        letters = [a_letter(n, text) for n, text in enumerate(texts)]
        assert [type(each) for each in results(channel, letters)] == [Sent] * len(texts)
        assert smsc.texts() == [(each.to[1:], each.body) for each in letters]
        assert {one.sender for one in smsc.taken} == {"UBNDCaoLanh"}
        assert {one.coding for one in smsc.taken} == {0, 8}


def test_parts_are_as_many_as_the_counter_says_and_no_letter_is_cut_in_half():
    drawn = random.Random(11)
    pools = ["abc €[]^@\n", "abcđếỡ€[]^ ễ😀Ω\n@", "ế😀"]
    for _ in range(2000):
        text = "".join(drawn.choices(drawn.choice(pools), k=drawn.randrange(1, 500)))
        made = cut(text, 1)
        assert len(made.parts) == sms_segments(text).parts
        assert max(map(len, made.parts)) <= (140 if made.coding == 8 else 160)
        if made.coding == 8:
            for part in made.parts:
                part[6 if made.joined else 0 :].decode("utf-16-be")


def test_a_long_text_goes_whole_where_the_setting_says_so():
    with Smsc() as smsc, a_channel(smsc, "&parts=payload") as channel:
        (result,) = results(channel, [a_letter(body=LONG)])
        assert result == Sent(("1",))
        assert smsc.texts() == [("84907120001", LONG)]
        assert smsc.taken[0].part is None


# --- the window ----------------------------------------------------------------------------------


def test_a_window_is_noted_before_it_goes_out_and_holds_no_phone_twice():
    letters = [a_letter(1), a_letter(2), a_letter(3, to=a_letter(1).to), a_letter(4)]
    with Smsc() as smsc, a_channel(smsc, "&window=3") as channel:
        said = words(channel, letters)
        assert said == [
            GoingOut(2), Sent(("1",)), Sent(("2",)), GoingOut(2), Sent(("3",)), Sent(("4",)),
        ]  # fmt: skip
        assert [to for to, _ in smsc.texts()] == [letter.to[1:] for letter in letters]


def test_nothing_goes_out_before_the_note_was_taken():
    with Smsc() as smsc, a_channel(smsc) as channel:
        said = channel.send([a_letter()])
        while isinstance(next(said), Waiting):
            pass
        time.sleep(0.1)
        assert smsc.submits == 0
        said.close()  # type: ignore[attr-defined]
        assert smsc.submits == 0


def test_a_rate_that_the_provider_allows_is_kept():
    with Smsc() as smsc, a_channel(smsc, "&per_second=20") as channel:
        began = time.monotonic()
        assert len(results(channel, [a_letter(n) for n in range(11)])) == 11
        assert time.monotonic() - began > 0.45


# --- tempers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [THROTTLED, QUEUE_FULL])
def test_one_that_had_enough_gets_nothing_more_and_each_letter_keeps_its_place(status: int):
    with Smsc(Temper(status=lambda n: status if n > 2 else 0)) as smsc:
        with a_channel(smsc, "&window=4") as channel:
            pauses = []
            first = results(channel, [a_letter(n) for n in range(9)])
            assert [type(each) for each in first] == [Sent, Sent, Busy, Busy, Busy]
            for _ in range(4):
                (busy,) = results(channel, [a_letter(3)])
                assert isinstance(busy, Busy)
                pauses.append(busy.seconds)
            assert pauses == sorted(pauses)
            assert pauses[0] < pauses[-1] == QUICK.longest_pause
            smsc.temper = Temper()
            assert isinstance(results(channel, [a_letter(3)])[0], Sent)
        assert len(smsc.texts()) == 3


def test_a_long_text_that_was_taken_in_part_is_completed_when_the_provider_lets_it():
    with Smsc(Temper(status=lambda n: THROTTLED if n in (2, 4) else 0)) as smsc:
        with a_channel(smsc) as channel:
            (result,) = results(channel, [a_letter(body=LONG)])
            assert isinstance(result, Sent)
        assert smsc.texts() == [("84907120001", LONG)]
        assert len(smsc.taken) == len({one.part for one in smsc.taken}), "no part twice"


def test_a_text_that_stays_taken_in_part_is_unknown_and_says_which_parts():
    with Smsc(Temper(status=lambda n: THROTTLED if n > 1 else 0)) as smsc:
        times = Times(reply=1, throttled=0.05, longest_pause=0.1, parts=0.3)
        with a_channel(smsc, times=times) as channel:
            (result,) = results(channel, [a_letter(body=LONG)])
    assert isinstance(result, Unknown)
    assert result.references[0] == "1"
    assert set(result.references[1:]) == {""}


def test_a_line_that_drops_behind_a_text_leaves_unknown_only_what_was_going_out():
    with Smsc(Temper(drop_after=frozenset({3}))) as smsc, a_channel(smsc, "&window=5") as channel:
        first = results(channel, [a_letter(n) for n in range(5)])
        assert [type(each) for each in first[:2]] == [Sent, Sent]
        assert {type(each) for each in first[2:]} <= {Unknown, Failed}
        assert isinstance(first[2], Unknown)
        # What follows goes over a new line.
        assert isinstance(results(channel, [a_letter(9)])[0], Sent)
        told = {each.to[1:] for each, r in zip(map(a_letter, range(5)), first, strict=True)
                if isinstance(r, Failed)}  # fmt: skip
        assert not told & {to for to, _ in smsc.texts()}, "failed means: certainly not taken"


def test_one_that_takes_and_says_nothing_makes_the_text_unknown_and_the_line_new():
    with Smsc(Temper(mute_after=1)) as smsc, a_channel(smsc) as channel:
        (result,) = results(channel, [a_letter()])
        assert result == Unknown("smpp: no answer", ("",))
        smsc.temper = Temper()
        eventually(lambda: isinstance(results(channel, [a_letter(2)])[0], Sent))
        assert len(smsc.binds) == 2
        assert len(smsc.texts()) == 2


def test_a_slow_one_is_waited_for_with_words_in_between():
    with Smsc(Temper(slow=0.6)) as smsc, a_channel(smsc) as channel:
        said = list(channel.send([a_letter()]))
        assert isinstance(said[-1], Sent)
        assert sum(isinstance(word, Waiting) for word in said) >= 2
        assert smsc.submits == 1


@pytest.mark.parametrize(
    ("status", "permanent"), [(0x0B, True), (0x65, True), (0x08, False), (0x58 + 1, False)]
)
def test_a_no_to_the_text_is_final_only_where_it_speaks_of_the_text(status: int, permanent: bool):
    with Smsc(Temper(status=lambda _: status)) as smsc, a_channel(smsc) as channel:
        (result,) = results(channel, [a_letter()])
        assert result == Failed(f"smpp submit: {status}", permanent=permanent)


def test_a_wrong_password_is_told_and_not_tried_at_every_letter():
    with Smsc() as smsc, a_channel(smsc, password="wrong") as channel:
        assert results(channel, [a_letter(n) for n in range(20)]) == [Failed("smpp bind: 14")] * 20
        assert smsc.binds == [("city", False)]
        with pytest.raises(Broken, match="smpp bind: 14"):
            list(channel.check())


def test_nobody_there_is_a_failure_and_it_comes_back_by_itself():
    port = free_port()
    url = f"smpp://city:secret@127.0.0.1:{port}"
    channel = SmppChannel("sms.smpp", parse_smpp_url(url), times=QUICK)
    (away,) = results(channel, [a_letter()])
    assert away == Failed("smpp connect: ConnectionRefusedError")
    with Smsc(port=port) as smsc:
        eventually(lambda: results(channel, [a_letter()]) == [Sent(("1",))])
        assert len(smsc.texts()) == 1
    channel.close()


@pytest.mark.parametrize(
    "odd",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x08aaaa", b"\xff" * 40, b"\0\0\0\x10" + b"\0" * 12,
     b"\0\0\x00\x20\x80\0\0\x09\0\0\0\0\0\0\0\x01"],
)  # fmt: skip
def test_one_that_speaks_no_smpp_is_no_smsc(odd: bytes):
    with Smsc(Temper(greeting=odd)) as smsc, a_channel(smsc) as channel:
        (result,) = results(channel, [a_letter()])
        assert isinstance(result, Failed)
        assert str(result.reason).startswith("smpp bind: ")


def test_one_that_lets_us_in_and_puts_us_out_again_is_not_stormed():
    with Smsc() as smsc, a_channel(smsc) as channel:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            channel.told(0.05)
            smsc.hang_up()
        assert 1 <= len(smsc.binds) <= 7  # pauses grow to 0.4 s here
        channel.close()


def test_garbage_in_the_middle_ends_the_line_and_loses_no_text():
    with Smsc(Temper(receipts="never")) as smsc, a_channel(smsc) as channel:
        assert isinstance(results(channel, [a_letter(1)])[0], Sent)
        smsc.say(b"\0\0\0\x05?")
        channel.told(0.5)  # until the line is seen to be over
        assert isinstance(results(channel, [a_letter(2)])[0], Sent)
        assert (len(smsc.texts()), len(smsc.binds)) == (2, 2)


def test_single_bytes_are_put_together():
    with Smsc(Temper(dribble=True)) as smsc, a_channel(smsc) as channel:
        assert results(channel, [a_letter(1), a_letter(2)]) == [Sent(("1",)), Sent(("2",))]
        assert len(heard(channel, 2)) == 2
    assert len(smsc.thanked) == 2


def test_a_quiet_line_is_asked_whether_it_lives_and_a_dead_one_is_left():
    with Smsc() as smsc, a_channel(smsc) as channel:
        assert isinstance(results(channel, [a_letter(1)])[0], Sent)
        time.sleep(1.0)  # three times as long as is borne in silence
        assert isinstance(results(channel, [a_letter(2)])[0], Sent)
        assert len(smsc.binds) == 1
        smsc.hang_up()
        eventually(lambda: isinstance(results(channel, [a_letter(3)])[0], Sent))
        assert len(smsc.binds) == 2
        assert [to for to, _ in smsc.texts()] == [a_letter(n).to[1:] for n in (1, 2, 3)]


def test_what_the_smsc_asks_is_answered_and_a_citizens_own_message_is_no_receipt():
    enquire = bytes.fromhex("00000010 00000015 00000000 00000077".replace(" ", ""))
    strange = bytes.fromhex("00000010 00000999 00000000 00000078".replace(" ", ""))
    with Smsc(Temper(receipts="never")) as smsc, a_channel(smsc) as channel:
        assert isinstance(results(channel, [a_letter(1)])[0], Sent)
        smsc.say(enquire)
        smsc.say(strange)
        assert channel.told(0.3) == []
        assert isinstance(results(channel, [a_letter(2)])[0], Sent)
        assert len(smsc.binds) == 1


def test_over_tls_the_certificate_is_looked_at(tmp_path: Path):
    authority = Authority(tmp_path / "ca", "SMSC Root")
    pair = authority.server("localhost")
    ours = ssl.create_default_context(cafile=str(authority.root))
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pair.certificate, pair.key)
    with Smsc(tls=theirs) as smsc:
        url = f"smpps://city:secret@localhost:{smsc.port}"
        known = SmppChannel("sms.smpp", parse_smpp_url(url), times=QUICK, tls_context=ours)
        assert isinstance(results(known, [a_letter(n) for n in range(12)])[-1], Sent)
        assert len(heard(known, 12)) == 12
        known.close()
        stranger = SmppChannel("sms.smpp", parse_smpp_url(url), times=QUICK)
        (result,) = results(stranger, [a_letter()])
        assert result == Failed("smpp tls: the certificate is not valid for this name")
        stranger.close()


# --- receipts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tlv", [False, True])
@pytest.mark.parametrize("when", ["now", "before"])
def test_a_receipt_names_the_part_and_our_own_number_and_is_kept_until_it_is_written(
    tlv: bool, when: str
):
    with Smsc(Temper(tlv=tlv, receipts=when)) as smsc, a_channel(smsc) as channel:
        assert results(channel, [a_letter()]) == [Sent(("1",))]
        told = channel.told(2)
        assert smsc.thanked == []
        channel.thank(told)
        eventually(lambda: len(smsc.thanked) == 1)
    (receipt,) = told
    assert (receipt.provider, receipt.references[0]) == ("sms.smpp", "1")
    assert (receipt.fate, receipt.to) == (Fate.DELIVERED, "84907120001")
    assert receipt.number == number_of("m-1", 1, 1)


@pytest.mark.parametrize(
    ("given", "told", "ids", "found"),
    [
        ("1A2B", "1a2b", "auto", True),
        ("0001A2B", "1A2B", "same", True),
        ("1a2b", "6699", "auto", True),
        ("1a2b", "0006699", "hex", True),
        ("6699", "1A2B", "auto", True),
        ("6699", "1A2B", "decimal", True),
        ("1a2b", "6699", "same", False),
        ("e7c1f0a2-uuid", "E7C1F0A2-UUID", "auto", True),
        ("0", "0", "auto", True),
    ],
)
def test_a_name_in_hex_or_decimal_is_the_same_part(given: str, told: str, ids: str, found: bool):
    assert (even(given) in names(told, ids)) is found


def test_a_provider_is_asked_what_became_of_a_part():
    with Smsc(Temper(receipts="never", ids=("08X", "d"))) as smsc, a_channel(smsc) as channel:
        assert results(channel, [a_letter(1), a_letter(2)]) == [
            Sent(("00000001",)), Sent(("00000002",)),
        ]  # fmt: skip
        smsc.taken[0].state = "DELIVRD"
        at = datetime(2022, 3, 14, tzinfo=UTC)
        tickets = [
            Ticket("sms.smpp", str(n), f"m-{n}", 1, 1, Fate.TAKEN, at, at, given=f"0000000{n}")
            for n in (1, 2, 3)
        ]
        found = channel.ask(tickets)
    assert [(each.references, each.fate) for each in found] == [
        (("1",), Fate.DELIVERED), (("2",), Fate.UNDERWAY),
    ]  # fmt: skip


# --- settings ------------------------------------------------------------------------------------


def test_an_address_gives_everything_and_hides_the_password():
    server = parse_smpp_url(
        "smpps://city:p%40ss@smsc.example?from=19001234&window=20&per_second=50&parts=payload"
        "&ids=hex&system_type=VMA"
    )
    assert (server.host, server.port, server.tls) == ("smsc.example", 3550, True)
    assert (server.user, server.password, server.sender) == ("city", "p@ss", "19001234")
    assert (server.window, server.per_second, server.payload) == (20, 50, True)
    assert (server.ids, server.system_type) == ("hex", "VMA")
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "smpp://smsc.example", "http://u:p@x", "smpp://u:p@smsc.example",
        "smpps://u:longer-than-eight@x", "smpps://a-user-of-sixteen:p@x", "smpps://u:mật@x",
        "smpps://u:p@x?window=0", "smpps://u:p@x?window=99", "smpps://u:p@x?window=two",
        "smpps://u:p@x?parts=sar", "smpps://u:p@x?ids=octal", "smpps://u:p@x?from=UBNDTinhDongThap",
        "smpps://u:p@x?from=Phường1", "smpps://u:p@x?from=A&from=B", "smpps://u:p@x?colour=red",
        "smpps://u:p@x:70000", "smpps://u:p@x/path",
    ],
)  # fmt: skip
def test_an_address_that_no_text_could_go_by_is_told_at_the_start(url: str | None):
    with pytest.raises(SettingsError) as refused:
        parse_smpp_url(url)
    for said in (refused.value.en, refused.value.vi):
        assert "LIENTHONG_SMPP_URL" in said
        for secret in ("longer-than", "mật@", "octal", "colour"):
            assert secret not in said
