"""A form of the desk is filed, once for its token, whichever door it comes by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import json, url_for

from services.intake.domain.slips import Slip, read_slip
from services.intake.storage import slips
from services.intake.storage.answers import KeptAnswer
from services.intake.storage.drafts import forget
from services.intake.usecases import look
from services.intake.usecases.drafting import owner
from services.intake.usecases.once import Answer, answer_once, digest
from services.intake.usecases.submit import submit_beside
from services.intake.web import views
from services.intake.web.deps import deps, own_office
from services.intake.web.pages import typed
from services.intake.web.people import take_care
from shared.catalogue import Procedure
from shared.database import UnitOfWork
from shared.events.intake import SlipGiven
from shared.identity.audit import saw
from shared.identity.guard import current
from shared.kernel.errors import Fault, InvalidInput

#: Inputs that say how the form came, not what it says: the same form is the same request by any way.
_BESIDE: Final = ("csrf_token", "d.", "o.")


def file(procedure: Procedure, form: typed.Typed, doubts: Sequence[Fault] = ()) -> Answer:
    """File it, or give the answer that it got before; a slip that it brings is kept with it.

    Raises as `submit_beside`, InvalidInput with `doubts` where nothing else is wrong, and Conflict
    where another form was filed under its token.
    """
    known, office, token = deps(), own_office(), form.get("token", "")[:100]
    command = typed.submission(office, procedure, form)
    slip = _slip(form)

    def act(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        # Answers are forgotten after a while, slips are not.
        before = slips.of_form(uow.connection, office, token) if slip else None
        if before is not None:
            filed = look.one(uow.connection, office, before)
            return 201, views.summary(filed, known.catalogue, uow.now)
        filed, _ = submit_beside(uow, known.catalogue, command, seen=form.getlist("seen")[:50])
        if doubts:
            raise InvalidInput(doubts)
        forget(uow, office, token)
        take_care(uow, filed.code)
        saw([filed.code])
        if slip:
            _keep(uow, filed.code, token, slip)
        return 201, views.summary(filed, known.catalogue, uow.now)

    told = sorted((k, v) for k, v in form.items(multi=True) if not k.startswith(_BESIDE))
    asked = digest("POST", url_for("desk.submit", code=procedure.code), told)
    who = current().actor
    given = answer_once(known.store, owner(office), token or None, asked, act, actor=who)
    if given.kept and slip:
        # The page had filed it, its answer was lost, and the slip was given out after that.
        with known.store.begin(who) as uow:
            _keep(uow, code_of(given), token, slip)
    return given


def code_of(given: Answer | KeptAnswer) -> str:
    """The code of the dossier that was filed."""
    told = given.body if isinstance(given, Answer) else given.answer
    return str(json.loads(told)["code"])


def _slip(form: typed.Typed) -> Slip | None:
    number = form.get("o.number", "")
    if not number or not form.get("token"):
        return None
    return read_slip(number, form.get("o.word", ""), form.get("o.at", ""), deps().now())


def _keep(uow: UnitOfWork, code: str, token: str, slip: Slip) -> None:
    if slips.of_dossier(uow.connection, code) is not None:
        return
    slips.put(uow, code, own_office(), token, slip)
    told = SlipGiven(dossier=code, number=slip.number, taken_at=slip.taken_at, sent_at=uow.now)
    uow.record(told)
