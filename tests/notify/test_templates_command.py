"""`lienthong templates` and `lienthong messages spend` as an operator types them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.commands.messages import messages
from services.commands.templates import templates
from services.notify.delivery.sender import Sender
from services.notify.domain.composing import Composer
from services.notify.domain.previews import Compared
from services.notify.domain.spending import month_at
from services.notify.usecases.previewing import compared, known_of
from shared.catalogue import load
from shared.kernel.errors import InvalidInput, NotFound
from shared.messaging.acts import list_acts
from shared.messaging.tables import LEDGERS
from tests.backends import Backend
from tests.catalogue.conftest import Spoiled, spoiled
from tests.catalogue.test_versions import versions
from tests.notify.conftest import opened
from tests.notify.ledger import (
    DOSSIER,
    Ledger,
    RecordingChannel,
    a_contact,
    received,
    the_catalogue,
)

__all__ = ["spoiled"]


@pytest.fixture
def told(embedded: Backend, clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(Path(embedded.data_dir)))
    with opened(embedded, clock) as ledger:
        fact = ledger.fact(received())
        ledger.hear(a_contact(consent_email=False), fact)
        keep(ledger, fact)
        Sender("sms", RecordingChannel(name="sms.smpp"), ledger.store).step(0)
        yield ledger


def keep(ledger: Ledger, fact) -> None:  # type: ignore[no-untyped-def]
    """Put the fact into the inbox, as the consumer does that brought it."""
    from shared.events.envelope import encode

    with ledger.store.begin() as uow:
        uow.connection.execute(
            LEDGERS.inbox.insert().values(
                consumer="notify.facts", source="/intake", fact_id=fact.id, stream="s", type=fact.type,
                subject=fact.subject, body=encode(fact), state="done", received_at=uow.now,
            )
        )  # fmt: skip


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The city's rules are read once for all these commands."""
    for command in ("templates", "messages"):
        monkeypatch.setattr(f"services.commands.{command}.load", lambda _: the_catalogue())


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(templates, arguments)


def test_the_list_names_every_version_and_what_it_takes():
    told = typed("list", "--on", "2022-03-14").output
    (line,) = [each for each in told.splitlines() if " received " in each]
    assert line.startswith("*")
    assert line.rstrip().endswith("sms vi 2 en 2")


def test_a_preview_shows_text_parts_and_price_without_anybody_s_data():
    shown = typed("preview", "received", "--on", "2022-03-14")
    assert "received sms vi, version 1 from 2021-01-01 until further notice" in shown.output
    assert "gsm7" in shown.output
    assert "2 part(s), 700 VND" in shown.output
    assert "Tu tra cuu: K7M2QX" in shown.output
    letter = typed("preview", "stopped", "--channel", "email", "--language", "en").output
    assert "Dear Nguyễn Thị Đào" in letter
    assert isinstance(typed("preview", "paid", "--channel", "call").exception, NotFound)


def test_a_real_dossier_is_shown_for_a_reason_that_is_kept(told: Ledger):
    ask = ("preview", "received", "--dossier", DOSSIER)
    assert isinstance(typed(*ask).exception, InvalidInput)
    shown = typed(*ask, "--who", "lan", "--why", "sửa mẫu tin").output
    assert DOSSIER in shown
    assert "K7M2QP" in shown
    with told.store.read() as connection:
        (act,) = list_acts(connection)
    assert (act.act, act.what, act.who) == ("templates preview", DOSSIER, "lan")
    for moment, dossier in (("resolved", DOSSIER), ("received", "D-9")):
        again = typed("preview", moment, "--dossier", dossier, "--who", "lan", "--why", "sửa")
        assert isinstance(again.exception, NotFound)


def test_two_versions_are_compared_on_a_month_s_messages(told: Ledger, spoiled: Spoiled):
    versions(spoiled, "received", (1, "2021-01-01", "2022-12-31"), (2, "2023-01-01", None))
    path = spoiled.folder / "templates" / "received.yaml"
    first, mark, second = path.read_text(encoding="utf-8").partition("  - version: 2")
    short = second.replace(
        "Da tiep nhan ho so {code}[ ({procedure})].[ Hen tra ket qua {due} tai {place}.]",
        "Da nhan ho so {code}.",
    )
    assert short != second
    path.write_text(first + mark + short, encoding="utf-8")
    composer = Composer(load(spoiled.folder))
    both = [composer.catalogue.template_version("received", "sms", "vi", n) for n in (1, 2)]
    with told.store.read() as connection:
        told_of = compared(connection, composer, *both, month_at(told.clock.now()))
    assert told_of == Compared(less=1, parts=[2, 1], vnd=[700, 350])
    with told.store.begin() as uow:
        uow.connection.execute(LEDGERS.inbox.delete())
    with told.store.read() as connection:
        gone = compared(connection, composer, *both, month_at(told.clock.now()))
        assert gone == Compared(untold=1)
        with pytest.raises(NotFound):
            known_of(connection, composer, DOSSIER, "received", "vi")
    asked = typed("price", "received", "--month", "03/2022", "--against", "1", "--version", "1")
    assert "received sms vi, 2022-03: 0 messages" in asked.output
    assert "not known any more 1" in asked.output


def test_spend_tells_parts_and_money_of_a_month_by_office(told: Ledger):
    run = CliRunner().invoke
    shown = run(messages, ["spend", "--month", "03/2022"]).output
    assert "ubnd-phuong-1" in shown
    assert "2 parts (0 uncertain)" in shown
    assert "700 VND" in shown
    assert "budget the whole city: 700 of 6,000,000 VND, 0 %" in shown
    assert (
        "2022-03,ubnd-phuong-1," in run(messages, ["spend", "--month", "2022-03", "--csv"]).output
    )
    assert isinstance(run(messages, ["spend", "--month", "x"]).exception, InvalidInput)
