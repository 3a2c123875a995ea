"""Where the city is and who we are: the address of the broker, TLS, the HTTPS door."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pika

from partner.errors import BadSettings

HEARTBEAT = 30  # seconds; a handler that takes longer than two of them loses the connection
CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form: the city's authority and, where asked for, our own certificate."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        """A context that checks the server's certificate and shows ours where there is one.

        BadSettings where a file is not there or is not what it should be.
        """
        context: ssl.SSLContext = _loading(
            "--ca", lambda: ssl.create_default_context(cafile=self.ca)
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            own, key = self.certificate, self.key
            # Without a word of ours OpenSSL would ask the terminal for the password of a key.
            given = "--certificate" if key is None else "--certificate, --key"
            _loading(given, lambda: context.load_cert_chain(own, key, password=""))
        elif self.key is not None:
            raise BadSettings(
                "--key needs the certificate that it belongs to: give --certificate",
                "--key cần có chứng thư đi cùng: hãy thêm --certificate",
            )
        return context


def _loading(option: str, load: Any) -> Any:
    try:
        return load()
    except ssl.SSLError as wrong:
        if wrong.reason == "KEY_VALUES_MISMATCH":
            raise BadSettings(
                f"{option}: the key belongs to another certificate",
                f"{option}: khóa không khớp với chứng thư",
            ) from wrong
        raise BadSettings(
            f"{option}: no certificate or key in PEM form (a key must have no password)",
            f"{option}: không phải chứng thư hoặc khóa dạng PEM (khóa không được đặt mật khẩu)",
        ) from wrong
    except OSError as wrong:
        raise BadSettings(
            f"{option}: the file cannot be read ({wrong.strerror})",
            f"{option}: không đọc được tệp ({wrong.strerror})",
        ) from wrong


@dataclass(frozen=True, slots=True)
class Address:
    """How the broker is reached; the URL holds a password and is not shown."""

    url: str = field(repr=False)
    tls: Tls | None = None

    @property
    def user(self) -> str | None:
        """The user of the URL, None where a certificate says who we are."""
        user = urlsplit(self.url).username
        return None if user is None else unquote(user)

    @property
    def secure(self) -> bool:
        """Whether the line is encrypted; there is no way back to one that is not."""
        return self.url.startswith("amqps:")

    @property
    def shown(self) -> bool:
        """Whether we show a certificate of our own."""
        return self.secure and self.tls is not None and self.tls.certificate is not None

    @property
    def _by_certificate(self) -> bool:
        """Whether the certificate signs us in: no user is given, or one without a password."""
        return urlsplit(self.url).password is None and (self.user is None or self.shown)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parameters = self._read()
        return str(parameters.host), int(parameters.port)

    def context(self) -> ssl.SSLContext:
        """What the TLS of this line is made with."""
        return (self.tls or Tls()).context()

    def parameters(self) -> Any:
        """What pika needs to connect; BadSettings where it cannot be."""
        parameters = self._read()
        parameters.heartbeat = HEARTBEAT
        parameters.socket_timeout = CONNECT_TIMEOUT
        parameters.stack_timeout = CONNECT_TIMEOUT
        parameters.blocked_connection_timeout = 30
        parameters.connection_attempts = 1  # the client backs off by itself
        if self.secure:
            parameters.ssl_options = pika.SSLOptions(self.context(), parameters.host)
            if self._by_certificate:
                parameters.credentials = pika.credentials.ExternalCredentials()
        return parameters

    def _plain(self) -> str:
        """The URL as pika takes it: a user stands there with a password only."""
        if not self._by_certificate:
            return self.url
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def _read(self) -> Any:
        wrong: Exception | None = None
        if self.url.startswith(("amqp:", "amqps:")):
            try:
                return pika.URLParameters(self._plain())
            except (ValueError, TypeError) as unreadable:
                wrong = unreadable
        raise BadSettings(
            "the broker's address cannot be read: amqps://USER:PASSWORD@HOST/%2F",
            "không đọc được địa chỉ máy chủ: amqps://NGƯỜI_DÙNG:MẬT_KHẨU@MÁY/%2F",
        ) from wrong
