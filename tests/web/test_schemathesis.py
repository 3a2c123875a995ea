"""The API description and the API say the same, whatever is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from shared.web.api import ProblemApi


@pytest.mark.parametrize(
    ("path", "method"),
    [("/api/v1/notes", "POST"), ("/api/v1/notes", "GET"), ("/api/v1/open", "GET")],
)
def test_no_input_breaks_the_description(tiny, path, method):
    schema = schemathesis.openapi.from_wsgi("/openapi.json", tiny.app)
    operation = schema[path][method]

    @given(case=operation.as_strategy())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def every(case):
        case.call_and_validate(headers=tiny.bearer())

    every()


def test_the_api_answers_errors_with_our_own_problem_documents():
    assert ProblemApi.ERROR_SCHEMA.__name__ == "ProblemSchema"
