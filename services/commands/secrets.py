"""`lienthong secrets`: every password and key of an installation, drawn once and put to use.

Lives here: the commands. Which files there are and what is in them: secret_files.py. Must not:
print a secret unasked.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import click

from services.commands.secret_files import (
    DEFINITIONS,
    DOORS,
    GIVEN,
    MAILSINK,
    OPERATOR,
    PEM,
    QUEUES,
    WHOLE,
    SecretFiles,
)
from services.commands.stores import history_of, opened
from services.routing.delivery.carrying import carry_out
from services.routing.delivery.management import Management
from services.routing.usecases import queues
from shared.database.migrate import current, upgrade
from shared.identity.keys import Kind, register
from shared.kernel.actor import SHELL
from shared.kernel.errors import BrokerAway, LienThongError, Transient
from shared.messaging.amqp.address import parse
from shared.settings import SERVICES, Settings

T = TypeVar("T")
GIVE_UP_SECONDS: Final = 90.0  # seconds for a server that is still coming up
_folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
_agency = click.argument("agency")


@click.group("secrets")
def command() -> None:
    """Passwords and keys of an installation, each in a file that only its reader mounts."""


@command.command("make")
@_folder
@click.option("--postgres", default="postgres:5432", show_default=True, help="host:port")
@click.option("--rabbitmq", default="rabbitmq:5672", show_default=True, help="host:port")
@click.option("--smtp", default=MAILSINK, show_default=True, help="Where e-mail goes at first.")
def make(folder: Path, postgres: str, rabbitmq: str, smtp: str) -> None:
    """Draw what is missing under FOLDER; what is there stays as it is."""
    from shared.catalogue import load

    catalogue = load(Settings.load("intake", os.environ).catalogue_dir)
    agencies = SecretFiles(folder).make(catalogue, postgres=postgres, rabbitmq=rabbitmq, smtp=smtp)
    click.echo(f"secrets are in place: {len(SERVICES)} services, {agencies} agencies on the broker")


@command.command("apply")
@_folder
@click.option("--management", help="URL of RabbitMQ's management door, to tell it the users.")
@click.option("--rabbitmq", help="host:port of RabbitMQ, to move former versions' dead letters.")
def apply(folder: Path, management: str | None, rabbitmq: str | None) -> None:
    """Migrate the databases, register the keys of the smoke run, tell the broker its users.

    Safe to repeat. Where the databases are is read from the environment, as for every command.
    """
    files = SecretFiles(folder)
    keys = files.smoke_keys()
    for service in SERVICES:
        own = [
            (kind, code, text)
            for kind, texts in keys.items()
            if DOORS[kind] == service
            for code, text in texts.items()
        ]
        click.echo(_retried(partial(_database, service, own)))
    if management is not None:
        click.echo(_retried(partial(_broker, files, management)))
        for line in _retried(partial(_queues, files, management)):
            click.echo(line)
    if rabbitmq is not None:
        click.echo(_dead_letters(files, rabbitmq))


@command.command("show")
@_folder
@_agency
def show(folder: Path, agency: str) -> None:
    """Print the broker password of one AGENCY, to be handed over to it."""
    click.echo(SecretFiles(folder).read(f"agencies/{agency}"))


@command.command("list")
@_folder
def list_(folder: Path) -> None:
    """List the names of all secrets."""
    for name in SecretFiles(folder).names():
        click.echo(name)


@command.command("put")
@_folder
@click.argument("name")
def put(folder: Path, name: str) -> None:
    """Replace the secret NAME (such as notify/smtp_url) by what is typed or piped in.

    rabbitmq/tls_certificate.pem, rabbitmq/tls_key.pem, rabbitmq/tls_clients_ca.pem and
    notify/sms_http.yaml with notify/sms_http_secrets are files that are piped in.
    """
    files = SecretFiles(folder)
    if name in PEM:
        files.write(name, _pem(sys.stdin.read(), PEM[name]))
        click.echo(f"{name}: replaced")
        return
    if name in WHOLE:
        files.write(name, sys.stdin.read())
        click.echo(f"{name}: replaced")
        return
    if name not in GIVEN:  # an installation of before has no file for them
        files.read(name)  # refuses a name that nothing reads
    hidden = sys.stdin.isatty()
    text = click.prompt(name, hide_input=True) if hidden else sys.stdin.readline()
    if not text.strip():
        raise click.ClickException("nothing was typed; the secret stays as it was")
    files.write(name, text.strip())
    click.echo(f"{name}: replaced")


def _pem(text: str, what: str) -> str:
    """A file in PEM form that holds what it should; a key must not ask for a password."""
    if f"{what}-----" not in text or "ENCRYPTED" in text:
        without = " without a password" if what == "PRIVATE KEY" else ""
        raise click.ClickException(
            f"this is no {what.lower()} in PEM form{without}; the secret stays as it was"
        )
    return text


@command.command("forget")
@_folder
@click.argument("names", nargs=-1, required=True)
def forget(folder: Path, names: tuple[str, ...]) -> None:
    """Let the next `make` draw NAMES anew, such as agencies/bhxh-cao-lanh or intake/secret_key."""
    for name in names:
        if name.endswith("database_password") or name.startswith("postgres"):
            raise click.ClickException(
                f"{name}: the database server knows it and would not hear of another"
            )
        if name.endswith("privacy_keys"):
            raise click.ClickException(
                f"{name}: what was sealed could never be read again; see `privacy rotate`"
            )
        SecretFiles(folder).forget(name)
        click.echo(f"{name}: the next `secrets make` draws another, `secrets apply` spreads it")


@command.command("save")
@_folder
def save(folder: Path) -> None:
    """Write all secrets to standard output as a tar archive: keep it as you keep a password."""
    if sys.stdout.isatty():
        raise click.ClickException("redirect it into a file: secrets save FOLDER > secrets.tar")
    count = SecretFiles(folder).save(sys.stdout.buffer)
    click.echo(f"{count} secrets saved", err=True)


@command.command("restore")
@_folder
def restore(folder: Path) -> None:
    """Put back what `save` wrote, from standard input."""
    count = SecretFiles(folder).restore(sys.stdin.buffer)
    click.echo(f"{count} secrets restored", err=True)


def _retried(do: Callable[[], T]) -> T:
    """Try until a server that is still coming up answers; its last error after `GIVE_UP_SECONDS`."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while True:
        try:
            return do()
        except Transient:
            if time.monotonic() > give_up:
                raise
            time.sleep(1.0)


def _database(service: str, keys: Iterable[tuple[str, str, str]]) -> str:
    with opened(service, migrated=False) as store:
        upgrade(store.engine, history_of(service))
        with store.begin(SHELL) as uow:
            new = sum(
                register(uow, kind=_kind(kind), bound_to=code, label="smoke", text=text)
                for kind, code, text in keys
            )
        return f"{service}: database at {current(store.engine)}, {new} new keys"


def _kind(word: str) -> Kind:
    kinds: dict[str, Kind] = {"desk": "desk", "agency": "agency", "operator": "operator"}
    return kinds[word]


def _broker(files: SecretFiles, management: str) -> str:
    """Import the definitions into a running broker: users of new agencies, changed passwords."""
    basic = base64.b64encode(_login(files).encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - an operator's own URL
        f"{management.rstrip('/')}/api/definitions",
        data=files.read(str(DEFINITIONS)).encode(),
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - see above
            return "rabbitmq: users, rights and queues are current"
    except urllib.error.HTTPError as refused:
        with refused:
            raise LienThongError(
                f"the broker refused the definitions ({refused.code}); was its volume made with "
                "other secrets? Restart it once: it reads the definitions at its start"
            ) from None
    except OSError as away:
        raise BrokerAway(f"the management door of the broker cannot be reached ({away})") from away


def _queues(files: SecretFiles, management: str) -> list[str]:
    """Agencies of which nothing was wished yet get the queue that the catalogue says; all are carried out."""
    settings = Settings.load("routing", os.environ)
    parts = urlsplit(management)
    url = parts._replace(netloc=f"{_login(files)}@{parts.netloc}").geturl()
    hashes: dict[str, str] = json.loads(files.read(str(QUEUES)))
    vhost = "/" if settings.amqp_url.startswith("memory:") else parse(settings.amqp_url)[0].vhost
    with opened("routing") as store, closing(Management(url, vhost, settings.amqp_prefix)) as door:
        with store.begin(SHELL) as uow:
            new = sum(queues.take_over(uow, code, hash_) for code, hash_ in hashes.items())
        done = carry_out(store, door)
    troubles = [each for each in done if not each.well]
    if any(each.said.en == queues.TROUBLES["away"][1] for each in troubles):
        raise BrokerAway(troubles[0].said.en, vi=troubles[0].said.vi)
    told = [f"{each.agency}: {each.said.vi} / {each.said.en}" for each in troubles]
    return [f"rabbitmq: {new} agencies got their queue, {len(done) - len(troubles)} acts", *told]


def _dead_letters(files: SecretFiles, rabbitmq: str) -> str:
    """Hand on what lies on the one queue of dead letters that former versions had."""
    from deploy.rabbitmq.dead_letters import OLD, move

    done = move(f"amqp://{_login(files)}@{rabbitmq}/%2F")
    return f"rabbitmq: {done.moved} dead letters moved, {done.left} left on {OLD}"


def _login(files: SecretFiles) -> str:
    return f"{OPERATOR}:{files.read(f'operator/{OPERATOR}_password')}"
