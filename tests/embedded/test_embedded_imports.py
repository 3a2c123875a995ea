"""What a city without servers does not need is not brought into its process."""

from __future__ import annotations

import subprocess
import sys


def test_a_city_on_sqlite_does_not_load_the_drivers_of_the_servers() -> None:
    servers = {"psycopg", "pika", "kombu", "amqp"}
    asked = f"import services.embedded.city, sys; print({servers} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
