"""One REST door with one key; waits out a service that is away, refuses nothing in silence."""

from __future__ import annotations

import time
from typing import Any, Final, Self

import httpx2

from simulation.smoke.access import SmokeFailed

PAUSE: Final = 0.5  # seconds between two tries
AWAY: Final = (429, 502, 503, 504)  # what a service says that will be there again


class Door:
    """Requests to one service until `give_up` (on the monotonic clock)."""

    def __init__(self, name: str, url: str, key: str, give_up: float) -> None:
        self.name, self.url = name, url.rstrip("/")
        self._give_up = give_up
        self._client = httpx2.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"},
            timeout=20,
        )
        self.waited = 0  # tries that found the service away

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What the door shows at this path."""
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Any, *, once: str | None = None) -> dict[str, Any]:
        """The answer to an order; `once` makes a repeat harmless."""
        headers = {} if once is None else {"Idempotency-Key": once}
        return self._call("POST", path, json=body, headers=headers)

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        while True:
            said = self._try(method, path, **more)
            if isinstance(said, dict):
                return said
            if time.monotonic() > self._give_up:
                raise SmokeFailed(
                    f"{self.name} at {self.url} is away: {said}",
                    vi=f"Không vào được {self.name} tại {self.url}: {said}",
                )
            self.waited += 1
            time.sleep(PAUSE)

    def _try(self, method: str, path: str, **more: Any) -> dict[str, Any] | str:
        """The answer, or why the service is away."""
        try:
            answer = self._client.request(method, path, **more)
        except httpx2.TransportError as broken:
            return type(broken).__name__
        if answer.status_code in AWAY:
            return f"status {answer.status_code}"
        if answer.is_success:
            found: dict[str, Any] = answer.json()
            return found
        raise SmokeFailed(
            f"{self.name} at {self.url} answered {answer.status_code} to {method} {path}: "
            f"{_problem(answer)}",
            vi=f"{self.name} tại {self.url} từ chối ({answer.status_code}).",
        )


def _problem(answer: httpx2.Response) -> str:
    """What a problem+json answer says, with every fault."""
    try:
        problem = answer.json()
        faults = [f"{fault['place']}: {fault['en']}" for fault in problem.get("errors", [])]
        return "; ".join([str(problem.get("detail") or problem.get("title")), *faults])
    except (ValueError, AttributeError, KeyError, TypeError):
        return answer.text[:200]
