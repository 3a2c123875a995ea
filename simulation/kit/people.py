"""Who can be met in a city, whichever way it runs: its desks, agencies, citizens and operators.

Lives here: finding their keys and their doors. Must not: moving the city.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

import partner
from services.embedded.city import City as BuiltCity
from shared.catalogue import Catalogue, Procedure
from shared.identity.keys import Kind
from shared.identity.passes import Place
from shared.kernel.clock import to_vn
from simulation.keys import issue_account, issue_keys
from simulation.kit.clients import Agency, Citizen, Desk, Head, Operator, Sent
from simulation.kit.doors import Browser, Door, Reply

OPERATORS: Final = "van-hanh"

Way = Literal["door", "queue"]


class People(ABC):
    """Everybody who works with a city; `built` is what the product builds, for who must look inside.

    What is in `built` may change from one version to the next, unlike the names of this class.
    """

    def __init__(self, built: BuiltCity) -> None:
        self.built = built
        self.catalogue: Catalogue = built.catalogue
        self._keys: dict[tuple[str, Kind, str], str] = {}
        self._accounts: dict[Place, tuple[str, str]] = {}

    @abstractmethod
    def now(self) -> datetime:
        """The present instant of this city, UTC."""

    @abstractmethod
    def _door(self, service: str) -> Door: ...

    @abstractmethod
    def _client(self, code: str, way: Way) -> partner.Client: ...

    def desk(self, office: str) -> Desk:
        """The reception desk of an office."""
        key = self.key("intake", "desk", office)
        enter = self._sign_in(Place("officer", office))
        return Desk(
            lambda: self._door("intake"), key, office, self.procedure, self._today, sign_in=enter
        )

    def agency(self, code: str, *, way: Way = "door") -> Agency:
        """An agency with the partner kit: by the HTTPS door, or by its queue."""
        key = self.key("routing", "agency", code)
        enter = self._sign_in(Place("agency", code))
        return Agency(lambda: self._door("routing"), key, self._client(code, way), sign_in=enter)

    def head(self, office: str) -> Head:
        """The head of an office, where steps wait that no agency has."""
        key = self.key("routing", "desk", office)
        enter = self._sign_in(Place("head", office))
        return Head(lambda: self._door("routing"), key, sign_in=enter)

    def citizen(self, code: str, word: str) -> Citizen:
        """Whoever holds a dossier's code and look-up word, at the public page."""
        return Citizen(self._door("intake"), code, word)

    def operator(self) -> Operator:
        """Who looks after the messages to citizens."""
        key, enter = (
            self.key("notify", "operator", OPERATORS),
            self._sign_in(Place("operator", "*")),
        )
        return Operator(lambda: self._door("notify"), key, sign_in=enter)

    def key(self, service: str, kind: Kind, holder: str) -> str:
        """A key of this holder for a service's door; the same all through."""
        wanted = (service, kind, holder)
        if wanted not in self._keys:
            store = self.built.services[service].store
            self._keys[wanted] = issue_keys(store, kind, [holder])[holder]
        return self._keys[wanted]

    def account(self, place: Place) -> tuple[str, str]:
        """Sign-in name and password of somebody who works there; the same all through."""
        if place not in self._accounts:
            store = self.built.intake.store
            self._accounts[place] = issue_account(store, self.catalogue, place)
        return self._accounts[place]

    def _sign_in(self, place: Place) -> Callable[[Door], Reply]:
        """How a browser at any door becomes that of somebody who works there."""

        def enter(door: Door) -> Reply:
            front = self._door("intake")
            reply = Browser(front).sign_in(*self.account(place))
            door.take_cookies_of(front)
            return reply

        return enter

    def procedure(self, code: str) -> Procedure:
        """The version of a procedure that is in force today."""
        return self.catalogue.procedure(code, self._today())

    def agencies_of(self, procedure: str, office: str) -> list[str]:
        """Codes of the agencies that act on what this office takes in, in the order of the steps."""
        territory = self.catalogue.agency(office).territory
        steps = self.procedure(procedure).steps
        today = self._today()
        found = [self.catalogue.agency_for(step.role, territory, today).code for step in steps]
        return list(dict.fromkeys(found))

    def sent(self, dossier: str | None = None) -> list[Sent]:
        """The messages that left for citizens, oldest first, with what the citizen reads."""
        only = {} if dossier is None else {"dossier": dossier}
        folder = self.built.data_dir / "messages"
        return [
            Sent(each["id"], each["dossier"], each["moment"], each["channel"], _text(folder, each))
            for each in self.operator().messages(state="sent", **only)
        ]

    def _today(self) -> date:
        return to_vn(self.now()).date()


def _text(folder: Path, message: Mapping[str, Any]) -> str | None:
    """What the file channel wrote for a message; None where it went another way."""
    ending = {"email": "eml", "sms": "txt"}[message["channel"]]
    file = folder / message["channel"] / f"{message['id']}.{ending}"
    return file.read_text(encoding="utf-8") if file.exists() else None
