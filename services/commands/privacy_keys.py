"""`lienthong privacy status|seal|rotate|retire|spare|restore`: the keys that personal data is sealed with.

What the keys are is known to `shared/database/keyring.py`; nothing here prints one that is not sealed.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from services.commands.stores import any_services, named, noted, opened, operator, reasoned
from shared.database import Store, keyring
from shared.database.keyring import KeyFile
from shared.database.sealing import Sealer, sealer_of
from shared.kernel.errors import Conflict, LienThongError
from shared.messaging.acts import Reason
from shared.messaging.assembly import key_file
from shared.messaging.resealing import is_settled, is_whole, seal_all
from shared.settings import SERVICES, Settings

_BEGINS: Final = "lienthong-keys-1:"
_SHORTEST: Final = 12
_SALT: Final = 16
_NONCE: Final = 12

folder = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Of `secrets make`; without it the files of the settings.",
)


@click.command("status")
@any_services
@click.pass_context
def status(ctx: click.Context, services: tuple[str, ...]) -> None:
    """Say by which keys each service seals, and whether everything is sealed by the newest.

    Reads every table that holds personal data. Exit 1 where something is not.
    """
    behind = False
    for service in named(services):
        with opened(service) as store:
            sealer = _sealer(store)
            names = keyring.names(sealer.file.read().sealing)
            whole = is_whole(store, _metadata(service), sealer)
        behind = behind or not whole
        older = f", older / cũ: {', '.join(names[1:])}" if names[1:] else ""
        state = "tất cả đã niêm phong / all sealed" if whole else "chưa xong / not all sealed yet"
        click.echo(f"{service}: {service}:{names[0]}{older}; {state}")
    ctx.exit(1 if behind else 0)


@click.command("seal")
@any_services
@reasoned
def seal(services: tuple[str, ...], who: str, why: str) -> None:
    """Seal now what lies in clear or under an older key, as the loops do every night."""
    reason = Reason(who, why)
    for service in named(services):
        with opened(service) as store:
            _must_be_settled(_sealer(store))
            count = sum(each.count for each in seal_all(store, _metadata(service), again=True))
            with store.begin(operator()) as uow:
                noted(uow, "privacy seal", service, count, reason)
        click.echo(f"{service}: {count} dòng đã niêm phong / rows sealed")


@click.command("rotate")
@folder
def rotate(folder: Path | None) -> None:
    """Draw a new key for each service; what was sealed stays readable, nothing is restarted."""
    for names, file in _files(folder).items():
        keys = file.read().with_new()
        file.write(keys)
        click.echo(f"{names}: {keyring.names(keys.sealing)[0]}")
    click.echo(
        "Các tiến trình dùng khóa mới sau một phút; đêm nay hoặc `privacy seal` niêm phong lại. "
        "Hãy làm bản sao mới: `privacy spare`. / In use within a minute; make a new spare copy."
    )


@click.command("retire")
@folder
@click.option(
    "--sealed",
    multiple=True,
    metavar="SERVICE:KEY",
    required=True,
    help="As `privacy status` has just said of it; repeated.",
)
def retire(folder: Path | None, sealed: tuple[str, ...]) -> None:
    """Let go of a service's older keys, once `privacy status` says that nothing needs them."""
    told: dict[str, str] = dict(each.partition(":")[::2] for each in sealed)
    for names, file in _files(folder).items():
        keys, readers = file.read(), names.split(", ")
        newest = keyring.names(keys.sealing)[0]
        if not any(service in told for service in readers):
            continue
        if any(told.get(service) != newest for service in readers):
            raise Conflict(
                f"{names}: not all of it is sealed by {newest}, as far as --sealed says",
                vi=f"{names}: chưa xác nhận mọi dữ liệu đã niêm phong bằng khóa {newest}.",
            )
        file.write(keys.newest_alone())
        click.echo(f"{names}: {len(keys.sealing) - 1} khóa cũ đã bỏ / older keys gone")


@click.command("spare")
@folder
def spare(folder: Path | None) -> None:
    """Print all keys, sealed with a passphrase that is asked for: a line to be kept elsewhere."""
    files = _files(folder)
    phrase = _asked("Passphrase", confirm=True)
    if len(phrase) < _SHORTEST:
        raise click.ClickException(f"a passphrase needs {_SHORTEST} letters or more")
    plain = json.dumps({names: file.read().text() for names, file in files.items()})
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    shut = salt + nonce + _cipher(phrase, salt).encrypt(nonce, plain.encode(), None)
    click.echo(_BEGINS + base64.urlsafe_b64encode(shut).decode())


@click.command("restore")
@folder
def restore(folder: Path | None) -> None:
    """Put back what `spare` printed: the line and its passphrase are asked for.

    Keys that are there stay beside those that come back.
    """
    line, phrase = _asked("Spare copy").strip(), _asked("Passphrase")
    kept = _opened(line, phrase)
    for names, file in _files(folder, must_be_there=False).items():
        if names not in kept:
            raise Conflict(f"the copy has no keys of {names}; it has: {', '.join(kept)}")
        back = keyring.read(kept[names])
        there = file.read().sealing if file.path.exists() else ()
        more = tuple(key for key in there if key not in back.sealing)
        file.write(keyring.Keys((*more, *back.sealing), back.search))
        click.echo(f"{names}: {len(back.sealing)} khóa đã khôi phục / keys restored")


def _opened(line: str, phrase: str) -> Mapping[str, str]:
    try:
        shut = base64.urlsafe_b64decode(line.removeprefix(_BEGINS))
        salt, nonce = shut[:_SALT], shut[_SALT : _SALT + _NONCE]
        plain = _cipher(phrase, salt).decrypt(nonce, shut[_SALT + _NONCE :], None)
    except (ValueError, InvalidTag):
        raise LienThongError(
            "this is no spare copy, or another passphrase",
            vi="Không phải bản sao khóa, hoặc sai cụm mật khẩu.",
            code="no_spare_copy",
        ) from None
    kept: dict[str, str] = json.loads(plain)
    return kept


def _cipher(phrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**16, r=8, p=1).derive(phrase.encode()))


def _asked(what: str, *, confirm: bool = False) -> str:
    """Typed without being shown, or a line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    text: str = click.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True)
    return text


def _files(folder: Path | None, *, must_be_there: bool = True) -> dict[str, KeyFile]:
    """Each file of keys by the names of the services that it is for."""
    readers: dict[Path, list[str]] = {}
    for service in SERVICES:
        if folder is not None:
            path = folder / service / "privacy_keys"
        else:
            path = key_file(Settings.load(service, os.environ)).path
        readers.setdefault(path, []).append(service)
    missing = [path for path in readers if must_be_there and not path.exists()]
    if missing:
        raise LienThongError(
            f"there are no keys at {missing[0]}; set LIENTHONG_DATA_DIR or "
            "LIENTHONG_PRIVACY_KEYS as for the city, or name --folder",
            vi=f"Không có tệp khóa ở {missing[0]}; đặt LIENTHONG_DATA_DIR hoặc "
            "LIENTHONG_PRIVACY_KEYS như khi chạy thành phố, hoặc dùng --folder.",
            code="no_keys",
        )
    return {", ".join(names): KeyFile(path) for path, names in readers.items()}


def _must_be_settled(sealer: Sealer) -> None:
    if not is_settled(sealer):
        raise Conflict(
            "the newest key is some minutes old: wait five, until every process uses it",
            vi="Khóa mới vừa được thêm: hãy đợi năm phút để mọi tiến trình dùng khóa mới.",
        )


def _sealer(store: Store) -> Sealer:
    sealer = sealer_of(store.engine.dialect)
    assert sealer is not None
    return sealer


def _metadata(service: str) -> sa.MetaData:
    metadata: sa.MetaData = importlib.import_module(f"services.{service}.storage.tables").metadata
    return metadata
