"""Schemathesis on the agencies' API: whatever is sent, the answer is one that the API describes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import positive_data_acceptance

from tests.routing.town import Town


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v1/tasks", "GET"),
        ("/api/v1/tasks/{task_id}", "GET"),
        ("/api/v1/tasks/{task_id}/answers", "POST"),
    ],
)
def test_no_input_breaks_the_description(small_town: Town, path: str, method: str) -> None:
    small_town.receive("000.00.01.H20-220301-0001")
    key, task = small_town.key("phuong-1"), small_town.task("phuong-1")
    described = schemathesis.openapi.from_wsgi("/openapi/routing.json", small_town.service.web)
    turns = iter(range(10**9))

    @given(case=described[path][method].as_strategy())
    @settings(
        max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def every(case: Any) -> None:
        if "task_id" in case.path_parameters and next(turns) % 2:
            case.path_parameters["task_id"] = task
        # Which fields go with which kind of answer is more than the description can say.
        case.call_and_validate(headers=key, excluded_checks=[positive_data_acceptance])

    every()
