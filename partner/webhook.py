"""What an agency puts at its webhook's address: checks who sent it, keeps it, says so.

A WSGI app over the same file as everything else of the kit, so that any server can run it, with
threads or in several processes; whoever handles the messages (`Client.run`) answers by the door.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from partner.client import Client
from partner.errors import BadSettings, PartnerError, StoreTrouble
from partner.transport import Now, utc_now

AGE = 300.0  # seconds; what was signed longer ago, or so far ahead, is refused
LONGEST = 1 << 20  # bytes; the city's messages have at most a quarter of it
TRIAL = "vn.lienthong.webhook.tried.v1"  # the city's "does it arrive?", which means nothing else
_SILENT = 10.0  # seconds that a caller may say nothing
log = logging.getLogger("partner")


class NotSigned(PartnerError):
    """It was not signed by the city with our secret, or too long ago."""


def verify(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: Now = utc_now
) -> None:
    """NotSigned unless one of our secrets signed this body within five minutes.

    As Standard Webhooks has it; `headers` by their names in lower letters.
    """
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    digits = stamp if stamp.isascii() and stamp.isdigit() and len(stamp) < 16 else "0"
    if abs(now().timestamp() - int(digits)) > AGE:
        raise NotSigned("signed too long ago, or by another clock: look at ours")
    told = f"{message_id}.{stamp}.".encode() + body
    given = [each.encode() for each in headers.get("webhook-signature", "").split(" ")]
    for secret in secrets:
        made = base64.b64encode(hmac.digest(_key(secret), told, "sha256"))
        if any(hmac.compare_digest(b"v1," + made, each) for each in given):
            return
    raise NotSigned("no signature by our secret")


def read_secrets(text: str | None) -> list[str]:
    """The secrets of a setting, parted by blanks; BadSettings where there is none or one is none."""
    secrets = (text or "").split()
    if not secrets:
        raise BadSettings(
            "receiving needs the webhook's secret: PARTNER_WEBHOOK_SECRET_FILE",
            "cần khóa bí mật của webhook: PARTNER_WEBHOOK_SECRET_FILE",
        )
    for secret in secrets:
        _key(secret)
    return secrets


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise BadSettings(
            "the webhook's secret is not as the city shows it: whsec_…",
            "khóa bí mật của webhook không đúng dạng whsec_…",
        ) from None


class Receiver:
    """The WSGI app; `open_client` makes a client for each message, mostly `from_environment`."""

    def __init__(
        self, open_client: Callable[[], Client], secrets: Sequence[str], now: Now = utc_now
    ) -> None:
        self._open = open_client
        self._secrets = secrets
        self._now = now

    def __call__(self, environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """204 once the message is on disk; the city sends it again after anything else."""
        start(self._answer(environ), [("Content-Length", "0")])
        return []

    def _answer(self, environ: Mapping[str, Any]) -> str:
        if environ["REQUEST_METHOD"] != "POST":
            return "405 Method Not Allowed"
        length = str(environ.get("CONTENT_LENGTH") or "")
        if not length.isdecimal():
            return "411 Length Required"
        if len(length) > len(str(LONGEST)) or int(length) > LONGEST:
            return "413 Content Too Large"
        body = environ["wsgi.input"].read(int(length))
        headers = {
            name: str(environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        }
        try:
            verify(self._secrets, headers, body, self._now)
            if not _is_trial(body):
                with self._open() as client:
                    client.receive(body)
        except NotSigned as refused:
            log.warning("a webhook was refused: %s", refused)
            return "401 Unauthorized"
        except (StoreTrouble, OSError) as trouble:
            log.warning("a webhook was not kept, it comes again: %s", trouble)
            return "503 Service Unavailable"
        return "204 No Content"


def _is_trial(body: bytes) -> bool:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("type") == TRIAL


class _Handler(WSGIRequestHandler):
    timeout = _SILENT

    def log_message(self, *_: object) -> None:
        """Nothing: what matters is said by the app."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def served(app: Receiver, host: str, port: int) -> Iterator[int]:
    """Serve it in threads of their own, in the clear: TLS ends before it; the port it got."""
    server = _Server((host, port), _Handler)
    server.set_app(app)
    threading.Thread(
        target=server.serve_forever, args=(0.1,), name="partner.webhook", daemon=True
    ).start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
