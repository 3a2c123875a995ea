"""Promise 3 in earnest: the process is killed, three times, in the middle of 200 dossiers."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from services.embedded.city import City, open_city
from services.intake.storage.queries import Filters
from services.intake.usecases import look
from shared.events.envelope import Envelope, decode
from shared.events.names import wire
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT
from tests.embedded.doomed_city import PER_DOSSIER
from tests.embedded.townsfolk import held, messages, unsent

DOSSIERS = 200
# Where each run is killed: as soon as it says that it has come so far.
DEATHS = (("submitted", 70), ("sent", 60), ("sent", 150))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_city_killed_three_times_in_the_middle_finishes_everything_exactly_once(tmp_path: Path):
    codes: dict[str, set[str]] = {}
    for word, number in DEATHS:
        run_until_killed(tmp_path, word, number, codes)
    run_to_the_end(tmp_path, codes)

    assert len(codes) == DOSSIERS
    assert all(len(given) == 1 for given in codes.values()), "a receipt changed after a crash"
    city = open_city(tmp_path, log_level="error", courtesy="off")
    try:
        look_at_everything(city, {code for given in codes.values() for code in given})
    finally:
        city.close()


def look_at_everything(city: City, codes: set[str]) -> None:
    assert (held(city), unsent(city)) == ([], 0)
    assert statuses(city) == {9: DOSSIERS}

    planned = messages(city)
    assert DOSSIERS < sum(m.rung == 1 for m in planned) <= DOSSIERS * PER_DOSSIER
    assert set(Counter((m.dossier, m.moment, m.channel) for m in planned).values()) == {1}
    # A receipt that the result has overtaken is said no more; the result is, to everybody.
    assert {m.moment for m in planned if m.state == "cancelled"} <= {"received"}
    told = [m for m in planned if m.state != "cancelled"]
    assert {m.dossier for m in told if m.moment == "resolved"} == codes
    written = [path.stem for path in (city.data_dir / "messages").rglob("[!.]*.*")]
    # What was written when its process died, and was outdated before anybody tried again, is there too.
    outdated = {m.id for m in planned if m.state == "cancelled"}
    assert sorted(set(written) - outdated) == sorted(m.id for m in told)
    assert set(Counter(written).values()) == {1}, "each message is one file"

    notified = said(city, "notify", "citizen.notified")
    assert Counter(fact.data["message"] for fact in notified) == Counter(m.id for m in told)
    answered = said(city, "routing", "step.answered")
    assert len(answered) == DOSSIERS * 3
    assert set(Counter(fact.data["task"] for fact in answered).values()) == {1}


def statuses(city: City) -> dict[int, int]:
    store = city.intake.store
    with store.read() as connection:
        found = look.page(connection, Filters(office=None), city.clock.now(), size=1000)
    return dict(Counter(int(line.status) for line in found.items))


def said(city: City, service: str, name: str) -> list[Envelope]:
    store = city.services[service].store
    outbox = LEDGERS.outbox
    with store.read() as connection:
        rows = connection.execute(outbox.select().where(outbox.c.type == wire(name))).all()
    return [decode(bytes(row.body)) for row in rows]


# --- the doomed process --------------------------------------------------------------------------


def run_until_killed(folder: Path, word: str, number: int, codes: dict[str, set[str]]) -> None:
    with started(folder) as doomed:
        assert doomed.stdout is not None
        for line in doomed.stdout:
            note(line, codes)
            words = line.split()
            if words[:1] == [word] and int(words[1]) >= number:
                os.kill(doomed.pid, signal.SIGKILL)
                break
        # What it had said before it died counts as well: a receipt was printed.
        for line in doomed.stdout:
            note(line, codes)
    assert doomed.returncode == -signal.SIGKILL, "it ended before it could be killed"


def run_to_the_end(folder: Path, codes: dict[str, set[str]]) -> None:
    with started(folder) as doomed:
        assert doomed.stdout is not None
        lines = list(doomed.stdout)
    assert doomed.returncode == 0
    assert lines[-1].startswith("done")
    for line in lines:
        note(line, codes)


def started(folder: Path) -> "subprocess.Popen[str]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.embedded.doomed_city", str(folder), str(DOSSIERS)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def note(line: str, codes: dict[str, set[str]]) -> None:
    words = line.split()
    if len(words) == 3 and words[0] == "submitted":
        codes.setdefault(words[1], set()).add(words[2])
