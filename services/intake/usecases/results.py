"""What a citizen does to read results: have a code sent, show it, and get the files for a while."""

from __future__ import annotations

import hmac

import sqlalchemy as sa

from services.intake.domain import one_time
from services.intake.domain.dossier import Dossier
from services.intake.domain.files import File
from services.intake.domain.statuses import Status
from services.intake.storage import files
from shared.database import Store
from shared.events.intake import ResultCodeGiven
from shared.kernel.actor import Actor
from shared.kernel.errors import NotAllowed

CITIZEN = Actor("citizen")


def results_of(connection: sa.Connection, dossier: Dossier) -> list[File]:
    """The files that agencies' results name, once the city has said that there are results."""
    named = {each.file for each in dossier.results if each.file}
    if not named or dossier.status not in (Status.RESOLVED, Status.RETURNED):
        return []
    found = files.of_dossier(connection, dossier.code)
    return [each for each in found if each.id in named and each.kind == "result" and each.served]


def send_code(store: Store, dossier: Dossier, secret: str) -> None:
    """Send a new code to the citizen's contact; the one before counts no more.

    NotAllowed where the citizen did not agree to be sent anything.
    """
    if not one_time.can_be_sent(dossier.contact):
        raise NotAllowed(
            "there is no phone number or e-mail that a code can be sent to; come to the desk for the result",
            vi="Hồ sơ không có số điện thoại hoặc thư điện tử nhận tin. Mời bạn đến bộ phận một cửa "
            "nhận kết quả, hoặc nhờ cán bộ bổ sung cách liên hệ.",
        )
    code = one_time.draw()
    with store.begin(CITIZEN) as uow:
        until = uow.now + one_time.LASTS
        kept = one_time.digest(code, dossier.code, secret)
        files.put_code(uow, dossier.code, kept, until)
        uow.record(ResultCodeGiven(dossier=dossier.code, code=code, until=until, given_at=uow.now))


def code_counts(store: Store, dossier: str, given: str, secret: str) -> bool:
    """Whether this is the code that was sent; every try counts, and a code is good for one use."""
    shown = one_time.digest(one_time.tidied(given), dossier, secret)
    with store.begin(CITIZEN) as uow:
        kept = files.try_code(uow, dossier, one_time.MOST_TRIES)
        right = hmac.compare_digest(kept or "", shown)
        if right:
            files.end_code(uow, dossier)
    return right
