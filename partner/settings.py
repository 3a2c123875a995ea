"""Where the city is and who we are: the address of the broker, TLS, the HTTPS door."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pika

HEARTBEAT = 30  # seconds; a handler that takes longer than two of them loses the connection
CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form: the city's authority and, where asked for, our own certificate."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        """A context that checks the server's certificate and shows ours where there is one."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


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

    def parameters(self) -> Any:
        """What pika needs to connect."""
        parameters = pika.URLParameters(self.url)
        parameters.heartbeat = HEARTBEAT
        parameters.socket_timeout = CONNECT_TIMEOUT
        parameters.stack_timeout = CONNECT_TIMEOUT
        parameters.blocked_connection_timeout = 30
        parameters.connection_attempts = 1  # the client has its own patience
        if self.url.startswith("amqps:"):
            context = (self.tls or Tls()).context()
            parameters.ssl_options = pika.SSLOptions(context, parameters.host)
            if self.user is None:
                parameters.credentials = pika.credentials.ExternalCredentials()
        return parameters
