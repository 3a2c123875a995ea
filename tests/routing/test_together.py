"""Several doors and workers at one dossier at the same time: nothing is lost, nothing is doubled."""

from __future__ import annotations

import threading
from typing import Any

from services.routing.app import build
from shared.kernel.ids import RandomIds
from shared.messaging import Bus
from shared.messaging.loops.pump import pump
from tests.routing.town import Town, received


def _at_once(*jobs: Any) -> list[Any]:
    """Run these at the same moment; what each returns, or the error that it raised."""
    gate = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(number: int) -> None:
        gate.wait(10)
        try:
            results[number] = jobs[number]()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def _post(town: Town, code: str, task: str, answer_id: str) -> Any:
    client, key = town.service.web.test_client(), town.key(code)
    body = {"answer_id": answer_id, "kind": "completed", "outcome": "granted"}
    return lambda: client.post(f"/api/v1/tasks/{task}/answers", json=body, headers=key)


def test_two_agencies_that_answer_at_the_same_moment_resolve_the_dossier_once(town: Town) -> None:
    for number in range(5):
        code = f"000.00.01.H20-220301-{number:04d}"
        town.receive(code)
        town.grant("phuong-1")
        jobs = [_post(town, who, town.task(who), f"a{number}") for who in ("cong-an", "bhxh")]
        replies = _at_once(*jobs)
        assert [reply.status_code for reply in replies] == [200, 200]
        results = town.one(code, "dossier.resolved")["results"]
        assert [r["outcome"] for r in results] == ["granted"] * 3


def test_the_same_answer_sent_twice_at_the_same_moment_counts_once(town: Town) -> None:
    code = "000.00.01.H20-220301-0001"
    town.receive(code)
    task = town.task("phuong-1")
    replies = _at_once(
        *[_post(town, "phuong-1", task, "a-1")] * 2, *[_post(town, "phuong-1", task, "a-1")]
    )
    assert [reply.status_code for reply in replies] == [200] * 3
    assert len({reply.get_data() for reply in replies}) == 1
    assert town.names(code).count("step.answered") == 1


def test_two_workers_on_one_queue_open_every_case_once_and_number_every_task(town: Town) -> None:
    other_bus = Bus(town.settings.amqp_url) if not town.bus.volatile else town.bus
    other = build(
        town.settings, catalogue=town.rules, clock=town.clock, ids=RandomIds(), bus=other_bus
    )
    count = 60
    for number in range(count):
        dossier = f"000.00.01.H20-220301-{number:04d}"
        town.send_as_intake(received(dossier))
    done: list[int] = []
    lock = threading.Lock()

    def work(consumer: Any) -> None:
        while True:
            handled = consumer.step(0.2)
            with lock:
                done.append(handled)
                if sum(done) >= count:
                    return

    results = _at_once(
        lambda: work(town.service.loops[1]),
        lambda: work(other.loops[1]),
    )
    assert results == [None, None]
    town.handled("routing.facts", count)
    pump([town.service.loops[0]])
    numbers = [message.sequence for message in town.queue("phuong-1")]
    assert sorted(n or 0 for n in numbers) == list(range(1, count + 1))
    for loop in other.loops:
        loop.close()
    other.close()
