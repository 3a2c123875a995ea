"""The files that hold an installation's secrets: which there are, drawn once, saved and restored.

Lives here: the folder, one sub-folder per reader (each a volume that only its reader mounts).
Must not: use them (secrets.py does) or print them.
"""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

from services.routing.domain import signing
from shared.catalogue import Catalogue
from shared.database.keyring import drawn
from shared.identity.keys import draw
from shared.kernel.errors import LienThongError
from shared.settings import SERVICES

READ_BY_ITS_MOUNT: Final = 0o444  # each folder is a volume of its own: who mounts it may read it
OPERATOR: Final = "operator"  # the broker's administrator
SMOKE: Final = PurePosixPath("smoke/smoke.json")
# Hashes of the passwords that agencies had before anything was wished of their queues.
QUEUES: Final = PurePosixPath("rabbitmq/agencies.json")
MANAGEMENT_PORT: Final = 15672
DEFINITIONS: Final = PurePosixPath("rabbitmq/definitions.json")
MANAGEMENT: Final = f"{OPERATOR}/management_url"
# Where a kind of key opens the doors.
DOORS: Final[Mapping[str, str]] = {"desk": "intake", "agency": "routing", "operator": "notify"}
MAILSINK: Final = "smtp://mailsink:8025?starttls=no"
# What is never drawn, but may be put in: files in PEM form, and what must stand in each.
PEM: Final[Mapping[str, str]] = {
    "rabbitmq/tls_certificate.pem": "CERTIFICATE",
    "rabbitmq/tls_key.pem": "PRIVATE KEY",
    "rabbitmq/tls_clients_ca.pem": "CERTIFICATE",
    "proxy/tls_certificate.pem": "CERTIFICATE",
    "proxy/tls_key.pem": "PRIVATE KEY",
}
# Nor these: lines that a provider gives, and whole files.
GIVEN: Final = frozenset({"notify/smpp_url", "notify/smpp_url_2", "notify/smtp_url_2"})
WHOLE: Final = frozenset(
    f"notify/sms_http{which}" for which in (".yaml", "_secrets", "_2.yaml", "_2_secrets")
)
FOLDERS: Final = (
    "postgres",
    "postgres-init",
    "rabbitmq",
    *SERVICES,
    "agencies",
    "operator",
    "smoke",
    "proxy",
)


class NoSuchSecret(LienThongError):
    """There is no secret of this name here."""

    default_vi = "Không có bí mật tên này."


class SecretFiles:
    """The secrets under one folder; what is there is never drawn again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- drawing --------------------------------------------------------------------------------

    def make(self, catalogue: Catalogue, *, postgres: str, rabbitmq: str, smtp: str) -> int:
        """Draw what is missing; the number of agencies that have a broker user."""
        agencies = [each.code for each in catalogue.every_agency() if each.reach == "amqp"]
        brokers = {name: self.drawn(f"{name}/amqp_password") for name in SERVICES}
        brokers |= {code: self.drawn(f"agencies/{code}") for code in agencies}
        self.drawn("postgres/password")
        # The services stand at one address and must believe each other's sign-ins.
        shared = self.drawn(f"{SERVICES[0]}/secret_key")
        for name in SERVICES:
            self._service(name, postgres, rabbitmq, brokers[name])
            self.write(f"{name}/secret_key", shared)
            self.once(f"{name}/privacy_keys", drawn().text())
        self.once("routing/evidence_key", signing.draw())
        self.once("notify/smtp_url", smtp)
        for name in sorted(GIVEN | WHOLE):
            self.once(name, "")  # read where a setting chooses it, and given by nobody yet
        self._databases()
        self._smoke(catalogue, brokers)
        # Made anew each time: a catalogue with one agency more needs one broker user more.
        self._definitions(catalogue, brokers, agencies)
        password = self.drawn(f"{OPERATOR}/{OPERATOR}_password")
        host = rabbitmq.rpartition(":")[0] or rabbitmq
        self.write(MANAGEMENT, f"http://{OPERATOR}:{password}@{host}:{MANAGEMENT_PORT}")
        return len(agencies)

    def _service(self, name: str, postgres: str, rabbitmq: str, broker: str) -> None:
        password = self.drawn(f"{name}/database_password")
        database = f"postgresql+psycopg://{name}:{password}@{postgres}/{name}"
        self.write(f"{name}/database_url", database)
        self.write(f"{name}/amqp_url", f"amqp://{name}:{broker}@{rabbitmq}//")

    def _databases(self) -> None:
        """SQL for the first start of the database server: a role and a database per service."""
        lines = []
        for name in SERVICES:
            password = self.drawn(f"{name}/database_password")
            lines += [
                f"CREATE ROLE {name} LOGIN PASSWORD '{password}';",
                f"CREATE DATABASE {name} OWNER {name};",
                f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;",
            ]
        lines.append("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;")
        self.write("postgres-init/10-lienthong.sql", "\n".join(lines) + "\n")

    def _smoke(self, catalogue: Catalogue, brokers: Mapping[str, str]) -> None:
        """All that the smoke run may use: keys and passwords of what only checks, nothing else."""
        checks = [agency for agency in catalogue.every_agency() if agency.check]
        wanted = {
            "desk": [agency.code for agency in checks if agency.is_office],
            "agency": [agency.code for agency in checks if not agency.is_office],
            "operator": ["smoke"],
        }
        before = self.smoke_keys()
        keys = {
            kind: {code: before.get(kind, {}).get(code) or draw() for code in codes}
            for kind, codes in wanted.items()
        }
        broker = {code: brokers[code] for code in wanted["agency"] if code in brokers}
        self.write(str(SMOKE), json.dumps({"keys": keys, "broker": broker}, indent=1))

    def _definitions(
        self, catalogue: Catalogue, brokers: Mapping[str, str], agencies: Sequence[str]
    ) -> None:
        """Without the agencies: a broker that starts must not bring back who was withdrawn."""
        from deploy.rabbitmq.make import VHOST, definitions
        from services.routing.domain.queue import password_hash

        hashes = {code: password_hash(brokers[code]) for code in agencies}
        self.write(str(QUEUES), json.dumps(hashes, indent=1))
        services = {name: brokers[name] for name in SERVICES}
        made = definitions(catalogue, services, with_agencies=False)
        made["users"].append(
            {
                "name": OPERATOR,
                "password_hash": password_hash(self.drawn(f"operator/{OPERATOR}_password")),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                # It may hand on what others have sent: deploy/rabbitmq/dead_letters.py.
                "tags": ["administrator", "impersonator"],
            }
        )
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        made["permissions"].append({"vhost": VHOST, "user": OPERATOR, **everything})
        self.write(str(DEFINITIONS), json.dumps(made, indent=1))

    # --- using ----------------------------------------------------------------------------------

    def smoke_keys(self) -> dict[str, dict[str, str]]:
        """The API keys of the smoke run by kind and code; empty where none were drawn."""
        file = self.folder / SMOKE
        if not file.is_file():
            return {}
        keys: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))["keys"]
        return keys

    def names(self) -> list[str]:
        """Every secret there is, as `folder/name`."""
        return sorted(
            file.relative_to(self.folder).as_posix()
            for name in FOLDERS
            for file in (self.folder / name).glob("[!.]*")
            if file.is_file()
        )

    def read(self, name: str) -> str:
        """One secret; NoSuchSecret names those there are of its folder."""
        if name not in self.names():
            top = name.split("/", maxsplit=1)[0]
            there = [each for each in self.names() if each.startswith(f"{top}/")] or self.names()
            raise NoSuchSecret(
                f"there is no {name}; there are: {', '.join(there)}",
                vi=f"Không có {name}; hiện có: {', '.join(there)}.",
            )
        return (self.folder / name).read_text(encoding="utf-8")

    def forget(self, name: str) -> None:
        """Let a secret be drawn anew by the next `make`."""
        self.read(name)
        (self.folder / name).unlink()

    def drawn(self, name: str) -> str:
        """The secret of this name, drawn if there is none."""
        return self.once(name, secrets.token_urlsafe(24))

    def once(self, name: str, text: str) -> str:
        """The secret of this name, `text` if there is none."""
        if not (self.folder / name).exists():
            self.write(name, text)
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Put a secret into its file, whole or not at all."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = file.with_name(f".{file.name}.new")
        whole.unlink(missing_ok=True)  # of a run that was killed; it may be read-only
        whole.write_text(text, encoding="utf-8")
        whole.chmod(READ_BY_ITS_MOUNT)
        whole.replace(file)

    # --- backup ---------------------------------------------------------------------------------

    def save(self, out: BinaryIO) -> int:
        """Write every secret into a tar archive; how many."""
        names = self.names()
        with tarfile.open(fileobj=out, mode="w|") as archive:
            for name in names:
                body = (self.folder / name).read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(body), 0o400
                archive.addfile(entry, io.BytesIO(body))
        return len(names)

    def restore(self, source: BinaryIO) -> int:
        """Put back what `save` wrote, over what is there; how many."""
        count = 0
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for entry in archive:
                self._restore_one(entry, archive.extractfile(entry))
                count += 1
        return count

    def _restore_one(self, entry: tarfile.TarInfo, body: Any) -> None:
        parts = PurePosixPath(entry.name).parts
        if body is None or len(parts) != 2 or parts[0] not in FOLDERS or parts[1].startswith("."):
            raise NoSuchSecret(f"the archive holds {entry.name}, which is no secret of ours")
        self.write(entry.name, body.read().decode("utf-8"))
