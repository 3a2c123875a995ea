"""Whatever lies on an agency's queue, one odd message is put aside and its neighbours go on."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import pika
import pytest

from partner import Client, Message
from tests.partner.conftest import CityBroker, envelope, until


def changed(number: int, **attributes: Any) -> bytes:
    return json.dumps({**envelope("phuong-1", number), **attributes}).encode()


def with_data(number: int, **data: Any) -> bytes:
    return json.dumps(envelope("phuong-1", number, **data)).encode()


ODD = {
    "nothing at all": b"",
    "no JSON": b"<html>",
    "half a JSON": changed(2)[:-9],
    "a list": b"[]",
    "JSON that is no envelope": b'{"hello": "world"}',
    "no data": changed(2, data=None),
    "data that are a list": changed(2, data=[]),
    "another charset": json.dumps(envelope("phuong-1", 2), ensure_ascii=False).encode("utf-16"),
    "bytes of no charset": b'{"specversion": "1.0", "id": "\xff\xfe"}',
    "half a surrogate pair": with_data(2, form={"name": "\ud800"}),
    "a type that is none": changed(2, type=7),
    "a type of a later day without a task": changed(
        2, type="vn.lienthong.notice.given.v1", data={"text": "chào"}
    ),
    "a number beyond all measure": changed(2, sequence="9" * 5000),
    "a number that no database holds": changed(2, sequence="9" * 19),
    "a negative number": changed(2, sequence="-2"),
    "a number in other digits": changed(2, sequence="٢"),
    "a form with 5000 digits": with_data(2).replace(
        b'"original": 1', b'"original": ' + b"1" * 5000
    ),
    "brackets without end": b"[" * 200_000,
    "a form that is a list": with_data(2, form=["x"]),
    "a date that is an object": with_data(2, due_at={"year": 2022}),
    "papers that are texts": with_data(2, papers=["giay-chung-sinh"]),
    "a paper whose code is a list": with_data(2, papers=[{"code": ["x"]}]),
    "results that are numbers": with_data(2, results=[1]),
    "a step that is a text": with_data(2, step="justice"),
    "an id of another message's number": changed(1, id="another"),
}


@pytest.mark.parametrize("way", ["one by one", "as they come"])
def test_one_odd_body_is_kept_with_its_bytes_and_its_neighbours_are_handled(
    broker: CityBroker, client: Client, caplog, way: str
):
    broker.assign(1)
    for body in ODD.values():
        broker.put(body)
    broker.assign(3)
    came: list[int] = []

    def handle(message: Message) -> None:
        came.append(message.sequence)

    if way == "one by one":
        client.drain(handle)
    else:
        until(lambda: client.poll(handle, wait=0.2) == 0 and len(came) == 2)
    assert came == [1, 3]
    kept = client.unreadable()
    assert {name for name, body in ODD.items() if body not in {each.body for each in kept}} == set()
    reasons = {each.body: each.reason for each in kept}
    assert reasons[ODD["no JSON"]] == "not JSON in UTF-8"
    assert reasons[ODD["a form that is a list"]].startswith("data.form")
    assert not [reason for reason in reasons.values() if "Error" in reason], "none took us unawares"
    assert caplog.text.count("put aside a message that cannot be read") == len(ODD)
    assert broker.waiting() == 0
    assert client.missing() == [], "the number of an odd message has come"


def test_the_same_odd_message_again_is_kept_once(broker: CityBroker, client: Client):
    for _ in range(3):
        broker.put(b"<html>")
    client.drain(lambda message: None)
    assert len(client.unreadable()) == 1


def test_a_type_of_a_later_day_is_handed_on(broker: CityBroker, client: Client):
    later = envelope(broker.agency, 1) | {"type": "vn.lienthong.task.transferred.v2"}
    broker.put(json.dumps(later).encode())
    kinds: list[str] = []
    client.drain(lambda message: kinds.append(message.kind))
    assert kinds == ["vn.lienthong.task.transferred.v2"]


# --- properties ---------------------------------------------------------------------------------

HEADERS, CONTENT_TYPE, TIMESTAMP = 0x2000, 0x8000, 0x0040


def _table(name: bytes, kind: bytes, value: bytes) -> bytes:
    entry = bytes([len(name)]) + name + kind + value
    return struct.pack(">HI", HEADERS, len(entry)) + entry


PROPERTIES = {
    "a date in milliseconds": _table(b"at", b"T", struct.pack(">Q", 1_646_100_000_000_000)),
    "a date beyond all calendars": _table(b"at", b"T", b"\xff" * 8),
    "a header that is no UTF-8": _table(b"\xff\xfe", b"S", struct.pack(">I", 1) + b"\xff"),
    "a kind that is no UTF-8": struct.pack(">HB", CONTENT_TYPE, 2) + b"\xff\xfe",
    "a number of 16 bits without sign": _table(b"n", b"u", b"\xff\xff"),
    "a decimal of 255 places": _table(b"n", b"D", b"\xff\x00\x00\x00\x01"),
    "a time of publishing in milliseconds": struct.pack(">HQ", TIMESTAMP, 1_646_100_000_000_000),
}


class Raw(pika.BasicProperties):  # type: ignore[misc]
    """Properties as these very bytes: what our own library would not write."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self._raw = raw

    def encode(self) -> Sequence[bytes]:
        return [self._raw]


@pytest.mark.parametrize("way", ["one by one", "as they come"])
def test_odd_properties_break_no_line_and_hold_up_no_neighbour(
    broker: CityBroker, client: Client, way: str
):
    broker.assign(1)
    key = f"agency.{broker.agency}.tasks"
    for number, raw in enumerate(PROPERTIES.values(), 2):
        body = json.dumps(envelope(broker.agency, number)).encode()
        broker._channel.basic_publish("agency.tasks", key, body, Raw(raw), mandatory=True)
    last = len(PROPERTIES) + 2
    broker.assign(last)
    came: list[int] = []

    def handle(message: Message) -> None:
        came.append(message.sequence)

    if way == "one by one":
        client.drain(handle)
    else:
        until(lambda: client.poll(handle, wait=0.2) == 0 and len(came) == last)
    assert came == list(range(1, last + 1)), "every body is well, so every message is handled"
    assert client.unreadable() == []
    assert broker.waiting() == 0
