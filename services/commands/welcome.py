"""What `lienthong serve` tells whoever started it: the address, who may sign in, a few keys, the files.

Lives here: words on the terminal and the file that keeps the passwords and keys of a first start.
Making them is in first_people.py and first_keys.py, opening the doors in services/embedded.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import click

from services.commands.first_keys import CityKey, busiest
from services.commands.first_people import CityPerson
from shared.catalogue import Catalogue

KEYS_FILE: Final = "khoa-truy-cap.txt"
AGENCIES_SHOWN: Final = 3

# service -> whose programmes ask there
DOORS: Final = {
    "intake": "Bàn tiếp nhận · desk",
    "routing": "Cơ quan giải quyết · agency",
    "notify": "Vận hành, tin nhắn · operator",
}
STAFF: Final = "Cán bộ đăng nhập · staff"
SIGN_IN: Final = "/dang-nhap"
LOOK_UP: Final = "/tra-cuu"
_ONCE: Final = (
    "# Mật khẩu và khóa của thành phố thử, ghi một lần khi khởi động lần đầu; cơ sở dữ liệu chỉ giữ\n"
    "# mã băm. Ai đọc được tệp này vào được mọi cửa: chuyển cho người dùng rồi xóa tệp.\n"
    "# Passwords and keys of the trial city, written once; the databases keep hashes only.\n"
)


def keep_keys(
    folder: Path, keys: Sequence[CityKey], people: Sequence[CityPerson] = ()
) -> Path | None:
    """Write what is new to the file that only its owner can read; None where none was ever kept."""
    file = folder / KEYS_FILE
    if keys or people:
        new = not file.exists()
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(handle, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(_ONCE if new else "")
            out.write(f"\n[{STAFF}]\n" if people else "")
            out.writelines(f"{each.login}  {each.password}  {each.told}\n" for each in people)
            for service in DOORS:
                out.write(_section(service, [key for key in keys if key.service == service]))
    return file if file.exists() else None


def _section(service: str, keys: Sequence[CityKey]) -> str:
    if not keys:
        return ""
    rows = (f"{key.text}  {key.bound_to:<28}  {key.holder}\n" for key in keys)
    return f"\n[{DOORS[service]}]\n" + "".join(rows)


def tell_address(url: str, people: Sequence[CityPerson]) -> None:
    """Where the city is; on a first start who may sign in, and what each may see."""
    click.echo(f"  {'Trang web · the city':<32} {url}")
    click.echo(f"  {'Công dân tra cứu · citizens':<32} {url}{LOOK_UP}")
    click.echo(f"  {STAFF:<32} {url}{SIGN_IN}")
    for person in people:
        click.echo(f"    {person.login:<6} {person.password}  {person.told}")


def tell_keys(url: str, keys: Sequence[CityKey], catalogue: Catalogue, on: date) -> None:
    """On a first start the keys that a programme's first walk needs."""
    if keys:
        click.echo(f"  {'Chương trình dùng khóa · REST':<32} {url}/docs")
    shown = examples(keys, catalogue, on)
    for service, words in DOORS.items():
        own = [key for key in keys if key.service == service]
        if not own:
            continue
        click.echo(f"   {words}")
        for key in own:
            if key in shown:
                click.echo(f"    {key.text}  {key.holder}")
        if more := sum(key not in shown for key in own):
            click.echo(
                f"    … và {more} khóa khác trong tệp dưới đây · {more} more in the file below"
            )


def examples(keys: Sequence[CityKey], catalogue: Catalogue, on: date) -> list[CityKey]:
    """The keys to begin with: a desk of the whole city and one of a ward, whose agencies, operators."""
    offices = catalogue.offices(on)
    city = next((each for each in offices if each.territory == "*"), None)
    ward = next((each for each in offices if each.territory != "*"), None)
    desks = {each.code for each in (city, ward) if each is not None}
    agencies = busiest(catalogue, ward, on)[:AGENCIES_SHOWN] if ward is not None else []
    return [
        key
        for key in keys
        if (key.kind == "desk" and key.bound_to in desks)
        or (key.kind == "agency" and key.bound_to in agencies)
        or key.kind == "operator"
    ]


def tell_rest(folder: Path, kept: Path | None, *, first: bool, autopilot: bool) -> None:
    """Where keys, data and messages lie, and what to do next."""
    click.echo(f"  {'Mọi mật khẩu, khóa · all keys':<32} {kept or 'lienthong keys --help'}")
    click.echo(f"  {'Dữ liệu · data':<32} {folder}")
    click.echo(f"  {'Tin nhắn đã gửi · messages':<32} {folder / 'messages'}")
    if first:
        click.echo("  Mật khẩu và khóa chỉ hiện lần này; ai đọc được tệp ấy vào được mọi cửa.")
        click.echo("  Mở địa chỉ trong trình duyệt, đăng nhập bằng một tên và mật khẩu ở trên.")
        click.echo("  Open the address in a browser and sign in as one of the people above.")
    if autopilot:
        click.echo("  Các cơ quan đang được mô phỏng: mỗi việc được trả lời sau vài giây.")
    click.echo("  Dừng: Ctrl-C.")
