"""Signing our answers, so that nobody can say that we said otherwise; needs `partner[sign]`.

Ed25519 (RFC 8032). The city keeps the public half: make both with openssl (docs/agencies.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from partner.errors import BadAnswer, BadSettings

ID_DIGITS = 16
SALT_BYTES = 16
ANSWER = "lienthong answer 1"


class Signer:
    """Our private key; printing it shows its id alone. BadSettings where the text holds none."""

    def __init__(self, pem: str) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
            from cryptography.hazmat.primitives.serialization import load_pem_private_key
        except ImportError:
            raise not_installed() from None
        try:
            found = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError):
            found = None
        if not isinstance(found, Ed25519PrivateKey):
            raise BadSettings(
                "PARTNER_SIGNING_KEY holds no Ed25519 key in PEM form (a key must have no password)",
                "PARTNER_SIGNING_KEY không phải khóa Ed25519 dạng PEM (khóa không được đặt mật khẩu)",
            )
        self._key = found
        self.key = key_id(found.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"<Signer {self.key}>"

    def sign(
        self, agency: str, answer_id: str, task: str, kind: str, data: Mapping[str, Any]
    ) -> str:
        """What goes into an answer's field `signature`: `KEY.SALT.SIGNATURE`."""
        salt = secrets.token_bytes(SALT_BYTES)
        try:
            said = canonical({"task": task, **data})
        except (TypeError, ValueError):
            raise BadAnswer(
                "a field holds what is no text, or half a character",
                "có trường không phải là chuỗi, hoặc có ký tự hỏng",
            ) from None
        digest = hashlib.sha256(salt + said).hexdigest()
        signature = self._key.sign(statement(agency, answer_id, task, kind, digest))
        first, second = (base64.b64encode(each).decode() for each in (salt, signature))
        return f"{self.key}.{first}.{second}"


def statement(agency: str, answer_id: str, task: str, kind: str, digest: str) -> bytes:
    """What an agency signs of an answer: whose, which, of what, and the digest of what it says."""
    return f"{ANSWER}\n{agency}\n{answer_id}\n{task}\n{kind}\n{digest}".encode(
        errors="surrogatepass"
    )


def canonical(told: Mapping[str, Any]) -> bytes:
    """JSON that everybody writes alike: null ones left out, names sorted, no blanks, UTF-8."""
    filled = {name: value for name, value in told.items() if value is not None}
    return json.dumps(filled, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def key_id(public: bytes) -> str:
    """What a key is called."""
    return hashlib.sha256(public).hexdigest()[:ID_DIGITS]


def not_installed() -> BadSettings:
    """Signatures need what the kit alone does not bring."""
    return BadSettings(
        'signatures need more than the kit alone: pip install "./partner[sign]"',
        'chữ ký số cần cài thêm: pip install "./partner[sign]"',
    )
