"""The proxy that we ship, as a real nginx reads it, before a running city and slow callers."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulation.kit import RunningCity, run_city
from tests.ports import free_port
from tests.servers.packages import install
from tests.tls import NAME, Authority
from tests.web.test_connections import SLOW, TIMEOUT, _send, _until_open, dial, rest_of

DEPLOYED = Path(__file__).resolve().parents[2] / "deploy" / "proxy"
DOORS = {8080: "intake", 8081: "routing", 8082: "notify"}


@pytest.fixture(scope="module")
def nginx() -> str:
    if shutil.which("nginx") is None and not install("nginx-light"):
        pytest.skip("NOT RUN: there is no nginx here")
    return shutil.which("nginx") or "nginx"


@dataclass
class Proxy:
    """nginx with the files that are deployed; of them only ports and places are changed."""

    ports: Mapping[int, int]

    def url(self, door: int, path: str, scheme: str = "http") -> str:
        return f"{scheme}://{NAME}:{self.ports[door]}{path}"


@contextmanager
def running(nginx: str, folder: Path, behind: Mapping[str, str], doors: str) -> Iterator[Proxy]:
    """`behind` is where each service is; `doors` the file of the doors."""
    ports = {port: free_port() for door in DOORS for port in (door, door + 1000)}
    for name, target in (("nginx.conf",) * 2, (doors, "doors.conf"), ("door.conf",) * 2):
        text = (DEPLOYED / name).read_text(encoding="utf-8").replace("/tmp/", f"{folder}/")
        for port, service in DOORS.items():
            text = text.replace(f"http://{service}-web:{port};", f"{behind[service]};")
        for port, free in ports.items():
            text = text.replace(f"listen {port} ", f"listen {free} ")
        text = text.replace("/etc/lienthong/", f"{folder}/")
        text = text.replace("/run/lienthong/", f"{folder}/")
        (folder / target).write_text(text, encoding="utf-8")
    file = str(folder / "nginx.conf")
    command = [nginx, "-e", "stderr", "-p", str(folder), "-c", file, "-g", "daemon off;"]
    read = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    process = subprocess.Popen(command)
    try:
        for port in ports.values():
            _until_open(port)
        yield Proxy(ports)
    finally:
        process.terminate()
        process.wait(TIMEOUT)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCity]:
    folder = tmp_path_factory.mktemp("city")
    env = {"LIENTHONG_PROXY_HOPS": "1"}
    with run_city(folder, options=["--autopilot", "--delay", "0"], env=env) as made:
        yield made


@pytest.fixture(scope="module")
def proxy(
    nginx: str, city: RunningCity, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    with running(nginx, folder, city.urls, "doors.conf") as made:
        yield made


def ask(url: str, headers: Mapping[str, str] = {}, **more: Any) -> Any:
    request = urllib.request.Request(url, headers=dict(headers))
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT, **more)
    except urllib.error.HTTPError as refused:
        return refused


def test_pages_come_whole_and_files_are_compressed_and_kept(proxy: Proxy) -> None:
    page = ask(proxy.url(8080, "/tra-cuu"), {"Accept-Encoding": "gzip"})
    assert page.status == 200
    assert page.headers["Content-Encoding"] is None, "the length of a page would tell its secrets"
    text = page.read().decode()
    sheet = re.search(r'href="(/lienthong/pico[^"]+)"', text)
    assert sheet
    style = ask(proxy.url(8080, sheet[1]), {"Accept-Encoding": "gzip"})
    assert style.headers["Content-Encoding"] == "gzip"
    assert "max-age=31536000" in style.headers["Cache-Control"]
    assert b"pico" in gzip.decompress(style.read()).lower()
    assert ask(proxy.url(8081, "/dang-nhap")).status == 200
    assert ask(proxy.url(8082, "/dang-nhap")).status == 200
    assert "nginx/" not in str(page.headers)


@pytest.mark.parametrize("door", [8080, 9080])
def test_500_slow_and_silent_callers_do_not_keep_others_out(proxy: Proxy, door: int) -> None:
    with ExitStack() as held:
        for n in range(500):
            _send(held.enter_context(dial(proxy.ports[door])), SLOW[n % 3])
        for _ in range(5):
            assert ask(proxy.url(door, "/tra-cuu")).status in (200, 429)
            # Who comes from elsewhere is not counted with them.
            assert _from_elsewhere(proxy.ports[door]).startswith(b"HTTP/1.1 200")


def _from_elsewhere(port: int) -> bytes:
    with socket.socket() as line:
        line.settimeout(TIMEOUT)
        line.bind(("127.0.0.3", 0))
        line.connect(("127.0.0.1", port))
        line.sendall(b"GET /tra-cuu HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return rest_of(line)


def test_an_unfinished_request_never_reaches_the_door(nginx: str, tmp_path: Path) -> None:
    """The reason for all this: gunicorn's eight threads read for themselves."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.5)
        where = f"http://127.0.0.1:{door.getsockname()[1]}"
        with running(nginx, tmp_path, dict.fromkeys(DOORS.values(), where), "doors.conf") as proxy:
            with dial(proxy.ports[8080]) as line:
                line.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
                with pytest.raises(TimeoutError):
                    door.accept()
                line.sendall(b"cd")
                door.settimeout(TIMEOUT)
                heard, _ = door.accept()
                with heard:
                    assert heard.recv(65536)


def test_what_is_too_large_is_refused_before_it_is_read(proxy: Proxy) -> None:
    for head in (b"Content-Length: 3000000\r\n\r\n", b"X: " + b"x" * 40_000 + b"\r\n\r\n"):
        with dial(proxy.ports[8080]) as line:
            _send(line, b"POST /tra-cuu HTTP/1.1\r\nHost: a\r\n" + head)
            assert rest_of(line).split(b" ")[1] in (b"413", b"400")


def test_files_of_the_desk_may_be_larger_and_have_an_end_too(proxy: Proxy) -> None:
    head = b"POST /ho-so/nhap-tep HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    with dial(proxy.ports[8080]) as line:
        line.sendall(head % 12_000_000)
        assert rest_of(line).split(b" ")[1] == b"413"
    with dial(proxy.ports[8080]) as line:
        line.sendall(head % 9_000_000)
        line.settimeout(1)
        with pytest.raises(TimeoutError):  # it waits for the file
            line.recv(1)


def test_two_lengths_are_refused_and_the_line_is_closed(proxy: Proxy) -> None:
    with dial(proxy.ports[8080]) as line:
        line.sendall(
            b"POST /tra-cuu HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        assert rest_of(line).count(b"HTTP/1.1 ") == 1


def test_a_door_that_is_away_is_told_in_the_callers_form(nginx: str, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with running(nginx, tmp_path, dict.fromkeys(DOORS.values(), nobody), "doors.conf") as proxy:
        page = ask(proxy.url(8080, "/ho-so"))
        assert page.status == 503
        assert page.headers["Retry-After"] == "5"
        assert "tạm thời gián đoạn" in page.read().decode()
        problem = ask(proxy.url(8080, "/api/v1/dossiers"))
        assert problem.headers["Content-Type"] == "application/problem+json"
        assert json.loads(problem.read())["status"] == problem.status == 503


def test_by_tls_browsers_are_told_to_stay_with_it_and_old_ones_are_refused(
    nginx: str, city: RunningCity, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca", "City authority")
    own = authority.server(NAME)
    (tmp_path / "tls_certificate.pem").write_bytes(own.certificate.read_bytes())
    (tmp_path / "tls_key.pem").write_bytes(own.key.read_bytes())
    context = ssl.create_default_context(cafile=str(authority.root))
    with running(nginx, tmp_path, city.urls, "https.conf") as proxy:
        for door in DOORS:
            answer = ask(proxy.url(door, "/dang-nhap", "https"), context=context)
            assert answer.status == 200
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            assert ask(proxy.url(door, "/dang-nhap")).status == 400  # in the clear
        assert ask(proxy.url(9080, "/dang-nhap")).status == 200  # for the check, never published
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):  # of those who would use it in earnest
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with dial(proxy.ports[8080]) as line, pytest.raises(ssl.SSLError):
            context.wrap_socket(line, server_hostname=NAME)
