"""The pages by TLS, as docs/install.md says; on a real engine."""

from __future__ import annotations

import os
import socket
import ssl
import urllib.request
from collections.abc import Iterator

import pytest

from tests.containers.conftest import Installation
from tests.containers.page import block
from tests.tls import NAME, Authority

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]


@pytest.fixture
def city(town: Installation, tmp_path) -> Iterator[Authority]:
    """The authority of the city, with the proxy's certificate put in and TLS switched on."""
    made = Authority(tmp_path / "city", "City authority")
    own = made.server(NAME)
    (town.folder / "pages.pem").write_bytes(own.certificate.read_bytes())
    (town.folder / "pages.key").write_bytes(own.key.read_bytes())
    before = dict(town.env)
    town.shell(block("Put the pages on TLS", 0))
    overlay = f"{town.folder}/deploy/compose/https.yaml"
    town.env["COMPOSE_FILE"] = os.pathsep.join([before["COMPOSE_FILE"], overlay])
    address = f"https://{NAME}:{town.ports['INTAKE']}"
    town.env |= {"LIENTHONG_COOKIE_SECURE": "true", "LIENTHONG_PUBLIC_URL": address}
    town.shell(block("Put the pages on TLS", 1))
    yield made
    town.env = before
    town.compose("up", "-d", "--wait", timeout=300)


def test_the_pages_come_by_tls_alone_and_the_city_works_on(town, city):
    context = ssl.create_default_context(cafile=str(city.root))
    for door in ("INTAKE", "ROUTING", "NOTIFY"):
        url = f"https://{NAME}:{town.ports[door]}/dang-nhap"
        with urllib.request.urlopen(url, timeout=20, context=context) as answer:
            assert answer.headers["Strict-Transport-Security"]
            cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Host-")
            assert "Secure" in cookie
    with socket.create_connection(("127.0.0.1", town.ports["INTAKE"]), 20) as line:
        line.sendall(b"GET /dang-nhap HTTP/1.0\r\n\r\n")
        assert b" 400 " in line.recv(100)
    town.smoke(dossiers=5)
