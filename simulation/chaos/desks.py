"""The desks of a run: they file over REST and repeat after any doubt, and do the citizens' part to the end.

A request that got no clear word is sent again under its key until it has one. Must not: judge.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from simulation.chaos.journal import Entry, Journal

PROCEDURES: Final[Mapping[str, tuple[str, str]]] = {
    "birth": ("2.000986", "ubnd-phuong-cao-lanh"),
    "land": ("1.013831", "ubnd-phuong-cao-lanh"),
    "copy": ("2.000815", "ubnd-phuong-my-tra"),
}
#: Statuses that no desk leads out of: refused, withdrawn, stopped, returned.
ENDED: Final = frozenset({3, 7, 8, 10})
_PAPERS, _MONEY, _RESULT = 5, 6, 9
_TIMEOUT: Final = 12.0
_PAUSE: Final = 0.5
_AWAY: Final = frozenset({429, 500, 502, 503, 504})  # a 500 is told apart: it is counted
_CLERKS: Final = 4


@dataclass(frozen=True, slots=True)
class Filed:
    """A dossier that a desk got a receipt for."""

    code: str
    office: str
    email: str


class Counter:
    """One office's REST client; each thread has its own."""

    def __init__(self, url: str, key: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=_TIMEOUT, trust_env=False)
        self._headers = {"Authorization": f"Bearer {key}"}

    def ask(
        self, method: str, path: str, body: Any = None, once: str | None = None
    ) -> httpx2.Response | None:
        """One request; None where nothing came back."""
        headers = self._headers | ({} if once is None else {"Idempotency-Key": once})
        with contextlib.suppress(httpx2.HTTPError):
            return self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        return None


class Desks:
    """All desks; acts are put in a line and done by a few clerks."""

    def __init__(
        self,
        journal: Journal,
        url: str,
        keys: Mapping[str, str],
        body: Callable[[str, str, str], dict[str, Any]],
    ) -> None:
        """`body` makes a filing of a procedure (code), office and e-mail address."""
        self._journal = journal
        self._url = url
        self._keys = keys
        self._body = body
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open = 0
        self.filed: dict[str, Filed] = {}
        self.ended: dict[str, int] = {}  # code -> status
        self.failed: list[str] = []  # answers of 500, by path
        self.repeats = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"clerk {number}", daemon=True)
            for number in range(_CLERKS)
        ]
        self._threads.append(threading.Thread(target=self._follow, name="follow", daemon=True))

    def start(self) -> None:
        """Open."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close; what has no answer stays without."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_TIMEOUT + 3.0)

    @property
    def left(self) -> int:
        """Requests without an answer and dossiers without an end."""
        with self._lock:
            return self._open + len(set(self.filed) - set(self.ended))

    def put(self, act: Callable[[], None]) -> None:
        """Let a clerk do it."""
        with self._lock:
            self._open += 1
        self._waiting.put(act)

    def file(self, number: int, kind: str, *, twice: bool) -> None:
        """File a dossier for a citizen of its own; `twice`: by two hands at once, under one key."""
        procedure, office = PROCEDURES[kind]
        email = f"chaos{number}@example.vn"
        act, words = "file", "one receipt, found at the end, the citizen told once"
        if twice:
            act, words = "file twice", "one receipt for both"
        entry = self._journal.note(act, {"procedure": procedure, "office": office}, words)
        filing = self._body(procedure, office, email)
        codes: list[str] = []

        def once() -> None:
            made = self._until_told(entry, office, "/dossiers", filing, f"chaos-{number}")
            if made is None:
                return
            with self._lock:
                self.filed[made["code"]] = Filed(made["code"], office, email)
                codes.append(made["code"])
                told = len(codes) > twice
            if told:
                same = len(set(codes)) == 1
                entry.facts["code"] = codes[0]
                if not same:
                    self._journal.settle(entry, "two dossiers", ok=False)

        for _ in range(1 + twice):
            self.put(once)

    def _until_told(
        self, entry: Entry, office: str, path: str, body: Any, once: str
    ) -> dict[str, Any] | None:
        counter = Counter(self._url, self._keys[office])
        with counter.client:
            while not self._stopping.is_set():
                reply = counter.ask("POST", path, body, once)
                if reply is not None and reply.status_code == 500:
                    self.failed.append(f"POST {path}")
                if reply is None or reply.status_code in _AWAY:
                    self.repeats += 1
                    self._stopping.wait(_PAUSE)
                    continue
                if reply.status_code < 300:
                    found: dict[str, Any] = reply.json()
                    return found
                said = f"refused: {reply.status_code} {reply.text[:200]}"
                self._journal.settle(entry, said, ok=False)
                return None
        return None

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                act = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                act()
            finally:
                with self._lock:
                    self._open -= 1

    # --- the citizens' part ---------------------------------------------------------------------

    def _follow(self) -> None:
        """Bring papers, pay and fetch results, until every dossier has ended."""
        counters = {office: Counter(self._url, key) for office, key in self._keys.items()}
        while not self._stopping.wait(_PAUSE):
            with self._lock:
                going = [each for each in self.filed.values() if each.code not in self.ended]
            for each in going:
                if self._stopping.is_set():
                    break
                self._forward(counters[each.office], each)
        for counter in counters.values():
            counter.client.close()

    def _forward(self, counter: Counter, dossier: Filed) -> None:
        reply = counter.ask("GET", f"/dossiers/{dossier.code}")
        if reply is None or reply.status_code != 200:
            if reply is not None and reply.status_code == 500:
                self.failed.append("GET /dossiers/…")
            return
        told = reply.json()
        number = int(told["status"]["number"])
        waits = told.get("waiting_for") or []
        path = f"/dossiers/{dossier.code}"
        if number in ENDED:
            self.ended[dossier.code] = number
        elif number == _RESULT:
            counter.ask("POST", f"{path}/return-result", {"method": "desk"}, f"back {dossier.code}")
        elif number == _MONEY:
            proof = {"amount_vnd": 1_500_000, "proof": "BL-0001"}
            counter.ask("POST", f"{path}/payment", proof, f"pay {dossier.code}")
        elif number == _PAPERS:
            names = [item for wait in waits for item in wait["items"]]
            papers = [{"name": name, "original": 1, "copy": 0} for name in names]
            key = f"papers {dossier.code} {sum(wait['round'] or 0 for wait in waits)}"
            counter.ask("POST", f"{path}/supplement", {"papers": papers}, key)


# --- rude callers -----------------------------------------------------------------------------------


def malformed(kind: str, filing: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The request of a rude caller, as httpx takes it; any 4xx is its right answer."""
    good = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    text = json.dumps(filing, ensure_ascii=False).encode()
    form = filing["form"]
    requests: dict[str, tuple[str, str, dict[str, str], bytes]] = {
        "no JSON": ("POST", "/dossiers", good, b'{"procedure": '),
        "no object": ("POST", "/dossiers", good, b"[1, 2, 3]"),
        "empty": ("POST", "/dossiers", good, b"{}"),
        "unknown procedure": _with(good, filing, procedure="9.999999"),
        "NUL in a text": _with(good, filing, form=dict.fromkeys(form, "\x00")),
        "too deep": ("POST", "/dossiers", good, b'{"form":' * 5000 + b"1" + b"}" * 5000),
        "too large": ("POST", "/dossiers", good, text.ljust(3_000_000)),
        "no key": ("POST", "/dossiers", {"Content-Type": "application/json"}, text),
        "wrong key": ("POST", "/dossiers", good | {"Authorization": "Bearer lt_1_no"}, text),
        "no such dossier": ("GET", "/dossiers/000.00.00.H20-260101-9999", good, b""),
        "odd query": ("GET", "/dossiers?size=-1&nothing=%00", good, b""),
        "another method": ("DELETE", "/dossiers", good, b""),
        "odd Idempotency-Key": ("POST", "/dossiers", good | {"Idempotency-Key": "x" * 300}, text),
        "not UTF-8": ("POST", "/dossiers", good, text[:-1] + b', "\xff\xfe": 1}'),
    }
    method, path, headers, content = requests[kind]
    return {"method": method, "url": f"/api/v1{path}", "headers": headers, "content": content}


def _with(
    headers: dict[str, str], filing: Mapping[str, Any], **changes: Any
) -> tuple[str, str, dict[str, str], bytes]:
    body = json.dumps({**filing, **changes}, ensure_ascii=False).encode()
    return "POST", "/dossiers", headers, body


def send_malformed(
    journal: Journal, entry: Entry, url: str, request: Mapping[str, Any], stop: threading.Event
) -> None:
    """Send it until there is an answer."""
    with httpx2.Client(base_url=url, timeout=_TIMEOUT, trust_env=False) as client:
        while not stop.is_set():
            status = 0
            with contextlib.suppress(httpx2.HTTPError):
                status = client.request(**request).status_code
            if status in (0, 429, 502, 503, 504):
                stop.wait(_PAUSE)
                continue
            journal.settle(entry, f"answered {status}", ok=400 <= status < 500)
            return
