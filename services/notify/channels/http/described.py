"""A gateway for text messages as its owner describes it in a file: nothing of any gateway is known here.

The file is YAML and holds no secret: `{secret.token}` in it is the line `token=...` of the secrets.
docs/install.md explains every key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import yaml
from msgspec import Meta

from shared.kernel.errors import SettingsError

#: What an address, a header or a body may be filled with.
VALUES: Final = ("to", "digits", "local", "text", "id")
_PLACE: Final = re.compile(r"\{([a-z_.0-9]+)\}")
Means = Literal["sent", "busy", "failed", "final"]
Path_ = Annotated[str, Meta(pattern=r"^[^\s.]+(\.[^\s.]+)*$", max_length=200)]
Words = Annotated[list[str | int | bool], Meta(min_length=1)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer of the gateway that means this; every condition that is named must hold."""

    means: Means
    status: list[int | str] = []
    where: dict[Path_, Words] = {}
    reference: Path_ | None = None
    wait_seconds: Annotated[float, Meta(ge=1, le=3600)] = 5.0


class Send(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The request for one text: one of `json`, `form`, or all in the address."""

    url: str
    method: Literal["POST", "PUT", "GET"] = "POST"
    headers: dict[str, str] = {}
    basic: Annotated[list[str], Meta(min_length=2, max_length=2)] | None = None
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    query: dict[str, str] = {}
    timeout_seconds: Annotated[float, Meta(ge=1, le=120)] = 20.0
    window: Annotated[int, Meta(ge=1, le=50)] = 1
    idempotent: bool = False
    insecure: bool = False


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a call-back shows whose it is: signed in a header, or by an address that only they know."""

    by: Literal["hmac", "path"]
    secret: str
    header: str = "X-Signature"
    digest: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


class Receipts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the gateway calls back with; `items` where several come in one list."""

    proof: Proof
    body: Literal["json", "form"] = "json"
    items: Path_ | None = None
    reference: Path_
    state: Path_
    to: Path_ | None = None
    code: Path_ | None = None
    delivered: Words
    lost: Words
    underway: list[str | int | bool] = []
    answer: str = "OK"


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the gateway brings what a citizen wrote; `id` is its own name for it, where it gives one."""

    proof: Proof
    body: Literal["json", "form"] = "json"
    items: Path_ | None = None
    sender: Path_
    text: Path_
    id: Path_ | None = None
    answer: str = "OK"


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole description."""

    send: Send
    answers: Annotated[list[Rule], Meta(min_length=1)]
    receipts: Receipts | None = None
    texts: Texts | None = None


def load(path: Path | None, secrets: str | None, setting: str) -> tuple[Gateway, dict[str, str]]:
    """The description in a file and the secrets beside it; SettingsError says what is wrong.

    A secret is never repeated in it.
    """
    if path is None:
        raise SettingsError(
            f"{setting}: the SMS channel http needs it: a file that describes the gateway",
            vi=f"{setting}: kênh SMS http cần cấu hình này: tệp mô tả cổng tin nhắn.",
        )
    try:
        gateway = msgspec.convert(yaml.safe_load(path.read_bytes()), Gateway)
    except (OSError, UnicodeError, yaml.YAMLError, msgspec.ValidationError) as wrong:
        why = _said(wrong)
        raise _wrong(setting, why, f"không đọc được mô tả ({why})") from None
    known = read_secrets(secrets or "", f"{setting}_SECRETS")
    _check(gateway, known, setting)
    return gateway, known


def _said(wrong: Exception) -> str:
    if isinstance(wrong, msgspec.ValidationError):
        return str(wrong)  # names a place and a type, never the value
    if isinstance(wrong, yaml.MarkedYAMLError) and wrong.problem_mark is not None:
        return f"no YAML in line {wrong.problem_mark.line + 1}"
    return getattr(wrong, "strerror", None) or "no YAML"


def read_secrets(text: str, setting: str) -> dict[str, str]:
    """`name=value`, one a line; empty lines are nothing."""
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, mark, value = line.partition("=")
        if not line.strip():
            continue
        if not mark or not re.fullmatch(r"\s*[a-z_0-9]+\s*", name):
            raise _wrong(
                setting,
                f"line {number} is not name=value, with a name of a to z, 0 to 9 and _",
                f"dòng {number} không có dạng tên=giá trị (tên gồm a-z, 0-9, _)",
            )
        found[name.strip()] = value.strip()
    return found


def _check(gateway: Gateway, secrets: Mapping[str, str], setting: str) -> None:
    parts = urlsplit(gateway.send.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
        raise _wrong(setting, "send.url is no address", "send.url không phải địa chỉ")
    near = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme == "http" and not near and not gateway.send.insecure:
        raise _wrong(
            setting,
            "send.url without TLS shows citizens' numbers on the way: use https://, or add "
            "insecure: true where the line is a private one",
            "send.url không có TLS sẽ lộ số điện thoại: dùng https://, hoặc thêm insecure: true "
            "nếu là đường truyền riêng",
        )
    _check_places(gateway.send, secrets, setting)
    for name, called in (("receipts", gateway.receipts), ("texts", gateway.texts)):
        if called is not None and len(secrets.get(called.proof.secret, "")) < 16:
            raise _wrong(
                setting,
                f"{name}.proof.secret: the secret {called.proof.secret} is not there or shorter "
                "than 16",
                f"{name}.proof.secret: thiếu bí mật {called.proof.secret} hoặc ngắn hơn 16 ký tự",
            )
    _check_rules(gateway, setting)


def _check_places(send: Send, secrets: Mapping[str, str], setting: str) -> None:
    """Each `{name}` is known where it stands: a text belongs into the body or the query alone."""
    known = [f"secret.{name}" for name in secrets]
    rooms: tuple[tuple[object, tuple[str, ...]], ...] = (
        (send.url, ()),
        ([send.headers, send.basic or []], ("id",)),
        ([send.json or {}, send.form or {}, send.query], VALUES),
    )
    for room, values in rooms:
        for name in _named(room):
            if name not in (*values, *known):
                here = ", ".join((*values, *known)) or "-"
                raise _wrong(
                    setting,
                    f"{{{name}}} is not known where it stands; known there: {here}",
                    f"{{{name}}} không dùng được ở đó; chỉ dùng được: {here}",
                )


def _check_rules(gateway: Gateway, setting: str) -> None:
    for number, rule in enumerate(gateway.answers, start=1):
        if not rule.status and not rule.where:
            raise _wrong(
                setting,
                f"answers, rule {number}: name a status or a where",
                f"answers, quy tắc {number}: cần status hoặc where",
            )
        for status in rule.status:
            if not re.fullmatch(r"[1-5]\d\d(-[1-5]\d\d)?", str(status)):
                raise _wrong(
                    setting,
                    f"answers, rule {number}: status is such as 200 or 500-599",
                    f"answers, quy tắc {number}: status có dạng 200 hoặc 500-599",
                )


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACE.findall(value)
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from _named(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _named(inside)


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """The same with every `{name}` filled in; one pass, so that a text cannot name a secret."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {name: filled(inside, values) for name, inside in value.items()}
    if isinstance(value, list):
        return [filled(inside, values) for inside in value]
    return value


def _wrong(setting: str, en: str, vi: str) -> SettingsError:
    return SettingsError(f"{setting}: {en}", vi=f"{setting}: {vi}.")
