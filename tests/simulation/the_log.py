"""Where the real event log lies, if it is here: it is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "receipt-700.csv"
LOG = Path(os.environ.get("LIENTHONG_TEST_RECEIPT_LOG", BESIDE))
needs_log = pytest.mark.skipif(not LOG.exists(), reason=f"the event log {LOG.name} is not here")
