"""A body over the limit is answered 413 in words, by the server and by the app alike."""

from __future__ import annotations

import http.client
import json

import pytest

from shared.web.security import MAX_BODY
from shared.web.server import WebServer, serving

_PATH = "/api/v1/notes"


def _post(server: WebServer, headers: dict[str, str], body: object) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        line.request("POST", _PATH, body, headers, encode_chunked="Content-Length" not in headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def _headers(tiny, **more: str) -> dict[str, str]:
    return {**tiny.bearer(), "Content-Type": "application/json", **more}


def _note(size: int) -> bytes:
    return json.dumps({"title": "a", "count": 1}).encode().ljust(size)


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_413_in_words(tiny, chunked):
    with serving(server := WebServer(tiny.app)):
        for size, wanted in ((MAX_BODY, 201), (MAX_BODY + 1, 413)):
            body = _note(size)
            headers = _headers(tiny)
            if not chunked:
                headers["Content-Length"] = str(size)
            sent = iter([body[: size // 2], body[size // 2 :]]) if chunked else body
            status, text = _post(server, headers, sent)
            assert status == wanted
    told = json.loads(text)
    assert told["code"] == "request_entity_too_large"
    assert "256 KiB" in told["detail"]


def test_what_is_far_too_large_is_refused_before_it_is_read(tiny):
    with serving(server := WebServer(tiny.app)):
        status, _ = _post(server, _headers(tiny, **{"Content-Length": str(5 * MAX_BODY)}), b"{")
    assert status == 413
