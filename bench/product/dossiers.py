"""The dossiers of the benchmark, submitted through intake's real REST door without the network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.catalogue import Catalogue
from shared.identity import keys
from shared.messaging.service import Service

PROCEDURE = "2.000815"
ROLE = "certification"
_GIVEN = ("An", "Bình", "Châu", "Dũng", "Hạnh", "Khánh", "Ngọc", "Phượng", "Thảo", "Trường")


def offices(catalogue: Catalogue) -> list[str]:
    """Desks that take in the procedure today."""
    today = date.today()  # noqa: DTZ011 - which offices exist does not hang on the hour
    procedure = catalogue.procedure(PROCEDURE, today)
    return [
        office.code
        for office in catalogue.offices(today)
        if catalogue.office_handles(office.code, procedure, today)
    ]


def agencies(catalogue: Catalogue) -> list[str]:
    """The agencies that get the tasks."""
    today = date.today()  # noqa: DTZ011
    territories = {catalogue.agency(code).territory for code in offices(catalogue)}
    return sorted({catalogue.agency_for(ROLE, where, today).code for where in territories})


def issue_keys(intake: Service, codes: Sequence[str]) -> list[str]:
    """A desk key for each office."""
    with intake.store.begin() as uow:
        return [keys.issue(uow, kind="desk", bound_to=code, label="benchmark")[1] for code in codes]


@dataclass(frozen=True, slots=True)
class HandBack:
    """An order to hand results over to the citizens: (dossier, its office) each."""

    dossiers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Call:
    path: str
    key: str
    secret: str
    body: bytes


class Door:
    """Calls intake's WSGI app as a server would; `secrets` are the keys of the offices, in order."""

    def __init__(
        self, intake: Service, offices: Sequence[str], secrets: Sequence[str], *, by_mail: bool
    ) -> None:
        self._by_mail = by_mail
        self._app = intake.web
        self._secrets = dict(zip(offices, secrets, strict=True))
        self._in_turn = list(secrets)

    def submit(self, number: int) -> str:
        """File dossier `number` at one office after the other; its code. Else it is an error."""
        secret = self._in_turn[number % len(self._in_turn)]
        call = _Call(
            "/api/v1/dossiers",
            f"bench-{number}",
            secret,
            body_of(number, by_mail=self._by_mail),
        )
        code: str = json.loads(self._answered(call, "201"))["code"]
        return code

    def hand_back(self, order: HandBack) -> int:
        """Hand these results over; how many."""
        body = _json({"method": "desk"})
        for code, office in order.dossiers:
            path = f"/api/v1/dossiers/{code}/return-result"
            self._answered(_Call(path, f"bench-{code}", self._secrets[office], body), "200")
        return len(order.dossiers)

    def _answered(self, call: _Call, wanted: str) -> bytes:
        status: list[str] = []

        def start(given: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
            status.append(given)
            return lambda _: None  # the write() of old, which nobody calls

        answer = b"".join(self._app.wsgi_app(_environ(call), start))
        if not status or not status[0].startswith(wanted):
            raise RuntimeError(f"intake answered {status}: {answer[:500]!r}")
        return answer


def _environ(call: _Call) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": call.path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(call.body)),
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {call.secret}",
        "HTTP_IDEMPOTENCY_KEY": call.key,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def body_of(number: int, *, by_mail: bool) -> bytes:
    """The request that files dossier `number`."""
    return _json(_dossier(number, by_mail=by_mail))


def _dossier(number: int, *, by_mail: bool) -> dict[str, Any]:
    name = f"Nguyễn Thị {_GIVEN[number % 10]} {_GIVEN[number // 10 % 10]}"
    return {
        "procedure": PROCEDURE,
        "channel": "direct",
        "form": {
            "applicant_name": name,
            "document_kind": "Bằng tốt nghiệp đại học",
            "pages": 2,
            "copies": 3,
        },
        "papers": [{"code": "ban-chinh", "original": 1, "copy": 3}],
        "contact": {
            "name": name,
            "phone": f"0912{number % 1_000_000:06d}",
            "language": "vi",
            "consent": {"sms": not by_mail, "email": by_mail},
            **({"email": f"citizen{number}@example.vn"} if by_mail else {}),
        },
    }
