"""`lienthong mailsink`: a mail server that keeps every message as a file and sends none on.

Lives here: what the composed installation and demonstrations use in place of the city's own mail
server. Must not: relay anything.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import click


@click.command("mailsink")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8025, show_default=True, type=int)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(host: str, port: int, folder: Path) -> None:
    """Nhận thư và lưu thành tệp · Take every mail and keep it under FOLDER."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Mailbox

    folder.parent.mkdir(parents=True, exist_ok=True)
    mailbox: Any = Mailbox(folder)
    controller = Controller(mailbox, hostname=host, port=port)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    controller.start()
    click.echo(f"mail is kept under {folder}")
    stop.wait()
    controller.stop()
