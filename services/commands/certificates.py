"""Certificates by which agencies sign in at the broker, issued by the city's authority for agencies.

The common name is the broker user, so a certificate ends with its user. The authority's key signs
whoever the broker lets in: it is read from a file, and kept nowhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.kernel.errors import LienThongError

#: Clocks of several machines may differ by less than this.
_SLACK: Final = timedelta(hours=1)


class NoAuthority(LienThongError):
    """The files of the authority cannot sign: not there, not PEM, or not each other's."""

    default_vi = "Không ký được: xem lại tệp chứng thư và khóa của cơ quan cấp chứng thư (PEM, không mật khẩu)."


@dataclass(frozen=True, slots=True)
class Authority:
    """The city's authority for agencies: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def read(cls, certificate: Path, key: Path) -> Authority:
        """From two PEM files; the key on an elliptic curve, without a password."""
        try:
            own = x509.load_pem_x509_certificate(certificate.read_bytes())
            signs = serialization.load_pem_private_key(key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as wrong:
            raise NoAuthority(f"the authority cannot be read ({type(wrong).__name__})") from None
        if not isinstance(signs, ec.EllipticCurvePrivateKey):
            raise NoAuthority("the authority's key is not on an elliptic curve")
        if own.public_key() != signs.public_key():
            raise NoAuthority("the authority's key belongs to another certificate")
        return cls(own, signs)

    def issue(self, user: str, folder: Path, now: datetime, days: int) -> tuple[Path, Path]:
        """A certificate and key for a broker user, as files that only their owner reads."""
        key = ec.generate_private_key(ec.SECP256R1())
        end = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SLACK)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        above = made.public_bytes(serialization.Encoding.PEM)
        above += self.certificate.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _written(folder / f"{user}.pem", above), _written(folder / f"{user}.key", secret)


def _written(path: Path, body: bytes) -> Path:
    """A file that is read by its owner alone from its first byte on, and never one of before."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as wrong:
        raise NoAuthority(
            f"{path.name}: it cannot be written ({wrong.strerror})",
            vi=f"{path.name}: không ghi được tệp ({wrong.strerror}).",
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    return path
