"""RabbitMQ's management door, as far as agencies' queues and users need it; no decisions here.

It is there in RabbitMQ 3.10 of Debian and in every later one, once `rabbitmq_management` is on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx2

from services.routing.delivery.rights import LIMITS, permission, topic_permission
from shared.events.names import AGENCY_TASKS, agency_queue
from shared.kernel.errors import LienThongError, SettingsError

SECONDS: Final = 10.0
_QUORUM: Final = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}


class ManagementTrouble(LienThongError):
    """The broker could not be brought to what is wished; `code` is a word of `TROUBLES`."""

    default_vi = "Chưa làm được ở máy chủ bản tin."


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there: users with their hash; rights and limits by user; queues; who is bound."""

    users: Mapping[str, str]
    permissions: Mapping[str, dict[str, Any]]
    topics: Mapping[str, dict[str, Any]]
    limits: Mapping[str, dict[str, int]]
    queues: frozenset[str]
    bound: frozenset[str]


@dataclass
class Management:
    """One broker's management door; `url` holds user and password, `vhost` is the city's own."""

    url: str = field(repr=False)
    vhost: str
    prefix: str = ""

    def __post_init__(self) -> None:
        parts = httpx2.URL(self.url)
        if parts.scheme not in ("http", "https") or not parts.host or not parts.username:
            raise SettingsError(
                "LIENTHONG_MANAGEMENT_URL is http(s)://USER:PASSWORD@HOST:15672",
                vi="LIENTHONG_MANAGEMENT_URL phải là http(s)://TÊN:MẬT-KHẨU@MÁY:15672.",
            )
        # At its usual level the library logs whole addresses.
        for noisy in ("httpx2", "httpcore2"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._client = httpx2.Client(
            base_url=f"{parts.scheme}://{parts.netloc.decode()}/api/",
            auth=(parts.username, parts.password),
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    # --- looking ----------------------------------------------------------------------------------

    def seen(self) -> Seen:
        """All that matters, in six questions."""
        mine = [
            [row for row in self._ask("GET", what) if row.get("vhost") == self.vhost]
            for what in (
                "permissions",
                "topic-permissions",
                "queues?disable_stats=true",
                "bindings",
            )
        ]
        permissions, topics, queues, bindings = mine
        limits = self._ask("GET", "user-limits")
        exchange = self.prefix + AGENCY_TASKS
        return Seen(
            users={row["name"]: row.get("password_hash", "") for row in self._ask("GET", "users")},
            permissions={row["user"]: row for row in permissions},
            topics={row["user"]: row for row in topics if row["exchange"] == _answers(self.prefix)},
            limits={row["user"]: row["value"] for row in limits},
            queues=frozenset(row["name"] for row in queues),
            bound=frozenset(row["destination"] for row in bindings if row["source"] == exchange),
        )

    # --- changing ---------------------------------------------------------------------------------

    def have_user(self, seen: Seen, agency: str, user: str, hash_: str) -> bool:
        """This user with this password, its rights and limits; False where all was so."""
        rights = permission(agency, user, self.prefix)
        topic = topic_permission(agency, user, self.prefix)
        changed = False
        if seen.users.get(user) != hash_:
            self._ask("PUT", f"users/{_q(user)}", {
                "password_hash": hash_, "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            })  # fmt: skip
            changed = True
        for kind, there, wished in (
            ("permissions", seen.permissions, rights),
            ("topic-permissions", seen.topics, topic),
        ):
            known = there.get(user, {})
            if any(known.get(name) != value for name, value in wished.items()):
                self._ask("PUT", f"{kind}/{_q(self.vhost)}/{_q(user)}", wished)
                changed = True
        for name, value in LIMITS.items():
            if seen.limits.get(user, {}).get(name) != value:
                self._ask("PUT", f"user-limits/{_q(user)}/{name}", {"value": value})
                changed = True
        return changed

    def withdraw(self, user: str) -> None:
        """Delete a user: its lines are closed at once, and what it had taken comes again."""
        self._ask("DELETE", f"users/{_q(user)}")

    def have_queue(self, seen: Seen, agency: str) -> bool:
        """The agency's queue and its binding; False where both were there."""
        name, exchange = self.prefix + agency_queue(agency), self.prefix + AGENCY_TASKS
        if name in seen.queues and name in seen.bound:
            return False
        here = _q(self.vhost)
        self._ask("PUT", f"exchanges/{here}/{_q(exchange)}", {"type": "direct", "durable": True})
        self._ask("PUT", f"queues/{here}/{_q(name)}", _QUORUM)
        self._ask(
            "POST", f"bindings/{here}/e/{_q(exchange)}/q/{_q(name)}",
            {"routing_key": agency_queue(agency)},
        )  # fmt: skip
        return True

    def drop_queue(self, seen: Seen, agency: str) -> bool:
        """Delete the agency's queue with what lies on it; False where there is none."""
        name = self.prefix + agency_queue(agency)
        if name not in seen.queues:
            return False
        self._ask("DELETE", f"queues/{_q(self.vhost)}/{_q(name)}")
        return True

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx2.HTTPError as away:
            raise ManagementTrouble(type(away).__name__, code="away") from None
        if answer.status_code in (401, 403):
            at_login = "login" in answer.text[:2000].lower()
            raise ManagementTrouble(f"{answer.status_code}", code="login" if at_login else "rights")
        if answer.status_code == 404 and method == "DELETE":
            return None
        if not answer.is_success:
            told = f"{method} {path.partition('/')[0]}: {answer.status_code}"
            raise ManagementTrouble(told, code="refused")
        try:
            return answer.json() if answer.content and method == "GET" else None
        except ValueError:
            raise ManagementTrouble(f"{path}: no JSON", code="refused") from None


def _answers(prefix: str) -> str:
    return str(topic_permission("", prefix=prefix)["exchange"])


def _q(name: str) -> str:
    return quote(name, safe="")
