"""A client as the environment describes it: the settings of docs/agencies.md, secrets from files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from partner.client import Client
from partner.errors import BadSettings
from partner.settings import Tls


def from_environment(env: Mapping[str, str] | None = None, **given: Any) -> Client:
    """A client by PARTNER_AGENCY, PARTNER_URL or PARTNER_URL_FILE and so on.

    `given` is what else `Client` takes, and goes before the environment where it is not None.
    """
    known = os.environ if env is None else env

    def value(name: str) -> Any:
        said = given.pop(name, None)
        return secret(f"PARTNER_{name.upper()}", known) if said is None else said

    agency = value("agency")
    if not agency:
        raise BadSettings(
            "which agency? Give --agency or PARTNER_AGENCY",
            "đơn vị nào? Hãy thêm --agency hoặc PARTNER_AGENCY",
        )
    return Client(
        agency,
        store=value("store") or "partner.db",
        url=value("url"),
        tls=Tls(value("ca"), value("certificate"), value("key")),
        door=value("door"),
        door_key=value("door_key"),
        prefix=value("prefix") or "",
        signing_key=value("signing_key"),
        **given,
    )


def secret(name: str, env: Mapping[str, str]) -> str | None:
    """A value from the environment, or from the file that NAME_FILE names."""
    path = env.get(f"{name}_FILE")
    if not path:
        return env.get(name)
    raw = Path(path).read_bytes()
    # Windows' editors and shells put a mark before the text, or write UTF-16.
    utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    return raw.decode("utf-16" if utf16 else "utf-8-sig").strip()
