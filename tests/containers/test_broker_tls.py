"""Agencies come in by TLS, by password or certificate, as docs/install.md says; on a real engine."""

from __future__ import annotations

import os
import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from partner import Client, Finding, PartnerError, Tls
from services.commands import certificates
from tests.containers.conftest import Installation
from tests.containers.page import block
from tests.ports import free_port
from tests.tls import NAME, Authority

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

AGENCY = "bhxh-cao-lanh"


@pytest.fixture(scope="module")
def city(town: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """The authority of the city, with the broker's certificate put in and TLS switched on."""
    made = Authority(tmp_path_factory.mktemp("authority") / "city", "City authority")
    own = made.server(NAME)
    (town.folder / "broker.pem").write_bytes(own.certificate.read_bytes())
    (town.folder / "broker.key").write_bytes(own.key.read_bytes())
    before = town.env["COMPOSE_FILE"]
    town.shell(block("Let agencies in by TLS", 0))
    town.env["LIENTHONG_BROKER_TLS_PORT"] = str(free_port())
    town.env["COMPOSE_FILE"] = _with(town, before, "tls")
    town.shell(block("Let agencies in by TLS", 1))
    yield made
    town.env["COMPOSE_FILE"] = before
    town.compose("up", "-d", "--wait", timeout=300)


def _with(town: Installation, files: str, *names: str) -> str:
    return os.pathsep.join(
        [files, *(f"{town.folder}/deploy/compose/{each}.yaml" for each in names)]
    )


def look(town: Installation, login: str, tls: Tls) -> list[Finding]:
    """What `python -m partner check` finds."""
    url = f"amqps://{login}{NAME}:{town.env['LIENTHONG_BROKER_TLS_PORT']}/%2F"
    with Client(AGENCY, store=":memory:", url=url, tls=tls) as client:
        return list(client.check())


def test_an_agency_comes_in_by_tls_with_its_password(town, city):
    password = town.secret(f"agencies/{AGENCY}")
    found = look(town, f"{AGENCY}:{password}@", Tls(str(city.root)))
    assert "TLSv1.3" in found[0].en
    assert f"signed in as the user {AGENCY}" in found[1].en
    with pytest.raises(PartnerError, match="--ca"):
        look(town, f"{AGENCY}:{password}@", Tls())
    town.smoke(dossiers=5)


def test_an_older_tls_is_not_spoken(town, city):
    context = ssl.create_default_context(cafile=str(city.root))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # of those who would use it in earnest
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    port = int(town.env["LIENTHONG_BROKER_TLS_PORT"])
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(line, server_hostname=NAME)


def test_an_agency_comes_in_by_its_certificate_alone(town, city):
    town.shell(block("Let agencies in by TLS", 2))
    signs = certificates.Authority.read(
        town.folder / "agencies-ca.pem", town.folder / "agencies-ca.key"
    )
    issued = signs.issue(AGENCY, town.folder / "own", datetime.now(UTC), days=365)
    own = Tls(str(city.root), *map(str, issued))
    before = town.env["COMPOSE_FILE"]
    with pytest.raises(PartnerError, match="takes no certificates"):
        look(town, "", own)
    try:
        town.env["COMPOSE_FILE"] = _with(town, before, "client-certificates")
        town.compose("up", "-d", "--wait", timeout=300)
        found = look(town, "", own)
        assert "signed in by your certificate" in found[1].en
        stranger = Authority(Path(city.folder).parent / "stranger", "Nobody").client(AGENCY)
        with pytest.raises(PartnerError, match="your certificate"):
            look(town, "", Tls(str(city.root), str(stranger.certificate), str(stranger.key)))
        password = town.secret(f"agencies/{AGENCY}")
        assert look(town, f"{AGENCY}:{password}@", Tls(str(city.root)))
    finally:
        town.env["COMPOSE_FILE"] = before
        town.compose("up", "-d", "--wait", timeout=300)
