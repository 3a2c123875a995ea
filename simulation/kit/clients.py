"""Those who work with a city, each by the public way that is theirs: REST with a key, or pages.

Lives here: desk, agency, citizen, operator. A refusal of a door is raised as `Rejected` with its
status and problem. Must not: a database, or how the door is reached (doors.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

import partner
from shared.catalogue import Procedure
from shared.kernel.clock import format_instant
from shared.kernel.errors import LienThongError
from simulation.kit.doors import Browser, Door, Reply
from simulation.kit.filings import SOME_DAY, filing

MOST = 200  # messages of one page

ProcedureOf = Callable[[str], Procedure]


class Rejected(LienThongError):
    """A door said no: `status`, and `problem` as problem+json has it (it may name the citizen)."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.problem: Mapping[str, Any] = _problem(reply)
        places = ", ".join(str(fault.get("place")) for fault in self.problem.get("errors", ()))
        super().__init__(f"status {reply.status} {self.problem.get('code', '')} {places}".strip())


def _problem(reply: Reply) -> Mapping[str, Any]:
    try:
        found = reply.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class AnswerRefused(LienThongError):
    """An agency's answer was not applied: malformed, too late, closed; the text is the city's."""


SignIn = Callable[[Door], Reply]


def no_pages(_: Door) -> Reply:
    """The way in of whoever was made with a key alone."""
    raise LienThongError("a key opens no pages: give `sign_in`, or take the client from a city")


class _Keyed:
    """Asks one door with a key; a person of the same place opens its pages."""

    def __init__(
        self, new_door: Callable[[], Door], key: str, *, sign_in: SignIn = no_pages
    ) -> None:
        self._new_door = new_door
        self._door = new_door()
        self._headers = {"Authorization": f"Bearer {key}"}
        self._sign_in = sign_in

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Any request under /api/v1; whatever the answer is. `key`: an Idempotency-Key."""
        once = {} if key is None else {"Idempotency-Key": key}
        return self._door.ask(
            method, f"/api/v1{path}", body=body, query=query, headers=self._headers | once
        )

    def told(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """As `ask`, where only a success will do; Rejected otherwise."""
        reply = self.ask(method, path, **more)
        if not 200 <= reply.status < 300:
            raise Rejected(reply)
        found: dict[str, Any] = reply.json()
        return found

    def browser(self) -> Browser:
        """Somebody of this place at the pages, signed in."""
        door = self._new_door()
        reply = self._sign_in(door)
        if reply.status != 200:
            raise Rejected(reply)
        return Browser(door)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the citizen takes home: the dossier's code, the word to look it up, all that was told."""

    code: str
    word: str = field(repr=False)
    told: Mapping[str, Any] = field(repr=False)


class Desk(_Keyed):
    """The reception desk of one office."""

    def __init__(
        self,
        new_door: Callable[[], Door],
        key: str,
        office: str,
        procedure: ProcedureOf,
        today: Callable[[], date] = lambda: SOME_DAY,
        *,
        sign_in: SignIn = no_pages,
    ) -> None:
        super().__init__(new_door, key, sign_in=sign_in)
        self.office = office
        self._procedure = procedure
        self._today = today

    def submit(
        self, procedure: str, *, key: str | None = None, number: int = 1, **changes: Any
    ) -> Receipt:
        """File a dossier of this procedure for an invented citizen (`filing`)."""
        body = filing(self._procedure(procedure), number, today=self._today(), **changes)
        return self.file(body, key=key)

    def file(self, body: Mapping[str, Any], *, key: str | None = None) -> Receipt:
        """File exactly this."""
        told = self.told("POST", "/dossiers", body=dict(body), key=key)
        return Receipt(str(told["code"]), str(told["lookup_word"]), told)

    def act(
        self, code: str, verb: str, body: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> dict[str, Any]:
        """One act on a dossier by the name that the API gives it; the dossier's summary."""
        return self.told("POST", f"/dossiers/{code}/{verb}", body=dict(body or {}), key=key)

    def receive(self, code: str) -> dict[str, Any]:
        """Take in what was filed online or by post."""
        return self.act(code, "receive")

    def refuse(self, code: str, reason: str, next_step: str) -> dict[str, Any]:
        """Do not take it in; the citizen is told why and what to do."""
        return self.act(code, "refuse", {"reason": reason, "next_step": next_step})

    def ask_papers(
        self, code: str, items: Sequence[str], reason: str, respond_by: datetime | None = None
    ) -> dict[str, Any]:
        """Ask the citizen for papers, before it is taken in or while agencies have it."""
        by = None if respond_by is None else format_instant(respond_by)
        body = {"items": list(items), "reason": reason, "respond_by": by}
        return self.act(code, "request-supplement", body)

    def supplement(self, code: str, *names: str) -> dict[str, Any]:
        """The citizen brings papers of these names."""
        papers = [{"name": name, "original": 1, "copy": 0} for name in names]
        return self.act(code, "supplement", {"papers": papers})

    def pay(
        self, code: str, amount_vnd: int, proof: str, *, step: str | None = None
    ) -> dict[str, Any]:
        """The citizen shows that it is paid."""
        body = {"step": step, "amount_vnd": amount_vnd, "proof": proof}
        return self.act(code, "payment", body)

    def withdraw(self, code: str, reason: str) -> dict[str, Any]:
        """The citizen takes the dossier back."""
        return self.act(code, "withdraw", {"reason": reason})

    def correct(
        self,
        code: str,
        reason: str,
        form: Mapping[str, Any] | None = None,
        contact: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Put right what the desk wrote down wrongly; only what is given is another."""
        seen = {"version": self.get(code)["version"], "reason": reason}
        return self.act(code, "correct", {**seen, "form": form or {}, "contact": contact or {}})

    def hand_over(self, code: str, method: str = "desk") -> dict[str, Any]:
        """The citizen gets the result: `desk` or `post`."""
        return self.act(code, "return-result", {"method": method})

    def get(self, code: str) -> dict[str, Any]:
        """The dossier as the desk sees it."""
        return self.told("GET", f"/dossiers/{code}")

    def status(self, code: str) -> int:
        """Its official status, 1 to 10."""
        return int(self.get(code)["status"]["number"])

    def timeline(self, code: str) -> list[dict[str, Any]]:
        """Its way so far, oldest first."""
        found: list[dict[str, Any]] = self.told("GET", f"/dossiers/{code}/timeline")["items"]
        return found


class Agency(_Keyed):
    """An agency with the partner kit, by its HTTPS door or by its queue; pages with `browser`.

    Every answer is sent before the call returns. By the door one that is not applied raises
    AnswerRefused; by the queue nobody waits for the city's word.
    """

    def __init__(
        self,
        new_door: Callable[[], Door],
        key: str,
        client: partner.Client,
        *,
        sign_in: SignIn = no_pages,
    ) -> None:
        super().__init__(new_door, key, sign_in=sign_in)
        self.client = client
        self.code = client.agency
        self.given = 0  # answers handed in and not refused at once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def collect(self) -> list[partner.Message]:
        """Take what was handed over since the last time."""
        found: list[partner.Message] = []
        if self.client.has_queue:
            self.client.drain(found.append)
        else:
            self.client.catch_up(found.append)
        return found

    def tasks(self, dossier: str | None = None, *, closed: bool = False) -> list[partner.Task]:
        """Its open tasks, the most urgent first; of one dossier, and closed ones, if wanted."""
        self.collect()
        found = self.client.tasks(closed=closed)
        return [task for task in found if dossier is None or task.dossier == dossier]

    def take(self, task: str, officer: str | None = None) -> str:
        """Say that somebody works on it; the id of the answer."""
        return self._sent(self.client.take(task, officer))

    def complete(self, task: str, outcome: str = "granted", **said: Any) -> str:
        """Say that it is done: `result_code`, `document`, `reason`, `amount_vnd`."""
        return self._sent(self.client.complete(task, outcome, **said))

    def grant(self, task: partner.Task, **said: Any) -> str:
        """Complete it with the first result that it may have."""
        result = next(iter(task.results), None)
        return self.complete(task.id, result_code=result, **said)

    def ask_papers(self, task: str, items: Sequence[str], reason: str, **said: Any) -> str:
        """Ask the citizen for papers: `respond_by`."""
        return self._sent(self.client.ask(task, items, reason, **said))

    def refuse(self, task: str, reason: str) -> str:
        """Say that it cannot be done."""
        return self._sent(self.client.refuse(task, reason))

    def not_ours(self, task: str, reason: str, agency: str | None = None) -> str:
        """Say that another agency is competent, and which one if that is known."""
        return self._sent(self.client.not_ours(task, reason, agency))

    def send_back(self, task: str, reason: str) -> str:
        """Send the dossier back to an earlier step."""
        return self._sent(self.client.send_back(task, reason))

    def verify(self, task: str, reason: str) -> str:
        """Open an extra verification."""
        return self._sent(self.client.verify(task, reason))

    def more_time(self, task: str, reason: str, until: datetime) -> str:
        """Say that it will be late."""
        return self._sent(self.client.more_time(task, reason, until))

    def close(self) -> None:
        """Leave the city."""
        self.client.close()

    def _sent(self, answer_id: str) -> str:
        before = len(self.client.refusals())
        self.given += self.client.flush()
        if refusals := self.client.refusals()[before:]:
            raise AnswerRefused(refusals[-1][2])
        return answer_id


class Citizen:
    """The citizen with a dossier's code and look-up word; sees what anybody with them sees."""

    def __init__(self, door: Door, code: str, word: str) -> None:
        self.browser = Browser(door)
        self.code = code
        self._word = word

    def page(self) -> str:
        """The page of the dossier; Rejected where code and word do not belong together."""
        reply = self.browser.post("/tra-cuu", {"code": self.code, "word": self._word})
        if reply.status != 200:
            raise Rejected(reply)
        return reply.text


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that left for a citizen; `text` is what the citizen reads, None where unknown."""

    id: str
    dossier: str
    moment: str
    channel: str
    text: str | None = field(repr=False)


class Head(_Keyed):
    """The head of one office, at the agencies' door: names who does what no agency has taken up."""

    def to_place(self) -> list[dict[str, Any]]:
        """What waits for the head's decision, the longest waiting first."""
        found: list[dict[str, Any]] = self.told("GET", "/tasks/to-place")["items"]
        return found

    def place(self, task: str, agency: str, reason: str) -> dict[str, Any]:
        """Name the agency that does it, with a word to it."""
        body = {"agency": agency, "reason": reason}
        return self.told("POST", f"/tasks/{task}/placement", body=body)


class Operator(_Keyed):
    """Who looks after the messages to citizens."""

    def messages(self, **filters: str) -> list[dict[str, Any]]:
        """All messages, oldest first: by `dossier`, `state`, `channel`."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {**filters, "limit": MOST}
        while True:
            page = self.told("GET", "/messages", query=query)
            found += page["messages"]
            if page["next"] is None:
                return found[::-1]
            query["after"] = page["next"]

    def resend(self, message: str) -> dict[str, Any]:
        """Send one again that was not sent."""
        return self.told("POST", f"/messages/{message}/resend")
