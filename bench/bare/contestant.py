"""The bare pipeline as a contestant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bench.bare import schema
from bench.bare.consumers import Intake, Notify, Route
from bench.bare.relay import Relay
from bench.bare.submit import Submit
from bench.crew import Crew
from bench.servers import Place, Servers, fresh
from bench.sink import AgencySink

KINDS = ("vn.lienthong.task.assigned.v1",)


@dataclass
class Bare:
    """Its crew at work."""

    crew: Crew
    place: Place
    name: str = "bare"
    submitter: str = "submit"
    task_log: str = "agency"
    message_log: str = "notify"
    task_word: str = "log"
    message_word: str = "log"


@contextmanager
def running(
    servers: Servers, *, all_facts: bool, counting: bool = False, working: bool = True
) -> Iterator[Bare]:
    """The bare pipeline on fresh databases and a fresh virtual host."""
    with fresh(servers) as place:
        urls = {service: place.plain(service) for service in place.databases}
        schema.create_tables(urls)
        schema.declare(place.amqp_url, all_facts=all_facts)
        crew = Crew(servers.broker_port if counting else 0)
        try:
            crew.start("submit", Submit, place.plain("intake"))
            if working:
                _start_work(crew, place, all_facts=all_facts)
            crew.ready()
            yield Bare(crew, place, name="bare, all facts" if all_facts else "bare")
        finally:
            crew.stop()


def _start_work(crew: Crew, place: Place, *, all_facts: bool) -> None:
    amqp = place.amqp_url
    intake, routing, notes = (place.plain(name) for name in ("intake", "routing", "notify"))
    crew.start("intake relay", Relay, intake, amqp)
    crew.start("route", partial(Route, all_facts=all_facts), routing, amqp)
    crew.start("routing relay", Relay, routing, amqp)
    crew.start("notify", partial(Notify, all_facts=all_facts), notes, amqp)
    crew.start("agency", AgencySink, amqp, [schema.AGENCY], KINDS)
    if all_facts:
        crew.start("intake follow", Intake, intake, amqp)
        crew.start("notify relay", Relay, notes, amqp)
