"""compose.yaml and the Dockerfile keep their promises; this needs no engine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from shared.events.envelope import MAX_BYTES
from shared.events.names import READINGS
from shared.settings import Settings
from shared.web.security import MAX_BODY

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
LASTING = [
    *(f"{name}-{part}" for name in ("intake", "routing", "notify") for part in ("web", "work")),
    "routing-webhooks",
    "routing-queues",
]
ONE_SHOT = ["secrets", "migrate"]
TOOLS = ["smoke", "lienthong"]
OURS = [*LASTING, "mailsink", *ONE_SHOT, *TOOLS]


def test_every_service_of_the_file_is_known_here():
    assert set(SERVICES) == {*OURS, "postgres", "rabbitmq", "proxy"}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_locked_down(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "user" not in service, "the image's own user, which is not root"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", [*LASTING, "mailsink", "postgres", "rabbitmq", "proxy"])
def test_what_should_last_comes_back_and_is_looked_after(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["healthcheck"]["start_period"]
    assert "start_interval" not in service["healthcheck"], "older engines refuse it"
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", [*ONE_SHOT, *TOOLS])
def test_what_runs_once_is_not_started_again(name):
    assert SERVICES[name]["restart"] == "no"


@pytest.mark.parametrize("name", LASTING)
def test_services_wait_for_the_migration_the_database_and_the_broker(name):
    assert SERVICES[name]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "postgres": {"condition": "service_healthy"},
        "rabbitmq": {"condition": "service_healthy"},
    }


def test_one_limit_of_size_holds_at_the_doors_the_broker_and_the_readers():
    conf = (PROJECT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text(encoding="utf-8")
    [broker] = re.findall(r"^max_message_size = (\d+)$", conf, re.MULTILINE)
    assert int(broker) == MAX_BYTES == MAX_BODY


@pytest.mark.parametrize("service", ["intake", "routing", "notify"])
def test_the_largest_window_fits_into_a_quarter_of_the_memory(service):
    """All that the broker may hand to one process before anything is acknowledged."""
    worker = SERVICES[f"{service}-work"]
    settings = Settings.load(service, _sizes(worker))
    queues = [reading for reading in READINGS if reading.service == service]
    window = max(settings.prefetch, settings.consumer_batch) * MAX_BYTES * len(queues)
    assert window <= _bytes(worker["mem_limit"]) / 4


def _sizes(service):
    named = service.get("environment", {})
    return {name: each for name, each in named.items() if name.endswith(("PREFETCH", "BATCH"))}


def _bytes(limit):
    return int(limit[:-1]) * {"m": 1024**2, "g": 1024**3}[limit[-1]]


def test_tools_are_started_only_when_asked():
    assert [name for name, each in SERVICES.items() if each.get("profiles")] == TOOLS


def test_no_password_or_key_is_written_down_anywhere():
    for name, service in SERVICES.items():
        for key, value in (service.get("environment") or {}).items():
            if re.search("PASS|SECRET|_URL|KEY", key):
                if key.endswith(("_PUBLIC_URL", "_LOOKUP_URL")) or key.startswith("LIENTHONG_KEY_"):
                    continue  # addresses of our own doors, and limits of keys
                named = ("_FILE", "LIENTHONG_SMOKE_KEYS", "_PRIVACY_KEYS")  # which are files
                assert key.endswith(named), f"{name}: {key}"
                assert value.startswith(("/secrets/", "/run/lienthong/")), f"{name}: {key}"
    text = (PROJECT / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"://[^/\s:]+:[^/\s]+@", text)
    assert "guest" not in text


def _mounts(service: str) -> dict[str, str]:
    """Volume -> access of one service."""
    found = {}
    for each in SERVICES[service].get("volumes", []):
        if isinstance(each, dict):
            found[each["source"]] = "ro" if each["read_only"] else "rw"
        else:
            source, _, rest = each.partition(":")
            found[source] = "ro" if rest.endswith(":ro") else "rw"
    return found


def test_each_secret_is_mounted_by_its_readers_alone_and_written_by_one():
    readers: dict[str, set[str]] = {}
    for name in SERVICES:
        for volume, access in _mounts(name).items():
            if volume.startswith("secrets-"):
                readers.setdefault(volume, set()).add(name)
                assert access == ("rw" if name == "secrets" else "ro")
    operators = {"secrets", "migrate", "lienthong"}
    for service in ("intake", "routing", "notify"):
        own = {name for name in LASTING if name.startswith(f"{service}-")}
        assert readers[f"secrets-{service}"] == operators | own
    assert readers["secrets-agencies"] == {"secrets"}
    assert readers["secrets-operator"] == {"secrets", "migrate", "routing-queues"}
    assert readers["secrets-smoke"] == {"secrets", "migrate", "smoke"}
    assert readers["secrets-proxy"] == {"secrets", "proxy"}
    assert readers["secrets-postgres"] == {"secrets", "postgres"}
    assert readers["secrets-postgres-init"] == {"secrets", "postgres"}
    assert readers["secrets-rabbitmq"] == {"secrets", "migrate", "rabbitmq"}


def test_the_database_cannot_be_reached_from_outside():
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["back"]
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["smoke"]["networks"] == ["front", "doors"]


@pytest.mark.parametrize("name", [each for each in LASTING if each.endswith("-web")])
def test_only_the_proxy_reaches_a_door_and_it_is_locked_down_as_we_are(name):
    assert COMPOSE["networks"]["doors"] == {"internal": True}
    assert SERVICES[name]["networks"] == ["back", "doors"]
    assert "ports" not in SERVICES[name]
    proxy = SERVICES["proxy"]
    assert proxy["networks"] == ["front", "doors"]
    assert proxy["read_only"] is True
    assert proxy["cap_drop"] == ["ALL"]
    assert not proxy["user"].startswith("0")
    assert [each for each in SERVICES if "doors" in SERVICES[each].get("networks", [])] == [
        *(door for door in LASTING if door.endswith("-web")),
        "proxy",
        "smoke",
    ]


def test_doors_are_opened_to_this_machine_alone_unless_somebody_says_otherwise():
    opened = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(opened) == 5
    at_home = (
        "${LIENTHONG_BIND:-127.0.0.1}:",
        "${LIENTHONG_BROKER_BIND:-127.0.0.1}:",
        "127.0.0.1:",
    )
    assert all(port.startswith(at_home) for port in opened)


def test_the_broker_is_opened_to_the_city_by_tls_alone():
    """Who opens the doors by LIENTHONG_BIND does not open the one in the clear."""
    clear = [port for port in SERVICES["rabbitmq"]["ports"] if port.endswith(":5672")]
    assert [port.partition("}")[0] for port in clear] == ["${LIENTHONG_BROKER_BIND:-127.0.0.1"]
    [tls] = _override("tls")["ports"]
    assert tls == "${LIENTHONG_BIND:-127.0.0.1}:${LIENTHONG_BROKER_TLS_PORT:-5671}:5671"


def _override(name: str) -> dict:
    made = yaml.safe_load((PROJECT / f"deploy/compose/{name}.yaml").read_text(encoding="utf-8"))
    [of] = made["services"]
    assert of == ("proxy" if name == "https" else "rabbitmq")
    return made["services"][of]


@pytest.mark.parametrize("name", ["tls", "client-certificates", "https"])
def test_what_is_added_for_tls_mounts_files_that_there_are_to_read_alone(name):
    for volume in _override(name)["volumes"]:
        source, _, access = volume.split(":")
        assert access == "ro"
        assert (PROJECT / source).is_file()


def test_the_settings_for_tls_read_what_can_be_put_in():
    from services.commands.secret_files import PEM

    read = set()
    for name in ("tls.conf", "client-certificates.conf"):
        text = (PROJECT / "deploy" / "rabbitmq" / name).read_text(encoding="utf-8")
        found = re.findall(r"= /run/lienthong/(\S+)$", text, re.MULTILINE)
        read |= {f"rabbitmq/{each}" for each in found}
    text = (PROJECT / "deploy" / "proxy" / "https.conf").read_text(encoding="utf-8")
    read |= {f"proxy/{each}" for each in re.findall(r" /run/lienthong/(\S+);$", text, re.MULTILINE)}
    assert read == set(PEM)


def test_one_image_is_built_once_and_nobody_looks_for_it_elsewhere():
    assert [name for name, service in SERVICES.items() if "build" in service] == ["secrets"]
    for name in OURS:
        assert SERVICES[name]["image"] == "${LIENTHONG_IMAGE:-lienthong:latest}"
        assert SERVICES[name]["pull_policy"] == ("missing" if name == "secrets" else "never")


def test_a_client_of_docker_can_read_the_file():
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("there is no docker client here")
    added = ("tls", "client-certificates", "https")
    files = ("compose.yaml", *(f"deploy/compose/{name}.yaml" for name in added))
    command = [docker, "compose", *(word for file in files for word in ("-f", str(PROJECT / file)))]
    if subprocess.run([*command, "version"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this docker client has no compose")
    done = subprocess.run([*command, "config", "-q"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_image_ends_as_nobody_in_particular_and_installs_by_hash():
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes" in text
    assert "--network" not in text
    assert "# syntax" not in text


def test_the_image_is_made_of_nothing_but_what_it_needs():
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = re.findall(
        r"^COPY (?!--from)(\S+) ", (PROJECT / "Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == set(copied)


# --- the health check -----------------------------------------------------------------------------


def _script():
    spec = importlib.util.spec_from_file_location("ready", PROJECT / "deploy/compose/ready.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _answering(answers: dict[bytes, bytes]) -> Iterator[int]:
    """A port that says what it is told to say to a request (or at once, to b"")."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    if b"" in answers:
                        line.sendall(answers[b""])
                        line.recv(100)
                    else:
                        path = line.recv(1000).split(b" ")[1]
                        line.sendall(answers[path])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


OK, AWAY = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 503 Service Unavailable\r\n\r\n"


@pytest.mark.parametrize(
    ("readyz", "healthz", "good", "ended"),
    [(OK, OK, True, False), (AWAY, OK, False, False), (AWAY, AWAY, False, True)],
    ids=["ready", "waiting for a server", "stuck"],
)
def test_a_process_is_ended_only_where_nothing_but_a_restart_helps(
    monkeypatch, readyz, healthz, good, ended
):
    script = _script()
    killed = []
    monkeypatch.setattr(script.os, "kill", lambda *what: killed.append(what))
    with _answering({b"/readyz": readyz, b"/healthz": healthz}) as port:
        assert script.ready(port) is good
    assert bool(killed) is ended


def test_a_mail_server_is_ready_when_it_greets():
    script = _script()
    with _answering({b"": b"220 here\r\n"}) as port:
        assert script.greets(port)
    with _answering({b"": b"421 not now\r\n"}) as port:
        assert not script.greets(port)


def test_a_door_that_nobody_opens_is_not_ready(monkeypatch):
    script = _script()
    monkeypatch.setattr(script.os, "kill", os.abort)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not script.ready(port)
    assert not script.greets(port)


# --- the page ---------------------------------------------------------------------------------------


def test_every_block_of_the_page_is_typed_by_a_test_on_the_engine():
    from tests.containers.page import blocks

    folder = PROJECT / "tests" / "containers"
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("test_*.py"))
    typed = set(re.findall(r'block\("([^"]+)"(?:, (\d))?\)', source))
    there = {(name, i) for name, found in blocks().items() for i in range(len(found))}
    assert {(name, int(number or 0)) for name, number in typed} == there


def test_the_page_names_every_setting_of_the_file():
    page = (PROJECT / "docs" / "install.md").read_text(encoding="utf-8")
    files = (PROJECT / "compose.yaml", *(PROJECT / "deploy" / "compose").glob("*.yaml"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    for name in set(re.findall(r"\$\{(\w+)", text)) - {"LIENTHONG_IMAGE"}:
        assert f"`{name}`" in page, name
