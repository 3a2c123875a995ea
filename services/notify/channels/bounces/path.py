"""The address that a letter comes back to: another for each letter, and only we can write one.

Variable envelope return path: the letter's id and a keyed digest of it behind a `+` (RFC 5233), which
the mail server brings to the one mailbox. No address and no name is in it.
"""

from __future__ import annotations

import base64
import hmac
import re
import uuid
from collections.abc import Iterator
from typing import Final

from services.notify.channels.mail import is_address
from services.notify.domain.delivery import Letter
from shared.kernel.errors import SettingsError
from shared.settings import Settings

_PROOF: Final = 10  # bytes
_TOKEN: Final = 42  # letters and digits for an id and its proof
_LONGEST_LOCAL: Final = 64  # RFC 5321, 4.5.3.1.1
_SETTING: Final = "LIENTHONG_BOUNCE_ADDRESS"


class ReturnPath:
    """Writes and reads such addresses with the city's secret; `address` is the mailbox itself."""

    def __init__(self, address: str, secret: str) -> None:
        self.address = address
        self._local, _, self._domain = address.rpartition("@")
        self._key = hmac.digest(secret.encode(), b"lienthong return path 1", "sha256")
        # Mail servers may change the size of letters.
        self._shape = re.compile(
            rf"{re.escape(self._local)}\+([a-z0-9]+)@{re.escape(self._domain)}", re.IGNORECASE
        )

    def of(self, letter: Letter) -> str:
        """Where this letter comes back to; the mailbox itself where its id is none of ours."""
        try:
            name = uuid.UUID(letter.id).bytes
        except ValueError:
            return self.address
        token = base64.b32encode(name + self._proof(name)).decode("ascii").rstrip("=").lower()
        return f"{self._local}+{token}@{self._domain}"

    def found(self, text: str) -> Iterator[str | None]:
        """Of each such address in a text the letter's id; None where we did not write it."""
        for match in self._shape.finditer(text):
            yield self._letter(match[1])

    def _letter(self, token: str) -> str | None:
        if len(token) != _TOKEN:
            return None
        try:
            told = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except ValueError:
            return None
        name, proof = told[:16], told[16:]
        return str(uuid.UUID(bytes=name)) if hmac.compare_digest(proof, self._proof(name)) else None

    def _proof(self, name: bytes) -> bytes:
        return hmac.digest(self._key, name, "sha256")[:_PROOF]


def return_path(settings: Settings, secret: str) -> ReturnPath | None:
    """As the settings have it, None where they name none; SettingsError says what is wrong."""
    address = settings.bounce_address
    if not address:
        if settings.bounce_mailbox or settings.bounce_secret:
            raise SettingsError(
                f"{_SETTING}: mail cannot come back without an address to come back to",
                vi=f"{_SETTING}: chưa ghi địa chỉ nhận thư trả lại.",
            )
        return None
    room = _LONGEST_LOCAL - _TOKEN - 1
    local = address.rpartition("@")[0]
    if not is_address(address) or "+" in local or len(local) > room:
        raise SettingsError(
            f"{_SETTING}: write an address in ASCII with at most {room} characters and no + before "
            "the @, for example tra-lai@motcua.example.vn",
            vi=f"{_SETTING}: hãy ghi một địa chỉ không dấu, trước @ nhiều nhất {room} ký tự và không "
            "có dấu +, ví dụ tra-lai@motcua.example.vn.",
        )
    return ReturnPath(address, secret)
