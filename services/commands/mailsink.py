"""`lienthong mailsink`: a mail server that keeps every message as a file and sends none on.

Lives here: what the composed installation and demonstrations use in place of the city's own mail
server. Must not: relay anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shared.messaging.loops.signals import told_to_stop


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
    with told_to_stop() as wait:
        controller.start()
        click.echo(f"mail is kept under {folder}")
        wait(None)
        controller.stop()
