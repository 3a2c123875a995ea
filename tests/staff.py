"""People for tests: passes as intake gives them out, and accounts of a built intake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from services.intake.usecases import sign_in, staff
from shared.catalogue import Catalogue
from shared.database import Store
from shared.identity.guard import guard_of
from shared.identity.passes import Pass, Place
from shared.kernel.clock import RealClock

PASSWORD_NEXT = "một câu ngắn dễ nhớ"


def a_pass(*places: tuple[str, str], name: str = "Nguyễn Thị Hoa", **more: Any) -> Pass:
    """A pass of now, of these (role, code); `made` and `until` may be given."""
    made: datetime = more.pop("made", RealClock().now())
    until = more.pop("until", made + timedelta(hours=10))
    return Pass(
        more.pop("person", "cb-abcdefghij"),
        more.pop("sign_in", "sign-in"),
        name,
        tuple(Place(role, code) for role, code in places),
        made,
        until,
    )


def carry(client: Any, app: Any, shown: Pass) -> None:
    """Let a test client carry this pass."""
    checkpoint = guard_of(app).checkpoint
    client.set_cookie(checkpoint.cookie, checkpoint.passes.write(shown))


def carry_here(client: Any, app: Any, *places: tuple[str, str], **more: Any) -> None:
    """Let a client be somebody of these places, at a door that believes fresh passes."""
    carry(client, app, a_pass(*places, **more))


def carry_in(page: Any, app: Any, site: str, *places: tuple[str, str]) -> None:
    """Let a real browser carry a pass of these places."""
    checkpoint = guard_of(app).checkpoint
    told = checkpoint.passes.write(a_pass(*places))
    page.context.add_cookies([{"name": checkpoint.cookie, "value": told, "url": site}])


def person(
    store: Store, catalogue: Catalogue, *places: tuple[str, str], login: str = "hoa", **more: Any
) -> tuple[str, str]:
    """An account: its id and first password (which need not be changed, unless it is said)."""
    told = {"name": "Nguyễn Thị Hoa", "must_change": False} | more
    with store.begin() as uow:
        made, password = staff.add(
            uow, catalogue, login=login, places=[Place(role, code) for role, code in places], **told
        )
    return made.id, password


def signed_in(client: Any, app: Any, store: Store, person_id: str) -> Pass:
    """Let a client be signed in at intake as this person, without the pages."""
    from services.intake.storage import staff as table

    with store.begin() as uow:
        found = table.by_id(uow.connection, person_id)
        assert found is not None
        given = sign_in.enter(uow, found, RealClock().now())
    carry(client, app, given)
    return given
