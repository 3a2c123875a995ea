"""Files by a link that ends: agencies read what a task's dossier holds and hand in its result.

Routing signs the link for whom it has given the task; here nobody is signed in. A citizen who has
proven the contact holds such a link too (pages/result.py).
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from services.intake.domain.files import STATES_VI, File
from services.intake.storage import files as rows
from services.intake.usecases import files
from services.intake.usecases.files import Arrival
from services.intake.web.deps import deps
from services.intake.web.handing import draft, handed_out, links, most_of_one, sent, shown_link
from shared.events.parts import Agency
from shared.identity.audit import saw
from shared.identity.guard import checks_its_form, public, stand_in
from shared.identity.links import PAGE, QUERY, Link
from shared.kernel.actor import Actor
from shared.kernel.errors import InvalidInput
from shared.web.reading import takes


def blueprint() -> Blueprint:
    """Pages under /tep; open to whoever holds a link of ours."""
    blue = Blueprint("linked", __name__, url_prefix=PAGE)
    blue.add_url_rule("", "listed", public(listed), methods=["GET"])
    blue.add_url_rule("", "hand_in", public(checks_its_form(hand_in)), methods=["POST"])
    blue.add_url_rule("/<string:file_id>", "read", public(read), methods=["GET"])
    return blue


def of_agency() -> tuple[Link, list[File]]:
    """The files that the shown link opens to an agency; the look is noted as that agency's."""
    link = shown_link("read")
    if link.caller is not None:
        stand_in(link.caller)
    with deps().store.read() as connection:
        found = [f for f in rows.of_dossier(connection, link.dossier) if f.standing != "withdrawn"]
    saw([link.dossier, *(each.id for each in found)])
    return link, [each for each in found if each.state != "refused"]


def listed() -> str:
    """What there is to read."""
    link, found = of_agency()
    return render_template(
        "intake/linked.html",
        link=link,
        files=found,
        states=STATES_VI,
        shown=request.args[QUERY],
        faults=(),
        back=f"/nhiem-vu/{link.task}",
    )


def read(file_id: str) -> Response:
    """One of them, to be saved."""
    link = shown_link("read")
    if link.caller is not None:
        stand_in(link.caller)
    saw([link.dossier])
    with deps().store.read() as connection:
        return handed_out(*files.opened(connection, deps().files, link.dossier, file_id))


@takes(most_of_one, into=draft)
def hand_in() -> BaseResponse | tuple[str, int]:
    """Take a result and go back to the task with its receipt, which the answer names."""
    link = shown_link("hand_in")
    try:
        each = sent()[0]
        kept = handed_in(link, Arrival(each.stream, each.filename, link.dossier, Actor("agency")))
    except InvalidInput as wrong:
        page = render_template(
            "intake/linked.html",
            link=link,
            files=None,
            faults=wrong.faults,
            shown=request.args[QUERY],
            back=f"/nhiem-vu/{link.task}",
        )
        return page, wrong.status
    receipt = links().receipt(kept.id, link.task)
    return redirect(f"/nhiem-vu/{link.task}?tep={receipt}#tra-loi", 303)


def handed_in(link: Link, arrival: Arrival) -> File:
    """Keep what an agency hands in by this link, as that agency's result of that task."""
    known, caller = deps(), link.caller
    if caller is None or not link.task:
        raise TypeError("a link to hand in is an agency's, for a task")
    stand_in(caller)
    told = Arrival(
        arrival.source,
        arrival.name,
        link.dossier,
        caller.actor,
        agency=Agency(code=caller.bound_to, name=link.agency_name or caller.bound_to),
        task=link.task,
    )
    kept = files.attach(known.store, known.files, told)
    saw([link.dossier, kept.id])
    return kept
