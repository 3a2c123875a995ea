"""The test kit: a city to try things out in, and everybody who works with it, by public doors alone.

For tests of ours and of others (an agency's program, a portal, a template); docs/testing.md shows
it. The names in `__all__` are kept from here on. Lives here: the clients (desk, agency, citizen,
operator), the city in one process on a settable clock, and the city as processes. Must not: play a
month, or read a database: what the kit tells was told by a door.
"""

from simulation.kit.city import MORNING, City, open_city
from simulation.kit.clients import (
    Agency,
    AnswerRefused,
    Citizen,
    Desk,
    Head,
    Operator,
    Receipt,
    Rejected,
    Sent,
)
from simulation.kit.doors import Browser, Reply
from simulation.kit.filings import filing
from simulation.kit.processes import Process, RunningCity, run_city, service_process

__all__ = [
    "MORNING",
    "Agency",
    "AnswerRefused",
    "Browser",
    "Citizen",
    "City",
    "Desk",
    "Head",
    "Operator",
    "Process",
    "Receipt",
    "Rejected",
    "Reply",
    "RunningCity",
    "Sent",
    "filing",
    "open_city",
    "run_city",
    "service_process",
]
