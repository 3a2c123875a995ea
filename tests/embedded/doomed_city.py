"""A city in a process of its own that may be killed at any moment; run by test_kill9.py.

Files `count` dossiers under keys that are the same in every run, so that what was already filed is
not filed again, lets simulated agencies answer at once, and says how far it is on standard output.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

from services.embedded.city import City, open_city
from services.notify.storage import queries
from shared import log
from shared.kernel.clock import to_vn
from simulation.autopilot import autopilots
from tests.embedded.townsfolk import INTERLINKED, TODAYS_OFFICE, desk_of, unsent

PER_DOSSIER = 2  # received and resolved, by SMS


def main(folder: Path, count: int) -> None:
    """Run until every dossier is done and told, or until killed."""
    city = open_city(folder, log_level="error", courtesy="off")  # by night too
    log.configure(city.intake.settings)
    city.migrate()
    codes = [a.code for a in city.catalogue.agencies(to_vn(city.clock.now()).date())]
    city.add(
        autopilots(codes, city.bus, city.clock, delay=timedelta(0), catch_up=city.unanswered_by)
    )
    city.start()
    desk = desk_of(city, TODAYS_OFFICE)
    for number in range(count):
        say(
            "submitted",
            number + 1,
            desk.submit(INTERLINKED, key=f"dossier-{number}", number=number).code,
        )
    sent = -1
    while True:
        now = sent_so_far(city)
        if now != sent:
            say("sent", sent := now)
        if all_told(city, count) and not unsent(city):
            break
        time.sleep(0.01)
    time.sleep(0.5)  # whoever kills at the last word still finds it alive
    say("done", sent)
    city.close()


def sent_so_far(city: City) -> int:
    with city.notify.store.read() as connection:
        return queries.by_state(connection).get("sent", 0)


def all_told(city: City, count: int) -> bool:
    """Whether each first message was sent, or is outdated: a death may let the result overtake."""
    with city.notify.store.read() as connection:
        first = [m for m in queries.find(connection, queries.Search(limit=10_000)) if m.rung == 1]
    return sum(m.state in ("sent", "cancelled") for m in first) == count * PER_DOSSIER


def say(*words: object) -> None:
    # One write for a whole line: other threads may write as well.
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
