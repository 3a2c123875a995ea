"""Runs the benchmark's command on the servers of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.backends import Servers

PROJECT = Path(__file__).resolve().parents[2]


def run(servers: Servers, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What it said and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "services", "bench", *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "LIENTHONG_TEST_AMQP_URL": servers.amqp_url,
            "LIENTHONG_TEST_AMQP_MANAGEMENT_URL": servers.management_url,
            "LIENTHONG_TEST_DATABASE_URL": servers.database_url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
