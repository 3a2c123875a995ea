"""Ending e-mail by the letter itself: its address for that, signed, without any address in it.

RFC 2369 (List-Unsubscribe) and RFC 8058 (by one click, which needs https).
"""

from __future__ import annotations

import hashlib
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from services.notify.domain.delivery import Letter

PATH: Final = "/tin-nhan/ngung"
_SALT: Final = "lienthong.unsubscribe.1"
_LONGEST: Final = 200


class Unsubscribing:
    """Writes and reads such addresses with the city's secret; `home` is where its pages are."""

    def __init__(self, home: str, secret: str) -> None:
        self._home = home
        self._signer = URLSafeSerializer(
            secret,
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def headers(self, letter_id: str) -> list[str]:
        """What the head of a letter says of it; nothing where it is not known where the pages are."""
        if not self._home:
            return []
        address = f"List-Unsubscribe: <{self._home}{PATH}/{self.token(letter_id)}>"
        one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
        return [address, one_click] if self._home.startswith("https:") else [address]

    def token(self, letter_id: str) -> str:
        """The letter's, the same however often it is asked for."""
        return str(self._signer.dumps(letter_id))

    def letter(self, token: str) -> str | None:
        """The id of the letter; None where we did not sign it."""
        if not token.isascii() or len(token) > _LONGEST:
            return None
        try:
            return str(self._signer.loads(token))
        except BadData:
            return None


def more_of(letter: Letter, unsubscribing: Unsubscribing | None) -> list[str]:
    """The headers by which a citizen ends such letters."""
    return unsubscribing.headers(letter.id) if unsubscribing and letter.to_citizen else []
