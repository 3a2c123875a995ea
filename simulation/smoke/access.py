"""Where an installation is and with what keys its smoke run may enter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from shared.kernel.errors import LienThongError


class SmokeFailed(LienThongError):
    """The installation did not do what it should, or could not be entered."""

    default_vi = "Bản cài đặt chưa chạy đúng."


@dataclass(frozen=True, slots=True)
class Access:
    """The doors of an installation, and keys by the code of their holder.

    `broker` is host:port, with /vhost and amqp(s):// where they are not the usual ones; empty where
    there is no broker to be reached: the agencies then use the web door.
    """

    intake: str
    routing: str
    notify: str
    broker: str
    desk_key: str = field(repr=False)
    operator_key: str = field(repr=False)
    agency_keys: Mapping[str, str] = field(repr=False)
    broker_passwords: Mapping[str, str] = field(repr=False)

    @classmethod
    def load(cls, file: Path, *, intake: str, routing: str, notify: str, broker: str) -> Access:
        """Read the keys that `lienthong secrets make` drew; SmokeFailed where they are not."""
        try:
            held = json.loads(file.read_text(encoding="utf-8"))
            keys = held["keys"]
            return cls(
                intake=intake,
                routing=routing,
                notify=notify,
                broker=broker,
                desk_key=next(iter(keys["desk"].values())),
                operator_key=next(iter(keys["operator"].values())),
                agency_keys=keys["agency"],
                broker_passwords=held["broker"],
            )
        except OSError as missing:
            raise SmokeFailed(
                f"the keys cannot be read from {file} ({missing.strerror}); "
                "`lienthong secrets make` draws them",
                vi=f"Không đọc được khóa trong {file}; hãy tạo bằng `lienthong secrets make`.",
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
            raise SmokeFailed(
                f"{file} is not the file that `lienthong secrets make` writes"
            ) from None

    def by_broker(self, agency: str) -> str | None:
        """The broker's address for this agency; None where it uses the web door."""
        password = self.broker_passwords.get(agency)
        if not self.broker or password is None:
            return None
        scheme, _, rest = self.broker.rpartition("://")
        host, _, vhost = rest.partition("/")
        user = f"{quote(agency, safe='')}:{quote(password, safe='')}"
        return f"{scheme or 'amqp'}://{user}@{host}/{vhost or '%2F'}"
