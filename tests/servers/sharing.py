"""How several workers of pytest share one run: by file, so that nothing in a file is split.

Fixtures that live for a module (a city, a browser) are made once, and tests of a file keep their
order. Only the two back ends of a file may go to two workers: they share nothing.
"""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling

BACK_ENDS: Final = ("embedded", "servers")


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Hands a worker one file after the other, or the half of it on one back end."""

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)


def share(nodeid: str) -> str:
    """The part of the run that a test belongs to."""
    file, _, test = nodeid.partition("::")
    parameters = test.partition("[")[2].rstrip("]").split("-")
    back_end = next((name for name in BACK_ENDS if name in parameters), "")
    return f"{file} {back_end}".rstrip()
