"""A mail server of the tests' own; no test lives here."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller

from tests.ports import free_port


class Inbox:
    """A mail server that answers as the recipient's name says."""

    def __init__(self) -> None:
        self.envelopes: list[tuple[str, bytes]] = []
        self.connections = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if address.startswith("full"):
            return "452 mailbox full, come back later"
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        to = envelope.rcpt_tos[0]
        if to.startswith("spam"):
            return "554 not wanted"
        if to.startswith("silent"):
            server.transport.close()
            return "250 never heard"
        self.envelopes.append((to, envelope.content))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[tuple[Inbox, int]]:
    """A server on a free port and what it took."""
    handler = Inbox()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()
