"""`lienthong agency add|rotate|remove|pause|resume|list`: how an agency's programs reach the city.

A wish is a row of routing's. It is carried out here where LIENTHONG_MANAGEMENT_URL is set, else by
`lienthong routing queues`, which is waited for. A password or key is shown once, and kept nowhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import click

from services.commands.certificates import Authority
from services.commands.held import safe
from services.commands.stores import now, opened, operator
from services.routing.delivery.carrying import carry_out, management_of
from services.routing.domain.queue import GRACE, AgencyQueue, user_of
from services.routing.storage import queues as rows
from services.routing.usecases import queues
from shared.catalogue import Catalogue, load
from shared.database import Store, UnitOfWork
from shared.identity import audit, keys
from shared.kernel.clock import to_vn
from shared.kernel.errors import LienThongError
from shared.settings import Settings

_WAIT_SECONDS: Final = 15.0
_code = click.argument("code", metavar="AGENCY")
_broker = click.option(
    "--broker",
    envvar="LIENTHONG_BROKER_ADDRESS",
    metavar="URL",
    help="What AGENCY types to reach the broker, such as amqps://broker.city.example.",
)


def _certificate(command: Callable[..., None]) -> Callable[..., None]:
    """The options of whoever wants a certificate in the place of a password."""
    file = click.Path(path_type=Path, dir_okay=False)
    folder = click.Path(path_type=Path, file_okay=False)
    for option in (
        click.option("--days", type=click.IntRange(1, 1100), default=365, show_default=True,
                     help="How long the certificate holds."),
        click.option("--ca-key", type=file, help="The authority's key."),
        click.option("--ca", type=file, help="The certificate of the authority for agencies."),
        click.option("--certificate", "into", type=folder, metavar="FOLDER",
                     help="In the place of a password a certificate and key, written there."),
    ):  # fmt: skip
        command = option(command)
    return command


class NoBroker(LienThongError):
    """The city runs in one process: there is no broker on which an agency could have a queue."""

    default_vi = (
        "Thành phố chạy trong một tiến trình, không có máy chủ bản tin nên không có hàng đợi."
    )


@click.command("add")
@_code
@_broker
@_certificate
@click.option("--key/--no-key", default=True, help="And a key for the door, if it has none.")
def add(code: str, broker: str | None, *, key: bool, **certificate: Any) -> None:
    """Give AGENCY (its code) a queue of its own and a user at the broker, and a key for the door.

    What it prints goes to its programmer (docs/agencies.md); it is shown only now. Once more
    changes nothing.
    """
    settings, catalogue = _city()
    signs = _Signs.of(**certificate)
    given: list[tuple[str, str]] = []
    with opened("routing") as store:
        with store.begin(operator()) as uow:
            catalogue.agency(code)
            if not _is_alone(settings):
                password = queues.open_queue(uow, catalogue, code, certified=signs is not None)
                queue = rows.of(uow.connection, code)
                if password is not None and queue is not None:
                    given += _way(settings, broker, queue.user, password, signs)
                    audit.note(uow, "add agency queue", [code])
            queued = bool(given)
            if key and not _in_force(uow, code):
                given.append(("PARTNER_DOOR_KEY", _issue(uow, code)))
                audit.note(uow, "create key", [code])
        _give(given)
        _tell_of_add(settings, code, queued=queued, given=bool(given))
        _carried(store, settings, code)


@click.command("rotate")
@_code
@_broker
@_certificate
@click.option("--grace", type=click.FloatRange(0, 720), default=GRACE.total_seconds() / 3600,
              show_default=True, help="Hours for which the old password goes on.")  # fmt: skip
@click.option("--now", "at_once", is_flag=True, help="It leaked: end the old ones at once.")
@click.option(
    "--key", is_flag=True, help="A new key for the door as well; the old ones end in a day."
)
def rotate(
    code: str, broker: str | None, grace: float, *, at_once: bool, key: bool, **certificate: Any
) -> None:
    """Give AGENCY a new user and password; the old line is closed when the grace is over."""
    settings, catalogue = _city()
    signs = _Signs.of(**certificate)
    if _is_alone(settings) and not key:
        raise _no_broker()
    wait = timedelta(0) if at_once else timedelta(hours=grace)
    given: list[tuple[str, str]] = []
    queue = None
    with opened("routing") as store:
        with store.begin(operator()) as uow:
            if not _is_alone(settings):
                password, queue = queues.rotate(
                    uow, catalogue, code, wait, certified=signs is not None
                )
                given += _way(settings, broker, queue.user, password, signs)
                audit.note(uow, "rotate agency queue", [code])
            if key:
                given.append(("PARTNER_DOOR_KEY", _new_key(uow, catalogue, code, at_once=at_once)))
        _give(given)
        if queue is not None:
            _tell_of_rotation(queue)
            _carried(store, settings, code)


@click.command("remove")
@_code
@click.option("--keys", "also_keys", is_flag=True, help="End its keys for the door as well.")
def remove(code: str, *, also_keys: bool) -> None:
    """Take queue and users of AGENCY away; what it has not fetched is at the door, nothing is lost.

    Its webhook is another matter: lienthong agency webhook AGENCY --remove.
    """
    settings, catalogue = _city()
    with opened("routing") as store:
        with store.begin(operator()) as uow:
            gone = False if _is_alone(settings) else queues.close(uow, catalogue, code)
            ended = [each.key_id for each in _in_force(uow, code)] if also_keys else []
            for key_id in ended:
                keys.revoke(uow, key_id)
            if gone or ended:
                audit.note(uow, "remove agency queue" if gone else "revoke key", [code, *ended])
        if also_keys:
            click.echo(f"{code}: {len(ended)} khóa đã thu hồi / keys revoked")
        if _is_alone(settings):
            click.echo(f"{code}: {NoBroker.default_vi}")
            return
        if not gone:
            click.echo(
                f"{code}: không có hàng đợi, không đổi gì / it has no queue, nothing changed"
            )
        _carried(store, settings, code)


@click.command("pause")
@_code
@click.option("--why", required=True, help="The reason; kept, and shown to the agency.")
def pause(code: str, why: str) -> None:
    """Let no program of AGENCY take tasks, by queue or webhook: they wait, and deadlines run on.

    The door and its pages stay open: there its officers go on.
    """
    settings, catalogue = _city()
    with opened("routing") as store:
        with store.begin(operator()) as uow:
            done = queues.pause(uow, catalogue, code, why)
            if done:
                audit.note(uow, "pause agency", [code], reason=why)
        click.echo(f"{code}: {'đã tạm dừng / paused' if done else 'đang tạm dừng / paused before'}")
        _carried(store, settings, code)


@click.command("resume")
@_code
def resume(code: str) -> None:
    """Let the programs of AGENCY go on where they stopped, with the passwords they have."""
    settings, catalogue = _city()
    with opened("routing") as store:
        with store.begin(operator()) as uow:
            done = queues.resume(uow, catalogue, code)
            if done:
                audit.note(uow, "resume agency", [code])
        click.echo(f"{code}: {'tiếp tục / resumed' if done else 'không tạm dừng / was not paused'}")
        _carried(store, settings, code)


@click.command("list")
@click.argument("code", metavar="AGENCY", required=False)
def list_(code: str | None) -> None:
    """List how agencies are reached: queue and user, since when and by whom, or why not yet."""
    settings, catalogue = _city()
    with opened("routing") as store, store.read() as connection:
        known = {each.agency: each for each in rows.every(connection)}
    for each in catalogue.every_agency():
        if code in (None, each.code):
            click.echo(safe(_line(known.get(each.code) or queues.by_catalogue(each))))
    if _is_alone(settings):
        click.echo(NoBroker.default_vi, err=True)


COMMANDS: Final = (add, rotate, remove, pause, resume, list_)


# --- what a command needs -------------------------------------------------------------------------


def _city() -> tuple[Settings, Catalogue]:
    settings = Settings.load("routing", os.environ)
    return settings, load(settings.catalogue_dir)


def _is_alone(settings: Settings) -> bool:
    return settings.amqp_url.startswith("memory:")


def _no_broker() -> NoBroker:
    return NoBroker("the city runs in one process: there is no broker, so there are no queues")


def _in_force(uow: UnitOfWork, code: str) -> list[keys.KeyInfo]:
    return [
        each
        for each in keys.list_keys(uow.connection)
        if (each.kind, each.bound_to) == ("agency", code)
        and each.revoked_at is None
        and uow.now < each.expires_at
    ]


def _issue(uow: UnitOfWork, code: str) -> str:
    return keys.issue(uow, kind="agency", bound_to=code, label="lienthong agency")[1]


def _new_key(uow: UnitOfWork, catalogue: Catalogue, code: str, *, at_once: bool) -> str:
    catalogue.agency(code)
    for old in _in_force(uow, code):
        if at_once:
            keys.revoke(uow, old.key_id)
        elif old.expires_at > uow.now + timedelta(days=1):
            keys.renew(uow, old.key_id, days=1)  # so it ends in a day
    audit.note(uow, "rotate key", [code])
    return _issue(uow, code)


@dataclass(frozen=True, slots=True)
class _Signs:
    """Who signs a certificate, for how many days, and where it goes."""

    authority: Authority
    folder: Path
    days: int

    @classmethod
    def of(
        cls, into: Path | None, ca: Path | None, ca_key: Path | None, days: int
    ) -> _Signs | None:
        """As the options say; None where none is wanted."""
        if into is None:
            return None
        if ca is None or ca_key is None:
            raise click.UsageError("--certificate needs --ca and --ca-key")
        return cls(Authority.read(ca, ca_key), into, days)


def _way(
    settings: Settings, broker: str | None, user: str, password: str, signs: _Signs | None
) -> list[tuple[str, str]]:
    """What the agency's programmer needs to come by the queue; a certificate is written now."""
    if signs is None:
        return [("PARTNER_URL", _url(settings, broker, user, password))]
    own, key = signs.authority.issue(user, signs.folder, now(), signs.days)
    url = _url(settings, broker, user, None)
    return [("PARTNER_URL", url), ("PARTNER_CERTIFICATE", str(own)), ("PARTNER_KEY", str(key))]


def _url(settings: Settings, broker: str | None, user: str, password: str | None) -> str:
    """What the agency types; without `broker` the address at which routing reaches it."""
    own = urlsplit(settings.amqp_url.split(";")[0])
    parts = urlsplit(broker) if broker else own
    host = parts.netloc.rpartition("@")[2]
    path = own.path if own.path not in ("", "/", "//") else "/%2F"
    secret = "" if password is None else f":{quote(password, safe='')}"
    return f"{parts.scheme}://{quote(user, safe='')}{secret}@{host}{path}"


def _give(given: Iterable[tuple[str, str]]) -> None:
    """To standard output alone, so that it can be put into a file as it is."""
    for name, secret in given:
        click.echo(f"{name}={secret}")


def _tell_of_add(settings: Settings, code: str, *, queued: bool, given: bool) -> None:
    if given:
        click.echo(f"{code}: chỉ hiện một lần, hãy cất ngay / shown only now, keep it", err=True)
    if _is_alone(settings):
        click.echo(f"{code}: {NoBroker.default_vi} / {_no_broker().en}", err=True)
    elif not queued:
        told = "đã có hàng đợi, không đổi gì / it has a queue already; new password: rotate"
        click.echo(f"{code}: {told}", err=True)


def _tell_of_rotation(queue: AgencyQueue) -> None:
    until = queue.old_until
    if until is None:
        told = "mật khẩu cũ hết hiệu lực ngay / the old password ends now"
    else:
        at = f"{to_vn(until):%H:%M %d/%m/%Y}"
        told = f"{queue.old_user} còn dùng được đến / goes on until {at}"
    click.echo(f"{queue.agency}: {told}", err=True)


def _carried(store: Store, settings: Settings, code: str) -> None:
    """Carry out the wish, or wait for who may; LienThongError says why it is not done yet."""
    if _is_alone(settings):
        return
    doors = management_of(settings)
    for door in doors:
        try:
            for deed in carry_out(store, door, operator()):
                click.echo(safe(f"{deed.agency}: {deed.said.vi} / {deed.said.en}"), err=True)
        finally:
            door.close()
    end = time.monotonic() + (0 if doors else _WAIT_SECONDS)
    while True:
        with store.read() as connection:
            queue = rows.of(connection, code)
        if queue is None:
            return
        if queue.done_at is not None and queue.trouble is None:
            click.echo(f"{code}: máy chủ bản tin đã đúng như vậy / the broker is so now", err=True)
            return
        if queue.trouble is not None or time.monotonic() > end:
            break
        time.sleep(0.2)
    nobody = ("chưa có tiến trình nào thực hiện: lienthong routing queues có chạy không?",
              "nobody has carried it out yet: does `lienthong routing queues` run?")  # fmt: skip
    vi, en = nobody if queue.trouble is None else queues.TROUBLES[queue.trouble]
    raise LienThongError(
        f"the wish is kept and will be carried out, but not yet: {en}",
        vi=f"Yêu cầu đã được giữ và sẽ được thực hiện, nhưng chưa xong: {vi}",
        code="not_carried_out",
    )


def _line(queue: AgencyQueue) -> str:
    """One line: way, user, state, who wished it and when."""
    if queue.paused_at is not None:
        state = f"PAUSED {_at(queue.paused_at)} {queue.paused_by}: {queue.paused_why}"
    elif queue.trouble is not None:
        state = f"NOT YET: {queues.TROUBLES[queue.trouble][1]}"
    elif queue.wished_at is not None and queue.done_at is None:
        state = "not carried out yet"
    else:
        state = "active" if queue.wanted else "-"
    way = f"queue {queue.user}" if queue.wanted else "door"
    old = ""
    if queue.wanted and queue.in_grace(now()) and queue.old_until is not None:
        old = f"\t{user_of(queue.agency, queue.generation - 1)} until {_at(queue.old_until)}"
    wished = f"\t{_at(queue.wished_at)} {queue.wished_by}" if queue.wished_at else "\tcatalogue"
    return f"{queue.agency}\t{way}\t{state}{wished}{old}"


def _at(instant: datetime) -> str:
    return f"{to_vn(instant):%H:%M %d/%m/%Y}"
