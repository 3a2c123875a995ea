"""Run in a tree with the provider of docs/changing.md: a text leaves by it, and again when it was busy."""

from __future__ import annotations

import json
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from simulation.kit import open_city

came: list[dict[str, Any]] = []


class Gateway(BaseHTTPRequestHandler):
    """Busy at the first text, then willing."""

    def do_POST(self) -> None:
        came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(503 if len(came) == 1 else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def try_it(folder: Path, url: str) -> None:
    with open_city(folder, channel_sms="gateway", sms_url=url) as city:
        code = city.desk("ubnd-phuong-1").submit("1.004194").code
        city.rest()
        by_sms = {"dossier": code, "channel": "sms"}
        (waiting,) = city.operator().messages(**by_sms)
        assert waiting["state"] == "failed", waiting
        city.advance(timedelta(minutes=5))
        (sent,) = city.operator().messages(**by_sms)
        assert sent["state"] == "sent", sent
    assert [text["id"] for text in came] == [sent["id"]] * 2, "the same text, told apart by its id"
    assert came[1]["to"] == "+84907100001"
    assert code in came[1]["text"]


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try_it(Path(sys.argv[1]), f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
