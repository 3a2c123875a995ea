"""Who asks a public door for somebody else: a city's service vouches for the number that asks it.

A door counts its callers by their addresses. Where all of them come by way of one of our services
that would be one address: so the service names each, by a digest that says nothing of the number,
signed with the city's one secret (HMAC-SHA256 by itsdangerous, a salt of its own). Whoever has no
secret can name nobody and is counted by address.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

HEADER: Final = "X-Lienthong-Asker"
_SALT: Final = "lienthong.asker.1"
_LONGEST: Final = 200


class Askers:
    """Writes and reads the header with the city's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._signer = URLSafeSerializer(
            secret,
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def write(self, number: str) -> str:
        """The header for whoever asks from this number."""
        digest = hmac.digest(self._secret, f"{_SALT}\0{number}".encode(), "sha256").hex()[:32]
        return str(self._signer.dumps(digest))

    def read(self, header: str | None) -> str | None:
        """The digest of who asks; None where we did not sign it."""
        if header is None or not header.isascii() or len(header) > _LONGEST:
            return None
        try:
            return str(self._signer.loads(header))
        except BadData:
            return None
