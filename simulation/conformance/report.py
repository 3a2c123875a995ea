"""The certificate of a trial: what was tried and seen, when, against which contract; with a digest of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from shared.events import asyncapi
from shared.kernel.clock import format_instant
from simulation.conformance.day import Trial

_DIGEST: Final = "sha256"


def certificate(
    agency: str, command: Sequence[str], at: datetime, trials: Sequence[Trial]
) -> dict[str, Any]:
    """All of it as plain JSON values; `at` is an aware instant.

    The digest is of the same object without it, as JSON with sorted names, no blanks, in UTF-8: it
    shows that the file was not changed by accident, not who made it.
    """
    contract = asyncapi.document()
    made: dict[str, Any] = {
        "certificate": "lienthong.conformance.1",
        "agency": agency,
        "command": list(command),
        "at": format_instant(at),
        "contract": {
            "version": contract["info"]["version"],
            _DIGEST: hashlib.sha256(asyncapi.text().encode()).hexdigest(),
        },
        "passed": all(trial.passed for trial in trials),
        "trials": [
            {
                "name": trial.name,
                "asked": trial.en,
                "passed": trial.passed,
                "seen": trial.seen,
                "seconds": round(trial.seconds, 1),
            }
            for trial in trials
        ],
    }
    return {**made, _DIGEST: digest(made)}


def digest(certificate: dict[str, Any]) -> str:
    """The digest that a certificate should name."""
    rest = {name: value for name, value in certificate.items() if name != _DIGEST}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
