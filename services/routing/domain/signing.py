"""Ed25519 keys as evidence needs them: who signed, by which key, and whether a signature holds.

A key's id is drawn from its public half, so that nobody can give one key the id of another.
Source: RFC 8032 (Ed25519), RFC 8410 (its keys in PEM form).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # some megabytes that a city without evidence to sign does not load
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ID: Final = 16  # hexadecimal digits of a key's id


class NoSuchKey(ValueError):
    """The text holds no Ed25519 key in PEM form, or one that asks for a password."""


class Signer:
    """One private key; printing it shows its id alone."""

    def __init__(self, pem: str) -> None:
        self._key = _private(pem)
        self.public = self._key.public_key().public_bytes_raw()
        self.key = key_id(self.public)

    def __repr__(self) -> str:
        return f"<Signer {self.key}>"

    def sign(self, told: bytes) -> bytes:
        """The 64 bytes of a signature."""
        return self._key.sign(told)


def draw() -> str:
    """A new private key in PEM form, without a password."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.decode()


def _private(pem: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as wrong:
        raise NoSuchKey("no private key in PEM form without a password") from wrong
    if not isinstance(found, Ed25519PrivateKey):
        raise NoSuchKey("a private key of another kind than Ed25519")
    return found


def read_public(pem: str) -> bytes:
    """The 32 bytes of a public key; NoSuchKey for whatever is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        found = load_pem_public_key(pem.encode())
    except ValueError as wrong:
        raise NoSuchKey("no public key in PEM form") from wrong
    if not isinstance(found, Ed25519PublicKey):
        raise NoSuchKey("a public key of another kind than Ed25519")
    return found.public_bytes_raw()


def key_id(public: bytes) -> str:
    """What a key is called."""
    return hashlib.sha256(public).hexdigest()[:_ID]


def holds(public: bytes, signature: bytes, told: bytes) -> bool:
    """Whether the holder of this key signed exactly this."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, told)
    except InvalidSignature:
        return False
    return True


def as_text(raw: bytes) -> str:
    """Bytes as base64 (RFC 4648, section 4)."""
    return base64.b64encode(raw).decode()


def from_text(text: str) -> bytes | None:
    """The bytes again; None for what is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
