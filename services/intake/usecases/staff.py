"""What is done with accounts: by whoever runs the city, by the head of an office, by the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from services.intake.domain.staff import faults_of_password, faults_of_person, fold_login
from services.intake.storage import custody, staff
from services.intake.storage.staff import Person
from services.intake.usecases import passwords
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.identity.passes import ROLES, Place, Role
from shared.kernel.errors import Fault, InvalidInput, NotFound
from shared.kernel.letters import tidy

EVERYWHERE = "*"


def read_place(text: str) -> Place:
    """`officer:ubnd-phuong-1` as a place; a leader or operator may leave the code out."""
    role, _, code = text.strip().partition(":")
    if role not in ROLES:
        wrong = Fault(
            "role", f"Không có vai trò {role}.", f"no such role; one of {' '.join(ROLES)}"
        )
        raise InvalidInput([wrong])
    return Place(cast("Role", role), code.strip() or EVERYWHERE)


def faults_of_places(catalogue: Catalogue, places: Iterable[Place]) -> list[Fault]:
    """What of this the city does not have: such an account would open an empty room."""
    places, faults = list(places), []
    if not places:
        faults.append(Fault("role", "Thiếu vai trò.", "give a role, such as officer:<office>"))
    for place in places:
        if place.code == EVERYWHERE and place.role in ("leader", "operator"):
            continue
        try:
            agency = catalogue.agency(place.code)
        except NotFound:
            vi = f"Không có cơ quan {place.code}."
            faults.append(Fault("role", vi, f"there is no agency {place.code}"))
            continue
        if place.role == "operator":
            vi = "Người vận hành làm cho toàn thành phố: bỏ mã cơ quan."
            faults.append(Fault("role", vi, "an operator is the whole city's: leave the code out"))
        elif place.role != "agency" and not agency.is_office:
            vi = f"{place.code} không có bộ phận tiếp nhận."
            faults.append(Fault("role", vi, f"{place.code} has no desk"))
    return faults


def add(
    uow: UnitOfWork,
    catalogue: Catalogue,
    *,
    login: str,
    name: str,
    places: Iterable[Place],
    must_change: bool = True,
) -> tuple[Person, str]:
    """A new account and its first password, which is shown only now; every fault at once."""
    places = tuple(dict.fromkeys(places))
    faults = [*faults_of_person(login, name), *faults_of_places(catalogue, places)]
    folded = fold_login(login)
    if folded and staff.by_login(uow.connection, folded) is not None:
        vi = f"Tên đăng nhập {folded} đã có người dùng."
        faults.append(Fault("login", vi, f"{folded} is taken"))
    if faults or folded is None:
        raise InvalidInput(faults)
    first = passwords.draw_password()
    person = Person(
        passwords.draw_id(), folded, tidy(name), places, passwords.hash_password(first), must_change
    )
    staff.add(uow.connection, person, uow.now)
    return person, first


def assign(uow: UnitOfWork, catalogue: Catalogue, login: str, places: Iterable[Place]) -> Person:
    """Give an account other roles; its open pages follow within five minutes."""
    places = tuple(dict.fromkeys(places))
    if faults := faults_of_places(catalogue, places):
        raise InvalidInput(faults)
    person = of_login(uow, login)
    staff.change(uow.connection, person.id, places=places)
    return person


def disable(uow: UnitOfWork, login: str) -> tuple[Person, int]:
    """Close an account; also how many open dossiers are still in that person's care."""
    person = of_login(uow, login)
    staff.change(uow.connection, person.id, disabled_at=uow.now)
    staff.end_all(uow.connection, person.id)
    return person, len(custody.open_of(uow.connection, person.id))


def reset(uow: UnitOfWork, login: str) -> tuple[Person, str]:
    """A new first password, for one that was lost; opens a closed account again.

    The second factor is taken off as well: whoever lost the telephone has lost it too; and so is
    the identity of the city's own sign-in.
    """
    person, first = of_login(uow, login), passwords.draw_password()
    staff.change(
        uow.connection,
        person.id,
        hash=passwords.hash_password(first),
        must_change=True,
        totp=None,
        recovery=(),
        disabled_at=None,
        subject=None,
    )
    staff.end_all(uow.connection, person.id)
    return person, first


def hand_over(
    uow: UnitOfWork,
    catalogue: Catalogue,
    given: Person,
    taker: Person,
    *,
    office: str | None = None,
) -> list[str]:
    """Put the open dossiers in one officer's care into a colleague's; their codes.

    The colleague must sit at every office that a dossier is of, or nothing is handed over.
    """
    offices = {row.office for row in custody.open_of(uow.connection, given.id)}
    offices = {each for each in offices if office in (None, each)}
    missing = sorted(offices - {place.code for place in taker.places if place.kind == "desk"})
    faults = []
    if given.id == taker.id:
        faults.append(Fault("to", "Hãy chọn một đồng nghiệp khác.", "must be a colleague"))
    if taker.disabled_at is not None:
        faults.append(Fault("to", "Tài khoản nhận đã đóng.", "the account is disabled"))
    for code in missing:
        name = catalogue.agency(code).name
        vi = f"Người nhận không làm việc ở {name}, nơi có hồ sơ đang mở."
        faults.append(Fault("to", vi, f"is no officer of {code}, where dossiers are open"))
    if faults:
        raise InvalidInput(faults)
    return custody.hand_over(uow.connection, given.id, taker.id, uow.now, office=office)


def join(uow: UnitOfWork, person: Person, subject: str | None) -> None:
    """Let an identity of the city's own sign-in open this account; None: none does any more."""
    held = staff.by_subject(uow.connection, subject) if subject else None
    if held is not None and held.id != person.id:
        vi = "Tài khoản thành phố này đã nối với một tài khoản khác ở đây. Báo người quản trị."
        raise InvalidInput([Fault("subject", vi, "is joined to another account")])
    staff.change(uow.connection, person.id, subject=subject)
    if subject is None:
        staff.end_all(uow.connection, person.id)


def change_password(
    uow: UnitOfWork, person: Person, new: str, again: str, *, keep: str = ""
) -> None:
    """Set a password that the person chose; every other sign-in of theirs ends."""
    faults = faults_of_password(new, person.login, person.name)
    if not faults and new != again:
        faults = [Fault("password_again", "Hai lần gõ không giống nhau.", "is not the same")]
    if not faults and passwords.is_password(new, person.hash):
        faults = [Fault("password_new", "Hãy chọn mật khẩu khác mật khẩu cũ.", "is the old one")]
    if faults:
        raise InvalidInput(faults)
    staff.change(uow.connection, person.id, hash=passwords.hash_password(new), must_change=False)
    staff.end_all(uow.connection, person.id, but=keep)


def of_login(uow: UnitOfWork, login: str) -> Person:
    """The account of a sign-in name; NotFound where there is none."""
    folded = fold_login(login)
    person = staff.by_login(uow.connection, folded) if folded else None
    if person is None:
        raise NotFound(
            "there is no such account; lienthong staff list shows all",
            vi="Không có tài khoản này; lienthong staff list cho thấy tất cả.",
        )
    return person
