"""`./run bench notify`: the step that hands messages over, beside a bare smtplib or smpplib sender.

Both give the same texts to the same peers, which run in processes of their own. The product claims
each message, asks whether it is still true, says that it goes out, and writes down what came of it,
on PostgreSQL; the bare sender does none of that.
"""

from __future__ import annotations

import json
import smtplib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final

import click
import sqlalchemy as sa
from smpplib.client import Client
from smpplib.gsm import make_parts

from bench.goals import Goal, at_path, judged, told
from bench.peers import peer
from bench.product.dossiers import Door, issue_keys, offices
from bench.servers import Place, found_or_started, fresh
from services.embedded.city import City, open_city
from services.notify.storage.tables import messages
from shared.testing.smsc import Smsc, Temper

_WINDOW: Final = 10  # of messages that are on their way to the centre at once, for both
_PATIENCE: Final = 600.0
_SENT: Final = ("sent", "delivered")
_UNSENT: Final = ("queued", "sending", "failed")
_CHANNELS: Final = ("email", "sms")
GOALS: Final = tuple(
    Goal(
        each, f"{each} handed over a second, of a bare sender's", 0.6, True, at_path(each, "ratio")
    )
    for each in _CHANNELS
)


@click.command()
@click.option("--messages", "count", default=1_000, show_default=True, help="In each run.")
@click.option("--rounds", default=3, show_default=True, help="In turn; medians are told.")
@click.option("--quick", is_flag=True, help="All of it, small: does it run?")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
def notify(*, count: int, rounds: int, quick: bool, target: Path | None) -> None:
    """Measure how notify hands messages over, on PostgreSQL."""
    if quick:
        count, rounds = min(count, 40), 1
    result: dict[str, Any] = {"messages": count, "rounds": rounds}
    with (
        found_or_started() as servers,
        tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder,
        peer(_mailbox) as mail,
        peer(_centre) as centre,
    ):
        for channel, bare in zip(_CHANNELS, (_by_smtplib, _by_smpplib), strict=True):
            port = mail if channel == "email" else centre
            with (
                fresh(servers) as place,
                _city(Path(folder) / channel, place, mail, centre) as city,
            ):
                result[channel] = _measured(city, channel, port, bare, count, rounds)
            click.echo(
                "{}: {product_per_second:.0f} a second, the bare sender {bare_per_second:.0f}, "
                "ratio {ratio:.2f}".format(channel, **result[channel])
            )
    result["goals"] = judged(result, GOALS)
    click.echo("\n".join(told(result["goals"])))
    if target is not None:
        target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _city(folder: Path, place: Place, mail: int, centre: int) -> Iterator[City]:
    city = open_city(
        folder,
        database=place.databases,
        courtesy="off",
        channel_email="smtp",
        smtp_url=f"smtp://127.0.0.1:{mail}?starttls=no",
        channel_sms="smpp",
        smpp_url=f"smpp://city:secret@127.0.0.1:{centre}?from=UBND&window={_WINDOW}",
    )
    city.migrate()
    try:
        yield city
    finally:
        city.close()


def _measured(
    city: City,
    channel: str,
    port: int,
    bare: Callable[[int, list[str]], None],
    count: int,
    rounds: int,
) -> dict[str, float]:
    rates: dict[str, list[float]] = {"product": [], "bare": []}
    (loop,) = (each for each in city.loops if each.name == f"notify.sender.{channel}")
    for _ in range(rounds):
        texts = _written(city, channel, count)
        began = time.monotonic()
        while _left(city) and time.monotonic() - began < _PATIENCE:
            loop.step(0.05)
        rates["product"].append(count / (time.monotonic() - began))
        began = time.monotonic()
        bare(port, texts)
        rates["bare"].append(count / (time.monotonic() - began))
    measured = {f"{name}_per_second": median(found) for name, found in rates.items()}
    return measured | {"ratio": measured["product_per_second"] / measured["bare_per_second"]}


def _written(city: City, channel: str, count: int) -> list[str]:
    """File dossiers whose receipts wait to be sent on this channel; their texts."""
    codes = offices(city.catalogue)
    door = Door(city.intake, codes, issue_keys(city.intake, codes), by_mail=channel == "email")
    others = [each for each in city.loops if not each.name.startswith("notify.sender")]
    first = time.time_ns()
    for number in range(count):
        door.submit(first + number)
        if number % 50 == 49:
            while sum(each.step(0.0) for each in others):
                pass
    while sum(each.step(0.0) for each in others):
        pass
    wanted = sa.select(messages.c.body).where(messages.c.state == "queued")
    with city.notify.store.read() as connection:
        texts = list(connection.scalars(wanted))
    if len(texts) != count:
        raise click.ClickException(f"{len(texts)} of {count} messages wait to be sent")
    return texts


def _left(city: City) -> bool:
    wanted = sa.select(messages.c.state).where(messages.c.state.not_in(_SENT)).limit(1)
    with city.notify.store.read() as connection:
        state = connection.scalar(wanted)
    if state is not None and state not in _UNSENT:
        raise click.ClickException(f"a message came to be {state}")
    return state is not None


# --- bare -----------------------------------------------------------------------------------------


def _by_smtplib(port: int, texts: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", port) as line:
        for text in texts:
            letter = EmailMessage()
            letter["From"], letter["To"] = "thu@x.example", "dan@x.example"
            letter["Subject"] = "Hồ sơ của bạn"
            letter.set_content(text)
            letter.add_alternative(f"<p>{text}</p>", subtype="html")
            line.send_message(letter)


def _by_smpplib(port: int, texts: list[str]) -> None:
    line = Client("127.0.0.1", port, allow_unknown_opt_params=True, logger_name="bench.smpp")
    line.connect()
    line.bind_transceiver(system_id="city", password="secret")
    answered = 0

    def note(**_: Any) -> None:
        nonlocal answered
        answered += 1

    line.set_message_sent_handler(note)
    sent = 0
    for text in texts:
        parts, coding, esm_class = make_parts(text)
        for part in parts:
            line.send_message(
                source_addr="UBND", destination_addr="84912345678", short_message=part,
                data_coding=coding, esm_class=esm_class,
            )  # fmt: skip
            sent += 1
            while sent - answered >= _WINDOW:
                line.read_once()
    while answered < sent:
        line.read_once()
    line.unbind()
    line.disconnect()


# --- the peers ------------------------------------------------------------------------------------


def _mailbox(told_to: Connection) -> None:
    import asyncio

    from aiosmtpd.smtp import SMTP

    class Takes:
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 - aiosmtpd's name
            return "250 taken"

    listening = socket.create_server(("127.0.0.1", 0))
    told_to.send(listening.getsockname()[1])
    loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.create_server(lambda: SMTP(Takes()), sock=listening))
    loop.run_forever()


def _centre(told_to: Connection) -> None:
    with Smsc(Temper(receipts="never")) as centre:
        told_to.send(centre.port)
        threading.Event().wait()
