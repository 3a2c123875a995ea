"""Where the broker is: the AMQP URL taken apart.

Query parameters are those that RabbitMQ documents for AMQP URIs (cacertfile, certfile, keyfile,
verify, server_name_indication, auth_mechanism, heartbeat, connection_timeout in milliseconds).
No connection is made here.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shared.kernel.errors import SettingsError

HEARTBEAT_SECONDS = 30
CONNECT_SECONDS = 5.0

_KNOWN = {
    "cacertfile",
    "certfile",
    "keyfile",
    "verify",
    "server_name_indication",
    "auth_mechanism",
    "heartbeat",
    "connection_timeout",
}


@dataclass(frozen=True, slots=True)
class Address:
    """One broker; `heartbeat` and `connect_timeout` in seconds; `tls` None without TLS."""

    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    vhost: str
    login_method: str = "PLAIN"
    heartbeat: int = HEARTBEAT_SECONDS
    connect_timeout: float = CONNECT_SECONDS
    tls: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse(url: str) -> tuple[Address, ...]:
    """Every broker of a `;` separated list; what the later ones leave out is as in the first."""
    first, *others = [part.strip() for part in url.split(";") if part.strip()]
    addresses = [_parse_one(first)]
    for other in others:
        full = other if "://" in other else f"{urlsplit(first).scheme}://{other}"
        addresses.append(_parse_one(full, like=first))
    return tuple(addresses)


def _parse_one(url: str, like: str | None = None) -> Address:
    try:
        parts = urlsplit(url)
        model = urlsplit(like) if like else parts
        port = parts.port
    except ValueError as exc:
        raise SettingsError("the AMQP URL cannot be read (host or port)") from exc
    if parts.scheme not in ("amqp", "amqps"):
        raise SettingsError(f"an AMQP URL begins with amqp:// or amqps://, not {parts.scheme}://")
    options = _options(parts.query or model.query)
    login = parts if parts.username else model
    path = parts.path or model.path
    host = parts.hostname or "127.0.0.1"
    secure = parts.scheme == "amqps"
    return Address(
        host=host,
        port=port or (5671 if secure else 5672),
        user=unquote(login.username or "guest"),
        password=unquote(login.password or "guest"),
        vhost=unquote(path[1:]) or "/",
        login_method=options.get("auth_mechanism", "PLAIN").upper(),
        heartbeat=_number(options, "heartbeat", HEARTBEAT_SECONDS),
        connect_timeout=_number(options, "connection_timeout", int(CONNECT_SECONDS * 1000)) / 1000,
        tls=_tls(options, host) if secure else None,
    )


def _options(query: str) -> dict[str, str]:
    options = {name: values[-1] for name, values in parse_qs(query).items()}
    unknown = sorted(set(options) - _KNOWN)
    if unknown:
        raise SettingsError(
            f"the AMQP URL has unknown options: {', '.join(unknown)}; "
            f"known are {', '.join(sorted(_KNOWN))}"
        )
    return options


def _number(options: dict[str, str], name: str, default: int) -> int:
    try:
        return int(options.get(name, default))
    except ValueError as exc:
        raise SettingsError(f"the option {name} of the AMQP URL is no whole number") from exc


def _tls(options: dict[str, str], host: str) -> dict[str, Any]:
    verify = options.get("verify", "verify_peer")
    if verify not in ("verify_peer", "verify_none"):
        raise SettingsError("the option verify of the AMQP URL is verify_peer or verify_none")
    tls: dict[str, Any] = {
        "ca_certs": options.get("cacertfile"),
        "certfile": options.get("certfile"),
        "keyfile": options.get("keyfile"),
    }
    if verify == "verify_peer":
        tls["cert_reqs"] = ssl.CERT_REQUIRED
        tls["server_hostname"] = options.get("server_name_indication", host)
    else:
        tls["cert_reqs"] = ssl.CERT_NONE
    tls["tls_minimum_version"] = ssl.TLSVersion.TLSv1_2
    _try_files(tls["ca_certs"], tls["certfile"], tls["keyfile"])
    return {name: value for name, value in tls.items() if value is not None}


def _try_files(authority: str | None, certificate: str | None, key: str | None) -> None:
    """Load the files once: a wrong one is a wrong setting, not a broker that is away."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if key is not None and certificate is None:
        raise _wrong("keyfile", "it needs a certfile", "cần có certfile đi cùng")
    name = "cacertfile"
    try:
        if authority is not None:
            context.load_verify_locations(authority)
        name = "certfile" if key is None else "certfile and keyfile"
        if certificate is not None:
            # Without a word of ours OpenSSL would ask the terminal for the password of a key.
            context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as exc:
        en, vi = _WRONG_FILE.get(exc.reason, _WRONG_FILE["other"])
        raise _wrong(name, en, vi) from exc
    except OSError as exc:
        en, vi = f"no file can be read there ({exc.strerror})", "không đọc được tệp"
        raise _wrong(name, en, vi) from exc


_WRONG_FILE = {
    "KEY_VALUES_MISMATCH": (
        "the key belongs to another certificate",
        "khóa không khớp với chứng thư",
    ),
    "other": (
        "no certificate or key in PEM form (a key must have no password)",
        "không phải chứng thư hoặc khóa dạng PEM (khóa không được đặt mật khẩu)",
    ),
}


def _wrong(name: str, en: str, vi: str) -> SettingsError:
    return SettingsError(f"{name} of the AMQP URL: {en}", vi=f"{name} trong URL AMQP: {vi}.")
