"""`lienthong mailsink`: every mail becomes a file, and none leaves the house."""

from __future__ import annotations

import mailbox
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sink(tmp_path) -> Iterator[tuple[int, Path, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    folder = tmp_path / "there" / "mail"
    command = [sys.executable, "-m", "services", "mailsink", "--port", str(port), str(folder)]
    process = subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert str(folder) in process.stdout.readline()
    yield port, folder, process
    process.kill()
    process.wait()


def test_a_mail_is_kept_as_it_was_sent(sink):
    port, folder, _ = sink
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "Hẹn trả kết quả"
    mail.set_content("Kính gửi Ông/Bà\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        server.send_message(mail)
    [kept] = list(mailbox.Maildir(folder, create=False))
    assert "Kính gửi" in kept.get_payload(decode=True).decode()
    assert kept["To"] == "b@example.com"


def test_it_leaves_politely_when_told(sink):
    _, _, process = sink
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - begun < 10
