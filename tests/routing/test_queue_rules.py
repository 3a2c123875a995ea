"""What is wished of an agency's queue: names of users, graces, pauses, and who may end them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.routing.domain.queue import AgencyQueue, is_user_of, password_hash
from services.routing.on import verify_sender
from services.routing.storage import queues as rows
from services.routing.storage.standing import MATTERS
from services.routing.usecases import queues
from shared.database import UnitOfWork
from shared.events.envelope import Data, Envelope
from shared.kernel.actor import Actor
from shared.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, ParkNow
from shared.messaging import Delivery
from tests.backends import EmbeddedBackend
from tests.routing.town import Town, catalogue, migrate
from tests.routing.worlds import NOW

CODE = "cong-an"
OPERATOR, AGENCY = Actor("operator", "hanh"), Actor("agency", CODE)
CATALOGUE = catalogue(queues=())


@pytest.fixture
def town(embedded: EmbeddedBackend) -> Iterator[Town]:
    embedded.migrated("routing", migrate)
    made = Town(embedded.settings("routing"), CATALOGUE)
    yield made
    made.close()


def now_of(town: Town) -> AgencyQueue:
    with town.service.store.read() as connection:
        found = rows.of(connection, CODE)
    assert found is not None
    return found


def test_every_generation_of_an_agencys_user_is_known_and_no_other():
    assert all(is_user_of(user, CODE) for user in (CODE, f"{CODE}.2", f"{CODE}.17"))
    wrong = (None, "", "cong", f"{CODE}-2", f"{CODE}.", f"{CODE}.0", f"{CODE}.x", f"{CODE}.2.3")
    assert not any(is_user_of(user, CODE) for user in (*wrong, f"{CODE}.２", f"{CODE}.2\n"))


def test_an_answer_counts_from_the_old_user_and_the_new_one_and_from_nobody_elses():
    verify = verify_sender(frozenset({"operator"}))
    said = Envelope(
        id="a", source=f"/agencies/{CODE}", type="vn.lienthong.answer.taken.v1", subject="t",
        time=NOW, data=Data(b"{}"),
    )  # fmt: skip
    for user in (CODE, f"{CODE}.2", "operator"):
        verify(said, Delivery(b"", 1, {}, f"answer.{CODE}.taken", user))
    for user in ("bhxh", "bhxh.2", f"{CODE}2", None):
        with pytest.raises(ParkNow):
            verify(said, Delivery(b"", 1, {}, f"answer.{CODE}.taken", user))


def test_a_rotation_leaves_two_users_for_its_grace_and_a_pause_none():
    old, new = password_hash("old"), password_hash("new")
    queue = AgencyQueue(CODE, True, 2, new, old, NOW + timedelta(hours=1))
    assert queue.users(NOW) == {f"{CODE}.2": new, CODE: old}
    assert queue.users(NOW + timedelta(hours=1)) == {f"{CODE}.2": new}
    assert replace(queue, paused_at=NOW).users(NOW) == {}
    assert replace(queue, wanted=False).users(NOW) == {}
    assert new not in repr(queue)


def test_what_is_wished_twice_is_wished_once(town: Town) -> None:
    with town.service.store.begin(OPERATOR) as uow:
        first = queues.open_queue(uow, CATALOGUE, CODE)
        assert first
        assert queues.open_queue(uow, CATALOGUE, CODE) is None
    kept = now_of(town)
    assert kept.hash != first
    assert (kept.user, kept.wished_by, kept.done_at) == (CODE, "operator:hanh", None)
    with town.service.store.begin(OPERATOR) as uow:
        second, turned = queues.rotate(uow, CATALOGUE, CODE)
        assert second != first
        assert turned.users(uow.now) == {f"{CODE}.2": turned.hash, CODE: kept.hash}
        with pytest.raises(Conflict, match="still has its grace"):
            queues.rotate(uow, CATALOGUE, CODE)
        _, turned = queues.rotate(uow, CATALOGUE, CODE, timedelta(0))
        assert list(turned.users(uow.now)) == [f"{CODE}.3"]
        with pytest.raises(InvalidInput):
            queues.rotate(uow, CATALOGUE, CODE, timedelta(days=31))
        assert queues.close(uow, CATALOGUE, CODE)
        assert not queues.close(uow, CATALOGUE, CODE)
        with pytest.raises(NotAllowed):
            queues.rotate(uow, CATALOGUE, CODE)
        assert queues.open_queue(uow, CATALOGUE, CODE)
    assert now_of(town).user == f"{CODE}.4", "a withdrawn user never comes again"
    with town.service.store.begin(OPERATOR) as uow, pytest.raises(NotFound):
        queues.open_queue(uow, CATALOGUE, "khong-co")


def test_whom_the_city_paused_only_the_city_lets_go_on_and_everybody_is_told(town: Town) -> None:
    with town.service.store.begin(OPERATOR) as uow:
        with pytest.raises(InvalidInput):
            queues.pause(uow, CATALOGUE, CODE, " ")
        assert queues.pause(uow, CATALOGUE, CODE, "nghi lộ mật khẩu")
        assert not queues.pause(uow, CATALOGUE, CODE, "lần nữa")
    with town.service.store.begin(AGENCY) as uow, pytest.raises(Conflict):
        queues.resume(uow, CATALOGUE, CODE)
    with town.service.store.read() as connection:
        lines = MATTERS.lines(connection, town.clock.now())
    (line,) = [each for each in lines if each.name == f"queue {CODE}"]
    assert "operator:hanh: nghi lộ mật khẩu" in line.said.vi
    assert line.oldest == now_of(town).paused_at

    def resume(uow: UnitOfWork) -> bool:
        return queues.resume(uow, CATALOGUE, CODE)

    with town.service.store.begin(OPERATOR) as uow:
        assert resume(uow)
        assert not resume(uow)
    with town.service.store.begin(AGENCY) as uow:
        assert queues.pause(uow, CATALOGUE, CODE, "bảo trì")
        assert resume(uow), "who paused it lets it go on"
