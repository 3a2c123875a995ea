"""The settings of one service process, read once from the environment and handed in.

Each is `LIENTHONG_<NAME>`; `LIENTHONG_<SERVICE>_<NAME>` speaks to one service alone, and
`..._FILE` names a file that holds the value (for secrets). Nothing else reads the environment.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from shared.kernel.errors import SettingsError

PREFIX = "LIENTHONG_"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
SERVICES = ("intake", "routing", "notify")
PROJECT = Path(__file__).resolve().parent.parent
KEY_PER_MINUTE: Final = 3000
KEY_AT_ONCE: Final = 6  # of the eight threads of a door
SHORTEST_SECRET: Final = 24
DEFAULT_PORTS = {"intake": 8080, "routing": 8081, "notify": 8082}
# Names of the same prefix that others read: the test command and the servers it starts, the commands
# `smoke` and `status`, the test of `chaos`, and what deploy/rabbitmq and compose hand to their scripts.
NOT_OURS = ("TEST_", "SMOKE_", "AGENCY_", "BROKER_", "STATUS_", "CHAOS_")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that one service is told from outside; secrets are left out of its repr."""

    service: str
    data_dir: Path
    database_url: str = field(repr=False)
    database_connect_seconds: int = 5
    database_pool_seconds: int = 5
    database_answer_seconds: int = 20
    database_statement_seconds: int = 15
    database_lock_seconds: int = 10
    database_idle_seconds: int = 60
    database_vanish_seconds: int = 10
    amqp_url: str = field(default="memory://", repr=False)
    amqp_prefix: str = ""
    # The broker's management door, for the operators' process and commands alone.
    management_url: str | None = field(default=None, repr=False)
    catalogue_dir: Path = PROJECT / "catalogue"
    host: str = "127.0.0.1"
    port: int = 8080
    ops_port: int = 0
    public_url: str = ""
    secret_key: str | None = field(default=None, repr=False)
    # The private key (PEM) by which routing signs what it hands over and is answered.
    evidence_key: str | None = field(default=None, repr=False)
    # The file of the keys that personal data is sealed with; None: one in the data folder.
    privacy_keys: Path | None = None
    # The city's own sign-in (OpenID Connect) beside names and passwords: intake's alone.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    cookie_secure: bool = False
    log_format: str = "console"
    log_level: str = "info"
    smtp_url: str | None = field(default=None, repr=False)
    smtp_url_2: str | None = field(default=None, repr=False)
    smpp_url: str | None = field(default=None, repr=False)
    smpp_url_2: str | None = field(default=None, repr=False)
    sms_http: Path | None = None
    sms_http_secrets: str | None = field(default=None, repr=False)
    sms_http_2: Path | None = None
    sms_http_2_secrets: str | None = field(default=None, repr=False)
    mail_from: str = "mot-cua@localhost"
    # Where letters come back to, the mailbox that they lie in then, and what the mail server signs
    # with that hands them over at a door.
    bounce_address: str = ""
    bounce_mailbox: str | None = field(default=None, repr=False)
    bounce_secret: str | None = field(default=None, repr=False)
    channel_sms: str = "file"
    channel_email: str = "file"
    lookup_url: str = ""  # where intake is asked for what a citizen looks up by SMS
    webhook_loopback: bool = False  # agencies' webhooks may be on this machine, without TLS
    courtesy: str = "on"  # off: messages go at once, by night too (load tests, checks)
    proxy_hops: int = 0
    # What one key may ask of one process; 0: no limit. A service that runs by itself has limits
    # (see `load`), a city that a program holds in its hand has none.
    key_per_minute: int = 0
    key_at_once: int = 0
    access_days: int = 730  # how long it is kept who looked at what
    # Files of dossiers: MB of one and of all of a dossier, who looks for malware in them.
    file_mb: int = 20
    dossier_files_mb: int = 100
    clamd: str = ""
    relay_batch: int = 100
    consumer_batch: int = 50
    prefetch: int = 200
    # Whether the broker writes on every message when it took it, whatever its sender wrote there.
    broker_stamps: bool = False
    # Days for which is kept what nobody needs any more; 0: for ever. See docs/operate.md.
    keep_ledgers_days: int = 180
    keep_answers_days: int = 90
    keep_forms_days: int = 365
    keep_contacts_days: int = 365
    keep_files_days: int = 730

    @property
    def home(self) -> str:
        """Where people find its pages; empty where it was not said and cannot be known."""
        if self.public_url or not self.port or self.host not in ("127.0.0.1", "localhost"):
            return self.public_url
        return f"http://{self.host}:{self.port}"

    @classmethod
    def load(cls, service: str, env: Mapping[str, str]) -> Settings:
        """Read the settings of `service`; SettingsError names every unknown or unreadable one."""
        _refuse_unknown(env)
        given = {name: text for name in READERS if (text := _find(service, name, env)) is not None}
        values: dict[str, Any] = {name: _read(name, text) for name, text in given.items()}
        data_dir = values.setdefault("data_dir", PROJECT / "var")
        values.setdefault("database_url", f"sqlite:///{data_dir / f'{service}.db'}")
        values.setdefault("port", DEFAULT_PORTS.get(service, 8080))
        values.setdefault("key_per_minute", KEY_PER_MINUTE)
        values.setdefault("key_at_once", KEY_AT_ONCE)
        return cls(service=service, **values)


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("not one of true, false")
    return known[text.lower()]


def _count(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal():
            raise ValueError("not a whole number")
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"not between {low} and {high}")
        return number

    return read


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"not one of {', '.join(allowed)}")
        return text

    return read


def _address(text: str) -> str:
    """The beginning of an address; none where it is empty, as a compose file may leave it."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("not an address such as https://motcua.example.vn")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("not an address alone: leave out what follows the host's name")
    return text.rstrip("/")


def _provider(text: str) -> str:
    """An issuer of OpenID Connect: https, but for one on this machine; nothing after its path."""
    parts = urlsplit(text)
    secure = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost")
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or not secure):
        raise ValueError("not an address such as https://dangnhap.example.vn/realms/thanh-pho")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("not an issuer: leave out what follows its path")
    return text.rstrip("/")


def _secret(text: str) -> str:
    if 0 < len(text) < SHORTEST_SECRET:
        raise ValueError(f"shorter than {SHORTEST_SECRET} characters")
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _path_or_none(text: str) -> Path | None:
    return _path(text) if text else None


READERS: dict[str, Callable[[str], Any]] = {
    "data_dir": _path,
    "database_url": str,
    "database_connect_seconds": _count(2, 600),  # psycopg waits for no less
    "database_pool_seconds": _count(1, 600),
    "database_answer_seconds": _count(1, 3600),
    "database_statement_seconds": _count(1, 3600),
    "database_lock_seconds": _count(1, 3600),
    "database_idle_seconds": _count(1, 3600),
    "database_vanish_seconds": _count(1, 3600),
    "amqp_url": str,
    "amqp_prefix": str,
    "management_url": str,
    "catalogue_dir": _path,
    "host": str,
    "port": _count(0, 65535),
    "ops_port": _count(0, 65535),
    "public_url": _address,
    "secret_key": str,
    "evidence_key": str,
    "privacy_keys": _path_or_none,
    "oidc_issuer": _provider,
    "oidc_client_id": str,
    "oidc_client_secret": str,
    "cookie_secure": _flag,
    "log_format": _one_of("json", "console"),
    "log_level": _one_of("debug", "info", "warning", "error"),
    "smtp_url": str,
    "smtp_url_2": str,
    "smpp_url": str,
    "smpp_url_2": str,
    "sms_http": _path_or_none,
    "sms_http_secrets": str,
    "sms_http_2": _path_or_none,
    "sms_http_2_secrets": str,
    "mail_from": str,
    "bounce_address": str,
    "bounce_mailbox": str,
    "bounce_secret": _secret,
    "channel_sms": str,  # which words there are is known to notify alone
    "channel_email": str,
    "lookup_url": _address,
    "webhook_loopback": _flag,
    "courtesy": _one_of("on", "off"),
    "proxy_hops": _count(0, 10),
    "key_per_minute": _count(0, 1_000_000),
    "key_at_once": _count(0, 1000),
    "access_days": _count(30, 36_500),
    "file_mb": _count(1, 1000),
    "dossier_files_mb": _count(1, 10_000),
    "clamd": str,
    "relay_batch": _count(1, 10_000),
    "consumer_batch": _count(1, 10_000),
    "prefetch": _count(1, 65535),
    "broker_stamps": _flag,
    "keep_ledgers_days": _count(0, 36_500),
    "keep_answers_days": _count(0, 36_500),
    "keep_forms_days": _count(0, 36_500),
    "keep_contacts_days": _count(0, 36_500),
    "keep_files_days": _count(0, 36_500),
}


def names() -> tuple[str, ...]:
    """The environment names that every service reads, in the order of the fields."""
    return tuple(PREFIX + each.name.upper() for each in fields(Settings) if each.name in READERS)


def _known() -> Iterator[str]:
    for name in names():
        plain = name.removeprefix(PREFIX)
        for owner in ("", *(f"{service.upper()}_" for service in SERVICES)):
            yield f"{PREFIX}{owner}{plain}"
            yield f"{PREFIX}{owner}{plain}_FILE"


def _refuse_unknown(env: Mapping[str, str]) -> None:
    known = set(_known())
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in known:
            continue
        if name.removeprefix(PREFIX).startswith(NOT_OURS):
            continue
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)
        raise SettingsError(
            f"unknown setting {name}; did you mean {near[0]}?",
            vi=f"Không có cấu hình {name}; có phải {near[0]}?",
        )


def _find(service: str, name: str, env: Mapping[str, str]) -> str | None:
    for owner in (f"{service.upper()}_", ""):
        full = f"{PREFIX}{owner}{name.upper()}"
        # No file where the name is empty, as a compose file may leave it.
        direct, from_file = env.get(full), env.get(f"{full}_FILE") or None
        if direct is not None and from_file is not None:
            raise SettingsError(
                f"{full} and {full}_FILE are both set; keep one",
                vi=f"{full} và {full}_FILE cùng được đặt; chỉ giữ một.",
            )
        if direct is not None:
            return direct
        if from_file is not None:
            return _read_file(f"{full}_FILE", from_file)
    return None


def _read_file(name: str, path: str) -> str:
    try:
        raw = Path(path).read_bytes()
        # Windows' editors and shells put a mark before the text, or write UTF-16.
        return raw.decode("utf-16" if raw.startswith(_UTF16) else "utf-8-sig").strip()
    except UnicodeDecodeError:
        raise SettingsError(
            f"{name}: the file it names is no text: save it as UTF-8",
            vi=f"{name}: tệp đã chỉ định không phải văn bản; hãy lưu dạng UTF-8.",
        ) from None
    except OSError as broken:
        raise SettingsError(
            f"{name}: cannot read the file it names ({broken.strerror})",
            vi=f"{name}: không đọc được tệp đã chỉ định.",
        ) from None


def _read(name: str, text: str) -> Any:
    try:
        return READERS[name](text)
    except ValueError as broken:
        # The readers' own words: the value is not repeated, it may be a secret in a wrong place.
        raise SettingsError(
            f"{PREFIX}{name.upper()}: {broken}",
            vi=f"{PREFIX}{name.upper()}: giá trị không hợp lệ ({broken}).",
        ) from None
