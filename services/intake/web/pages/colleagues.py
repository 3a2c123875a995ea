"""For the head of an office: who works here, what is in whose care, and handing it over."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.storage import custody, staff
from services.intake.storage.staff import Person
from services.intake.usecases import staff as accounts
from services.intake.web.deps import deps, office_agency, own_office
from services.intake.web.pages.account import ROLES_VI
from shared.identity.audit import saw
from shared.identity.guard import current, require
from shared.kernel.errors import Fault, Forbidden, InvalidInput
from shared.web.words import gettext


def blueprint() -> Blueprint:
    """/can-bo: the people of the office that one is the head of."""
    blue = Blueprint("colleagues", __name__)
    blue.add_url_rule("/can-bo", "page", require("desk")(_page), methods=["GET"])
    blue.add_url_rule(
        "/can-bo/ban-giao", "hand_over", require("desk")(_hand_over), methods=["POST"]
    )
    return blue


def _only_heads() -> None:
    if current().role != "head":
        raise Forbidden("only the head of an office", vi="Trang này dành cho trưởng bộ phận.")


def _people() -> list[Person]:
    """Who sits at this office, and whoever left it with dossiers in their care."""
    office = own_office()
    with deps().store.read() as connection:
        everybody = staff.everybody(connection)
        held = custody.open_counts(connection, office)
    return [person for person in everybody if person.id in held or _sits_at(person, office)]


def _sits_at(person: Person, office: str) -> bool:
    return any((place.kind, place.code) == ("desk", office) for place in person.places)


def _page(faults: Sequence[Fault] = ()) -> str:
    _only_heads()
    office, people = own_office(), _people()
    with deps().store.read() as connection:
        held = custody.open_counts(connection, office)
    takers = [each for each in people if each.disabled_at is None and _sits_at(each, office)]
    return render_template(
        "intake/colleagues.html",
        office=office_agency(),
        people=[
            {
                "id": person.id,
                "name": person.name,
                "role": next(
                    (gettext(ROLES_VI[p.role]) for p in person.places if p.code == office),
                    gettext("Đã rời"),
                ),
                "closed": person.disabled_at is not None,
                "held": held.get(person.id, 0),
            }
            for person in people
        ],
        givers=[(each.id, f"{each.name} ({held[each.id]})") for each in people if each.id in held],
        takers=[(each.id, each.name) for each in takers],
        chosen=(request.form.get("from", ""), request.form.get("to", "")),
        faults=faults,
    )


def _hand_over() -> str | Response | tuple[str, int]:
    _only_heads()
    known, people = deps(), {person.id: person for person in _people()}
    given, taker = people.get(request.form.get("from", "")), people.get(request.form.get("to", ""))
    if given is None or taker is None:
        return _page([Fault("to", "Hãy chọn người giao và người nhận.", "choose two")]), 422
    try:
        with known.store.begin(current().actor) as uow:
            codes = accounts.hand_over(uow, known.catalogue, given, taker, office=own_office())
    except InvalidInput as wrong:
        return _page(wrong.faults), 422
    saw([given.id, taker.id, *codes])
    flash(
        gettext(
            "Đã bàn giao %(number)s hồ sơ đang mở cho %(name)s.", number=len(codes), name=taker.name
        ),
        "good",
    )
    return redirect(url_for(".page"), 303)
