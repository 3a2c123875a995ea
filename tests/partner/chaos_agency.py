"""The program of an agency that fails, and dies, at random; test_chaos.py starts it. No test here.

Each message is answered once with its number as the officer's name: so the answers that arrive at
the city tell what was handled, how often, and in which order.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading

from partner import Client, Message, Retry


def main(agency: str, url: str, store: str, door: str, seed: str) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    chance = random.Random(f"{seed}-{os.getpid()}")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    deadly = seed != "calm"

    def handle(message: Message) -> None:
        if chance.random() < 0.2:
            raise RuntimeError("before")
        client.take(message.task, officer=str(message.sequence))
        if chance.random() < 0.1:
            raise RuntimeError("after")
        if deadly and chance.random() < 0.02:
            os.kill(os.getpid(), signal.SIGKILL)

    retry = Retry(tries=1000, first=0.02, longest=0.2)
    with Client(
        agency, store=store, url=url, door=door, door_key="lt_1_secret", retry=retry
    ) as client:
        client.run(handle, stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
