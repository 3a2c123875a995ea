"""A throw-away authority and a RabbitMQ that speaks TLS, with the very settings that we deploy.

Certificates are made by the openssl command, anew in each session. No test lives here.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.backends import Management
from tests.ports import free_port
from tests.servers.packages import install
from tests.servers.rabbit import Rabbit

DEPLOYED = Path(__file__).resolve().parent.parent / "deploy" / "rabbitmq"
NAME = "localhost"  # the only name in the broker's certificate: 127.0.0.1 is a wrong one


@dataclass(frozen=True)
class Pair:
    """A certificate, with what stands between it and the root, and its key; paths of PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A root that signs by an intermediate authority, as public ones do."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.root = folder / "root.pem"
        self._root_key = folder / "root.key"
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", f"/CN={name}", "-keyout", self._root_key, "-out", self.root,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
        )  # fmt: skip
        usage = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
        self._middle = self._sign(f"{name} 1", usage, 30, Pair(self.root, self._root_key))

    def server(self, name: str, *, days: int = 30) -> Pair:
        """A certificate of a server; `days` of -1 gives one that ended yesterday."""
        return self._sign(name, f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n", days)

    def client(self, name: str, *, days: int = 30) -> Pair:
        """A certificate that an agency shows."""
        return self._sign(name, "extendedKeyUsage=clientAuth\n", days)

    def _sign(self, name: str, extensions: str, days: int, by: Pair | None = None) -> Pair:
        above = by or self._middle
        stem = self.folder / f"{name.replace(' ', '-')}{'-ended' if days < 0 else ''}"
        made = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, more = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        more.write_text("authorityKeyIdentifier=keyid\n" + extensions)
        _openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", made.key, "-out", request,
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", request, "-CA", above.certificate, "-CAkey", above.key,
            "-CAcreateserial", "-days", str(days), "-extfile", more, "-out", made.certificate,
        )  # fmt: skip
        if by is None:
            made.certificate.write_text(
                made.certificate.read_text() + self._middle.certificate.read_text()
            )
        return made


def _openssl(*words: object) -> None:
    command = shutil.which("openssl")
    if command is None and install("openssl"):
        command = shutil.which("openssl")
    assert command is not None, "the openssl command is not installed"
    done = subprocess.run([command, *map(str, words)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class TlsBroker:
    """A node with the settings of deploy/rabbitmq and its management door; PLAIN over TCP too."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "city", "City authority")
        self.agencies = Authority(folder / "agencies", "Authority for agencies")
        self.stranger = Authority(folder / "stranger", "Authority that nobody knows")
        self.port = free_port()
        held = folder / "run"
        held.mkdir()
        own = self.authority.server(NAME)
        shutil.copy(own.certificate, held / "tls_certificate.pem")
        shutil.copy(own.key, held / "tls_key.pem")
        # The root alone: what signs stands with each agency's own certificate.
        shutil.copy(self.agencies.root, held / "tls_clients_ca.pem")
        for file in held.iterdir():
            file.chmod(0o644)
        self.node = Rabbit(
            folder / "rabbit", more=self._settings(held), plugins=["rabbitmq_auth_mechanism_ssl"]
        )

    def _settings(self, held: Path) -> list[str]:
        lines = [
            line
            for name in ("tls.conf", "client-certificates.conf")
            for line in (DEPLOYED / name).read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ]
        own = (DEPLOYED / "rabbitmq.conf").read_text(encoding="utf-8").splitlines()
        lines += [line for line in own if line.startswith("max_message_size")]
        door = "listeners.ssl.default = 5671"
        assert door in lines
        lines[lines.index(door)] = f"listeners.ssl.default = 127.0.0.1:{self.port}"
        return [line.replace("/run/lienthong", str(held)) for line in lines]

    @property
    def management(self) -> Management:
        return Management(self.node.management_url)

    def url(self, login: str = "guest:guest", *, host: str = NAME, vhost: str = "%2F") -> str:
        """The address by TLS."""
        return f"amqps://{login}@{host}:{self.port}/{vhost}".replace("//@", "//")

    def stop(self) -> None:
        self.node.stop()


@contextmanager
def open_tls_broker() -> Iterator[TlsBroker]:
    """A broker that answers, stopped again at the end."""
    # Not pytest's own folder: only its owner may enter it, and the node runs as another.
    with tempfile.TemporaryDirectory(prefix="lienthong-tls-") as folder:
        Path(folder).chmod(0o711)
        made = TlsBroker(Path(folder))
        try:
            made.node.ready()
            yield made
        finally:
            made.stop()


@contextmanager
def tls_door(own: Pair, after: bytes = b"") -> Iterator[int]:
    """A port that shows a certificate, says `after` and closes: as far as a bad one is looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line, contextlib.suppress(OSError):
                    with context.wrap_socket(line, server_side=True) as shown:
                        shown.sendall(after)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
