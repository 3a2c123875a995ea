"""`python -m partner doctor`: does the connection work, and if not, what is wrong in plain words.

Takes nothing from the queue and sends nothing: it may be typed at any time.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from partner.broker import Broker
from partner.door import Door
from partner.errors import AccessDenied, PartnerError
from partner.settings import CONNECT_TIMEOUT, Address

AT_HOME = ("127.0.0.1", "localhost", "::1")
SOON_DAYS = 30
BEYOND = 999_999_999  # no agency has had so many tasks


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `good` False is a warning, an error is raised instead."""

    vi: str
    en: str
    good: bool = True


def findings(agency: str, broker: Broker | None, door: Door | None) -> Iterator[Finding]:
    """Try one thing after the other; PartnerError at the first that does not work."""
    if broker is None and door is None:
        raise PartnerError(
            "nothing to try: give the address of the broker (--url) or of the door (--door)",
            "chưa có gì để thử: hãy cho địa chỉ máy chủ (--url) hoặc cổng HTTPS (--door)",
        )
    if broker is not None:
        yield _line(broker)
        yield from _who(agency, broker)
        yield from _queue(agency, broker)
    if door is not None:
        door.tasks(BEYOND)
        yield Finding(
            "cổng HTTPS trả lời và nhận khóa của đơn vị", "the HTTPS door answers and takes the key"
        )


def _line(broker: Broker) -> Finding:
    address = broker.address
    host, port = address.place
    with broker.translated(), socket.create_connection((host, port), CONNECT_TIMEOUT) as line:
        if address.secure:
            return _by_tls(address, line)
    if host in AT_HOME:
        return Finding(
            f"{host}:{port} trả lời (không mã hóa, cùng máy)",
            f"{host}:{port} answers (not encrypted, on this machine)",
        )
    return Finding(
        f"{host}:{port} trả lời, nhưng KHÔNG MÃ HÓA: mật khẩu và hồ sơ đi qua mạng ai cũng đọc "
        "được; hãy dùng amqps://",
        f"{host}:{port} answers, but NOT ENCRYPTED: password and dossiers can be read on the way; "
        "use amqps://",
        good=False,
    )


def _by_tls(address: Address, line: socket.socket) -> Finding:
    host, port = address.place
    with address.context().wrap_socket(line, server_hostname=host) as shown:
        seen: Any = shown.getpeercert()
        version = shown.version()
    end = ssl.cert_time_to_seconds(seen["notAfter"])
    day = datetime.fromtimestamp(end, UTC).date().isoformat()
    days = int((end - time.time()) / 86400)
    vi = f"{host}:{port} trả lời qua {version}; chứng thư của máy chủ hợp lệ đến {day}"
    en = f"{host}:{port} answers by {version}; its certificate holds until {day}"
    if days >= SOON_DAYS:
        return Finding(vi, en)
    return Finding(
        f"{vi}: còn {days} ngày, hãy nhắc thành phố gia hạn",
        f"{en}: {days} days are left, remind the city",
        good=False,
    )


def _who(agency: str, broker: Broker) -> Iterator[Finding]:
    broker.enter()
    user = broker.address.user
    if user is None:
        yield Finding("đăng nhập bằng chứng thư của đơn vị", "signed in by your certificate")
    elif user == agency or user.rpartition(".")[::2] == (agency, user[len(agency) + 1 :]):
        yield Finding(f"đăng nhập với người dùng {user}", f"signed in as the user {user}")
    else:
        raise AccessDenied(
            f"signed in as {user}, but the agency code given is {agency}: they must be the same",
            f"đã đăng nhập với {user}, nhưng mã đơn vị là {agency}: hai tên phải giống nhau",
        )


def _queue(agency: str, broker: Broker) -> Iterator[Finding]:
    try:
        waiting, readers = broker.look()
    except AccessDenied as refused:
        raise AccessDenied(
            f"the queue {broker.queue} cannot be read: is {agency} really your agency code? "
            f"({refused})",
            f"không đọc được hàng đợi {broker.queue}: {agency} có đúng là mã đơn vị không? "
            f"({refused})",
        ) from refused
    yield Finding(
        f"hàng đợi {broker.queue}: {waiting} bản tin đang chờ, {readers} chương trình đang đọc",
        f"queue {broker.queue}: {waiting} messages are waiting, {readers} programs are reading",
    )
    if waiting and not readers:
        yield Finding(
            "có bản tin đang chờ mà không chương trình nào đọc: hãy chạy python -m partner watch",
            "messages are waiting and nobody reads them: start python -m partner watch",
            good=False,
        )
