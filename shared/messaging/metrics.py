"""What a service tells Prometheus: ledgers measured at scrape, facts counted as they are handled.

Labels are types, outcomes and names of loops, never a dossier and never a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.database import Store
from shared.messaging.measure import Depth, measure
from shared.messaging.probe import Probe
from shared.messaging.tables import PARKED, RETRY, WAITING

# Seconds. Handling is milliseconds; from made to handled may be hours after a broker was away.
_HANDLING = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_TRAVEL = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0, 86400.0)

HELD = (WAITING, RETRY, PARKED)
_OLDEST_OUT = "Age of the oldest fact not yet sent"
_OLDEST_IN = "Time since the oldest fact not done came in, by state"
_AWAY = "1 when the ledgers could not be measured at this scrape"
_LOOP = "1 when the loop is well"
_PATIENCE = 2.0  # seconds; a scrape that waited for a silent database would tell nothing at all

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value, such as lienthong_outbox_unsent; the help text goes with the name."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def ledgers(store: Store, consumers: Sequence[str] = ()) -> Callable[[], list[Reading]]:
    """What waits in a service's ledgers and how old the oldest is, measured when called.

    The `consumers` named are shown even where nothing of theirs waits.
    """
    nothing = {(name, state): Depth(0, None) for name in consumers for state in HELD}

    def read() -> list[Reading]:
        with store.read() as connection:
            depths = measure(connection)
        now = store.clock.now()
        found = [
            Reading("lienthong_outbox_unsent", "Facts not yet sent", depths.unsent.count),
            Reading("lienthong_outbox_oldest_seconds", _OLDEST_OUT, _age(depths.unsent, now)),
        ]
        for (consumer, state), depth in sorted((nothing | depths.inbox).items()):
            labels = (("consumer", consumer), ("state", state))
            found += [
                Reading("lienthong_inbox_held", "Facts not done, by state", depth.count, labels),
                Reading("lienthong_inbox_oldest_seconds", _OLDEST_IN, _age(depth, now), labels),
            ]
        return found

    return read


def _age(depth: Depth, now: datetime) -> float:
    return 0.0 if depth.oldest is None else max(0.0, (now - depth.oldest).total_seconds())


class _Ledgers(Collector):
    """Measures at scrape; a database that is away or silent leaves its readings out and says so."""

    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._probe = Probe(lambda: list(read()), fresh=0.0, patience=_PATIENCE)

    def collect(self) -> Iterator[Metric]:
        seen = self._probe.look()
        away = seen.told is None or seen.waiting > 0
        yield GaugeMetricFamily("lienthong_database_away", _AWAY, value=float(away))
        if seen.told is not None and not away:
            yield from _families(seen.told)


class _Loops(Collector):
    """Shows each loop of a supervisor."""

    def __init__(self, report: Callable[[], Mapping[str, str]]) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        yield from _families(
            Reading("lienthong_loop_ok", _LOOP, float(state == "ok"), (("loop", name),))
            for name, state in self._report().items()
        )


def _families(readings: Iterable[Reading]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for reading in readings:
        family = families.get(reading.name)
        if family is None:
            names = [name for name, _ in reading.labels]
            family = GaugeMetricFamily(reading.name, reading.help, labels=names)
            families[reading.name] = family
        family.add_metric([value for _, value in reading.labels], reading.value)
    yield from families.values()


class Metrics:
    """The registry of one service in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._handled = self._counter(
            "lienthong_facts_handled",
            "Facts handled, by consumer, type and what became of them",
            "consumer", "type", "outcome",
        )  # fmt: skip
        self._handling = Histogram(
            "lienthong_handling_seconds",
            "Time of one batch of facts from taken to committed",
            ("consumer",),
            buckets=_HANDLING,
            registry=self.registry,
        )
        self._travel = Histogram(
            "lienthong_made_to_handled_seconds",
            "Time from the making of a fact to its handling here",
            ("consumer",),
            buckets=_TRAVEL,
            registry=self.registry,
        )
        self._sent = self._counter(
            "lienthong_facts_sent", "Facts given to the broker, by outcome", "outcome"
        )
        self._tries = self._counter(
            "lienthong_tries", "What was tried at a door, by what became of it", "door", "outcome"
        )
        # Children by their labels: looking one up costs prometheus_client a lock and a check of
        # every label, and there are two for each fact.
        self._handled_of: dict[tuple[str, str, str], Counter] = {}
        self._travel_of: dict[str, Histogram] = {}

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def handled(self, consumer: str, kind: str, outcome: str, *, age: float | None = None) -> None:
        """One fact of type `kind` came to `outcome`, `age` seconds after it was made."""
        key = (consumer, kind, outcome)
        count = self._handled_of.get(key)
        if count is None:
            count = self._handled_of[key] = self._handled.labels(*key)
        count.inc()
        if age is None:
            return
        travel = self._travel_of.get(consumer)
        if travel is None:
            travel = self._travel_of[consumer] = self._travel.labels(consumer)
        travel.observe(max(0.0, age))

    def batch(self, consumer: str, seconds: float) -> None:
        """One batch took `seconds` from taken to committed."""
        self._handling.labels(consumer).observe(seconds)

    def sent(self, confirmed: int, failed: int) -> None:
        """One round of the relay."""
        if confirmed:
            self._sent.labels("confirmed").inc(confirmed)
        if failed:
            self._sent.labels("failed").inc(failed)

    def tried(self, door: str, outcome: str) -> None:
        """Somebody tried a word or a key, or was told to wait."""
        self._tries.labels(door, outcome).inc()

    def measure(self, read: Callable[[], Iterable[Reading]]) -> None:
        """Have `read` called at each scrape; it asks the ledgers."""
        self.registry.register(_Ledgers(read))

    def loops(self, report: Callable[[], Mapping[str, str]]) -> None:
        """Show each loop of a supervisor as 1 when it is well, else 0."""
        self.registry.register(_Loops(report))

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
