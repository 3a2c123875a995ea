"""Asking for the evidence: the city by its doors and its operators' commands, the peers for their logs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx2

from shared.events.agencies import TaskAnswerRefused
from shared.events.event import kind_of
from shared.kernel.errors import LienThongError
from shared.settings import PROJECT, SERVICES
from simulation.chaos.place import Place
from simulation.chaos.town import Town
from simulation.kit.processes import environment

_PAGE: Final = 200
_TIMEOUT: Final = 30.0
_COMMAND_SECONDS: Final = 120.0


class NoEvidence(LienThongError):
    """A door or a command that must answer now does not."""


class Inquiry:
    """Asks past every proxy; only of a city that is at rest."""

    def __init__(self, town: Town, place: Place, keys: Mapping[tuple[str, str], str]) -> None:
        """`keys` by (service, holder)."""
        self._town = town
        self._place = place
        self._keys = keys

    def dossiers(self, offices: Sequence[str]) -> dict[str, int]:
        """The official status of every dossier of these offices, by code."""
        found: dict[str, int] = {}
        for office in offices:
            cursor: dict[str, Any] = {}
            while True:
                page = self._get("intake", office, "/dossiers", size=_PAGE, **cursor)
                found |= {each["code"]: int(each["status"]["number"]) for each in page["items"]}
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        return found

    def messages(self, operator: str) -> list[dict[str, Any]]:
        """Every message to a citizen, as the operators see it."""
        found: list[dict[str, Any]] = []
        after: dict[str, Any] = {}
        while True:
            page = self._get("notify", operator, "/messages", limit=_PAGE, **after)
            found += page["messages"]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    def resend(self, operator: str, message: str) -> int:
        """Order a message to be sent again; the status of the answer."""
        return self._ask("notify", operator, "POST", f"/messages/{message}/resend").status_code

    def told(self, agency: str) -> list[str]:
        """The ids of the answers that this agency was told are refused."""
        found: list[str] = []
        after = 0
        while True:
            page = self._get("routing", agency, "/tasks", after=after, limit=_PAGE)
            found += [
                each["data"]["answer_id"]
                for each in page["items"]
                if each["type"] == kind_of(TaskAnswerRefused).type
            ]
            if not page["more"]:
                return found
            after = page["next"]

    def held(self) -> list[dict[str, Any]]:
        """What is parked, waits or is tried again, by `lienthong parked`."""
        states = [word for state in ("parked", "retry", "waiting") for word in ("--state", state)]
        lines = self._command("parked", "list", "--json", "--limit", "10000", *states)
        return [json.loads(line) for line in lines.splitlines()]

    def status(self) -> dict[str, Any]:
        """How the city stands, by `lienthong status`."""
        doors = [
            word
            for process in self._town.processes.values()
            for word in ("--door", f"http://127.0.0.1:{process.ops_port}")
        ]
        found: dict[str, Any] = json.loads(self._command("status", "--json", *doors))
        return found

    # --- asking ---------------------------------------------------------------------------------

    def _ask(
        self, service: str, holder: str, method: str, path: str, **query: Any
    ) -> httpx2.Response:
        url = self._town.processes[f"{service} web"].url()
        headers = {"Authorization": f"Bearer {self._keys[service, holder]}"}
        try:
            return httpx2.request(
                method, f"{url}/api/v1{path}", params=query or None, headers=headers,
                json={} if method == "POST" else None, timeout=_TIMEOUT, trust_env=False,
            )  # fmt: skip
        except httpx2.HTTPError as broken:
            raise NoEvidence(f"{service} {path}: {type(broken).__name__}") from broken

    def _get(self, service: str, holder: str, path: str, **query: Any) -> Any:
        reply = self._ask(service, holder, "GET", path, **query)
        if reply.status_code != 200:
            raise NoEvidence(f"{service} {path}: status {reply.status_code}")
        return reply.json()

    def _command(self, *words: str) -> str:
        env = environment(self._town.built.intake.settings) | {
            "LIENTHONG_DATABASE_URL": "",
            "LIENTHONG_LOG_LEVEL": "error",
            **{
                f"LIENTHONG_{name.upper()}_DATABASE_URL": self._place.databases[name]
                for name in SERVICES
            },
        }
        known = {name: value for name, value in env.items() if value}
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "services", *words], cwd=PROJECT, env=known,
            capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False,
        )  # fmt: skip
        if not done.stdout and done.returncode:
            raise NoEvidence(f"{' '.join(words[:2])} ended with {done.returncode}: {done.stderr}")
        return done.stdout
