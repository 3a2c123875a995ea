"""`lienthong secrets make|apply|show`: every password and key of an installation, drawn once.

Lives here: what compose.yaml needs before anything else can start. `make` writes one folder per
reader (each a volume that only its reader mounts) and never overwrites what is there; `apply`
migrates the three databases and registers the API keys. Must not: print a secret unasked.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

SERVICES = ("intake", "routing", "notify")
READ_BY_ITS_MOUNT = 0o444  # each folder is a volume of its own: who mounts it may read it
POSTGRES = "postgres:5432"
RABBITMQ = "rabbitmq:5672"


@click.group("secrets")
def command() -> None:
    """Mật khẩu và khóa của một bản cài đặt · Passwords and keys of an installation."""


@command.command("make")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--postgres", default=POSTGRES, show_default=True, help="host:port of PostgreSQL")
@click.option("--rabbitmq", default=RABBITMQ, show_default=True, help="host:port of RabbitMQ")
def make(folder: Path, postgres: str, rabbitmq: str) -> None:
    """Draw what is missing under FOLDER; what is there stays as it is."""
    from shared.catalogue import load
    from shared.settings import Settings

    catalogue = load(Settings.load("intake", os.environ).catalogue_dir)
    agencies = [code for code in catalogue.agency_codes() if _reach(catalogue, code) == "amqp"]
    brokers = {name: _text(folder / name / "amqp_password") for name in SERVICES}
    brokers |= {code: _text(folder / "agencies" / code) for code in agencies}
    _once(folder / "postgres" / "password", secrets.token_urlsafe(24))
    for name in SERVICES:
        _service(folder, name, postgres, rabbitmq, brokers[name])
    _postgres_roles(folder)
    _keys(folder / "keys", catalogue)
    # Made anew each time: a catalogue with one agency more needs one broker user more.
    _write(folder / "rabbitmq" / "definitions.json", _definitions(catalogue, brokers))
    click.echo(f"{len(agencies)} agencies, {len(SERVICES)} services: secrets are in place")


@command.command("apply")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def apply(folder: Path) -> None:
    """Migrate the databases and register the drawn API keys (repeats are harmless)."""
    from importlib import import_module

    from shared.settings import Settings
    from shared.store.keys import register

    for name in SERVICES:
        url = (folder / name / "database_url").read_text(encoding="utf-8")
        settings = Settings.load(name, {**_outside(), "LIENTHONG_DATABASE_URL": url})
        app = import_module(f"services.{name}.app")
        store = app.open_store(settings)
        app.migrate(store)
        known = json.loads((folder / "keys" / f"{name}.json").read_text(encoding="utf-8"))
        with store.begin() as uow:
            new = sum(register(uow, **each) for each in known)
        store.engine.dispose()
        click.echo(f"{name}: database is current, {len(known)} keys ({new} new)")


@command.command("show")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("agency")
def show(folder: Path, agency: str) -> None:
    """Print the broker password of one AGENCY, to hand over to it."""
    file = folder / "agencies" / agency
    if not file.is_file():
        raise click.ClickException(
            f"Không có cơ quan {agency} · no agency {agency}; "
            f"known: {', '.join(sorted(each.name for each in file.parent.glob('*')))}"
        )
    click.echo(file.read_text(encoding="utf-8"))


def _outside() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name.startswith("LIENTHONG_")}


def _service(folder: Path, name: str, postgres: str, rabbitmq: str, broker: str) -> None:
    password = _text(folder / name / "database_password")
    _write(
        folder / name / "database_url", f"postgresql+psycopg://{name}:{password}@{postgres}/{name}"
    )
    _write(folder / name / "amqp_url", f"amqp://{name}:{broker}@{rabbitmq}//")
    _text(folder / name / "secret_key")


def _postgres_roles(folder: Path) -> None:
    """SQL for the first start of the database server: a role and a database per service."""
    lines = []
    for name in SERVICES:
        password = _text(folder / name / "database_password")
        lines += [
            f"CREATE ROLE {name} LOGIN PASSWORD '{password}';",
            f"CREATE DATABASE {name} OWNER {name};",
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;",
        ]
    _once(folder / "postgres-init" / "10-lienthong.sql", "\n".join(lines) + "\n")


def _keys(folder: Path, catalogue: Any) -> None:
    """API keys for the smoke run: a desk, the agencies that use the web door, an operator."""
    file = folder / "smoke.json"
    if file.exists():
        return
    from shared.store.keys import draw

    wanted: dict[str, list[tuple[str, str]]] = {
        "intake": [("desk", c) for c in catalogue.agency_codes() if catalogue.agency(c).is_office],
        "routing": [("agency", code) for code in catalogue.agency_codes()],
        "notify": [("operator", "*")],
    }
    drawn = {
        service: [
            {"kind": kind, "bound_to": bound, "label": "smoke", "text": draw()}
            for kind, bound in pairs
        ]
        for service, pairs in wanted.items()
    }
    for service, keys in drawn.items():
        _write(folder / f"{service}.json", json.dumps(keys))
    _once(
        file,
        json.dumps(
            {
                service: {key["bound_to"]: key["text"] for key in keys}
                for service, keys in drawn.items()
            }
        ),
    )


def _definitions(catalogue: Any, passwords: Mapping[str, str]) -> str:
    from deploy.rabbitmq.make import definitions

    return json.dumps(definitions(catalogue, passwords), indent=1)


def _reach(catalogue: Any, code: str) -> str:
    return str(catalogue.agency(code).reach)


def _text(file: Path) -> str:
    return _once(file, secrets.token_urlsafe(24))


def _once(file: Path, text: str) -> str:
    if not file.exists():
        _write(file, text)
    return file.read_text(encoding="utf-8")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_name(f".{file.name}.new")
    whole.write_text(text, encoding="utf-8")
    whole.chmod(READ_BY_ITS_MOUNT)
    whole.replace(file)
