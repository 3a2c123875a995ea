"""RabbitMQ's definitions, made from the contract and the city's agencies.

    python deploy/rabbitmq/make.py                            writes definitions.json beside this file
    python deploy/rabbitmq/make.py --passwords DIR --out FILE the same with passwords, for a broker

The committed file holds no usable password: its users can log in by certificate alone. A password
is read from DIR/<user>, or from LIENTHONG_BROKER_PASSWORD_<USER>; only its salted hash is written.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

PROJECT = Path(__file__).resolve().parent.parent.parent
COMMITTED = Path(__file__).resolve().with_name("definitions.json")
sys.path.insert(0, str(PROJECT))

from services.routing.delivery.rights import (  # noqa: E402 - run by path, from any folder
    LIMITS,
    NOTHING,
    permission,
    topic_permission,
)
from services.routing.domain.queue import password_hash  # noqa: E402 - the same
from shared.events import names  # noqa: E402 - the same

VHOST = "/"
SERVICES = ("intake", "routing", "notify")
DELIVERY_LIMIT = 20  # 3.10 redelivers for ever, 4.x drops after 20: the limit is always set
NO_LIMIT = 1_000_000_000  # behind a dead letter there is nothing: 4.x must not drop it after 20
PRIORITY = 20  # above that of policies under names of former versions, which an import leaves
FACTS_LENGTH = 1_000_000
AGENCY_LENGTH = 100_000
# What one user may open at the broker: a service has six connections in each of its processes;
# nobody keeps the others out by opening more and more.
SERVICE_LIMITS = {"max-connections": 200, "max-channels": 400}
ANYTHING = ".*"

# What each service publishes, by exchange: the keys it may use. Rights follow from this table.
WRITES: Mapping[str, Mapping[str, str]] = {
    "intake": {
        names.DOSSIER_FACTS: r"^intake\.[a-z_]+\.[a-z_]+$",
        names.CITIZEN_CONTACTS: r"^intake\.[a-z_]+\.[a-z_]+$",
    },
    "routing": {
        names.DOSSIER_FACTS: r"^(routing|steps)\.[a-z_]+\.[a-z_]+$",
        names.CITIZEN_CONTACTS: r"^routing\.[a-z_]+\.[a-z_]+$",
        names.AGENCY_TASKS: ANYTHING,
    },
    "notify": {names.DOSSIER_FACTS: r"^notify\.[a-z_]+\.[a-z_]+$"},
}


class Agencies(Protocol):
    """What is asked of the catalogue."""

    def agency_codes(self) -> Iterable[str]: ...

    def agency(self, code: str) -> Any: ...


def definitions(
    catalogue: Agencies,
    passwords: Mapping[str, str] | None = None,
    *,
    vhost: str = VHOST,
    with_agencies: bool = True,
) -> dict[str, Any]:
    """All that a broker of this city holds, as its management door takes it.

    An agency that the catalogue reaches by `web` has nothing there; without `with_agencies` none
    has: then who manages the broker makes them by routing's rows (`lienthong agency carry`). `passwords` maps a user's name to the password; a user without one cannot log in by password.
    """
    known = dict(passwords or {})
    codes = sorted(catalogue.agency_codes())
    by_queue = [code for code in codes if with_agencies and catalogue.agency(code).reach == "amqp"]
    users = [*SERVICES, *by_queue]
    if strangers := sorted(set(known) - set(users)):
        raise ValueError(f"passwords for users that there are not: {', '.join(strangers)}")
    rights = [*(_service_rights(each) for each in SERVICES), *map(permission, by_queue)]
    topics = [row for each in SERVICES for row in _service_topics(each)]
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            *(_user(each, known.get(each), SERVICE_LIMITS) for each in SERVICES),
            *(_user(each, known.get(each), LIMITS) for each in by_queue),
        ],
        "permissions": _in(vhost, rights),
        "topic_permissions": _in(vhost, [*topics, *map(topic_permission, by_queue)]),
        "exchanges": _in(vhost, _exchanges()),
        "queues": _in(vhost, map(_queue, [*_service_queues(), *map(names.agency_queue, by_queue)])),
        "bindings": _in(vhost, _bindings(by_queue)),
        "policies": _in(vhost, _policies()),
    }


def _in(vhost: str, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"vhost": vhost, **row} for row in rows]


def _user(name: str, password: str | None, limits: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": "" if password is None else password_hash(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
        "limits": dict(limits),
    }


# --- what there is ---------------------------------------------------------------------------


def _exchanges() -> list[dict[str, Any]]:
    fixed = {"durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    return [{"name": name, "type": kind, **fixed} for name, kind in names.EXCHANGE_KINDS.items()]


def _service_queues() -> list[str]:
    return [*(reading.queue for reading in names.READINGS), *map(names.dead_letters, SERVICES)]


def _queue(name: str) -> dict[str, Any]:
    """The type and nothing more: whatever may change later is a policy."""
    quorum = {"x-queue-type": "quorum"}
    return {"name": name, "durable": True, "auto_delete": False, "arguments": quorum}


def _bindings(agencies: Sequence[str]) -> list[dict[str, Any]]:
    pairs = [
        (reading.exchange, reading.queue, pattern)
        for reading in names.READINGS
        for pattern in reading.patterns
    ]
    queues = map(names.agency_queue, agencies)
    pairs.extend((names.AGENCY_TASKS, queue, queue) for queue in queues)
    return [
        {
            "source": exchange,
            "destination": queue,
            "destination_type": "queue",
            "routing_key": key,
            "arguments": {},
        }
        for exchange, queue, key in pairs
    ]


def _policies() -> list[dict[str, Any]]:
    """Each service's queues give their dead letters to a queue of its own, which it alone reads.

    They go by the default exchange, to which no user may write. An agency's queue is routing's.
    """
    agencies = names.agency_queue("CODE").replace(".", r"\.").replace("CODE", "[a-z0-9-]+")
    dead = re.escape(names.dead_letters("")).replace(r"\-", "-")
    return [
        *(
            _policy(service, f"^({'|'.join(_read_by(service))})$", _safe(service, FACTS_LENGTH))
            for service in SERVICES
        ),
        _policy("agencies", f"^{agencies}$", _safe("routing", AGENCY_LENGTH)),
        _policy(
            "dead-letters",
            f"^({'|'.join(SERVICES)}){dead}$",
            {
                "delivery-limit": NO_LIMIT,
                "max-length": FACTS_LENGTH,
                "overflow": "reject-publish",
            },
        ),
    ]


def _read_by(service: str) -> list[str]:
    return [re.escape(reading.queue) for reading in names.READINGS if reading.service == service]


def _safe(service: str, length: int) -> dict[str, Any]:
    return {
        "delivery-limit": DELIVERY_LIMIT,
        "dead-letter-exchange": "",
        "dead-letter-routing-key": names.dead_letters(service),
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",  # without it, at-least-once falls back quietly
        "max-length": length,
    }


def _policy(name: str, pattern: str, definition: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"lienthong-{name}",
        "pattern": pattern,
        "apply-to": "queues",
        "priority": PRIORITY,
        "definition": definition,
    }


# --- who may do what -------------------------------------------------------------------------


def _service_rights(service: str) -> dict[str, Any]:
    """A service declares and reads its own queues, and publishes what the table above says."""
    queues = _read_by(service)
    dead = re.escape(names.dead_letters(service))
    sources = {r.exchange for r in names.READINGS if r.service == service}
    if service == "routing":  # it hands the agencies their queues
        queues += [names.agency_queue("X").replace(".", r"\.").replace("X", "[a-z0-9-]+")]
        sources.add(names.AGENCY_TASKS)
    written = [re.escape(each) for each in WRITES[service]]
    read = [re.escape(each) for each in sorted(sources)]
    return {
        "user": service,
        "configure": _any_of([*queues, dead, *written, *read]),
        "write": _any_of([*queues, *written]),  # binding a queue needs the right to write to it
        "read": _any_of([*queues, dead, *read]),  # and to read the exchange
    }


def _service_topics(service: str) -> list[dict[str, Any]]:
    written = WRITES[service]
    read = {r.exchange for r in names.READINGS if r.service == service}
    topics = [name for name, kind in names.EXCHANGE_KINDS.items() if kind == "topic"]
    return [
        {
            "user": service,
            "exchange": exchange,
            "write": written.get(exchange, NOTHING),
            "read": ANYTHING if exchange in read else NOTHING,
        }
        for exchange in topics
    ]


def _any_of(patterns: Sequence[str]) -> str:
    unique = [each.replace(r"\-", "-") for each in dict.fromkeys(patterns)]
    return f"^({'|'.join(unique)})$" if len(unique) > 1 else f"^{unique[0]}$"


# --- the command -----------------------------------------------------------------------------


def read_passwords(folder: Path | None, env: Mapping[str, str]) -> dict[str, str]:
    """Passwords from files named after their users, and from the environment, which wins."""
    found = {}
    if folder is not None:
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                found[file.name] = file.read_text(encoding="utf-8").strip()
    prefix = "LIENTHONG_BROKER_PASSWORD_"
    for name, value in env.items():
        if name.startswith(prefix):
            found[name.removeprefix(prefix).lower().replace("_", "-")] = value
    return found


def text(made: Mapping[str, Any]) -> str:
    """The file's text: one line per entry, so that a change shows as the line that changed."""
    parts = []
    for name, rows in made.items():
        lines = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in rows)
        parts.append(f'  "{name}": [\n{lines}\n  ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the definitions; 2 where passwords would land in the committed file."""
    from shared.catalogue import load

    parser = argparse.ArgumentParser(description="Make RabbitMQ's definitions for this city.")
    parser.add_argument("--catalogue", type=Path, default=PROJECT / "catalogue")
    parser.add_argument("--passwords", type=Path, help="folder with one file per user")
    parser.add_argument("--vhost", default=VHOST)
    parser.add_argument("--out", type=Path, default=COMMITTED)
    options = parser.parse_args(arguments)
    passwords = read_passwords(options.passwords, os.environ)
    if passwords and options.out.resolve() == COMMITTED:
        print("make: passwords never go into the committed file; name another --out")
        return 2
    made = definitions(load(options.catalogue), passwords, vhost=options.vhost)
    options.out.write_text(text(made), encoding="utf-8")
    if passwords:
        options.out.chmod(0o600)
    without = [user["name"] for user in made["users"] if not user["password_hash"]]
    print(f"{options.out}: {len(made['users'])} users, {len(made['queues'])} queues")
    if passwords and without:
        print(f"no password for: {', '.join(without)} (they can log in by certificate alone)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
