"""The REST door against its own description: schemathesis sends what fits and what does not."""

from __future__ import annotations

import itertools
import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import positive_data_acceptance
from schemathesis.core.failures import FailureGroup

from tests.intake.made import FORM
from tests.intake.rig import Desk

pytestmark = pytest.mark.slow


@pytest.fixture
def door(embedded_desk: Desk):
    """The described API of a service that already holds some dossiers."""
    embedded_desk.submit()
    embedded_desk.submit(channel="online")
    return embedded_desk


OPERATIONS = [
    ("GET", "/api/v1/dossiers"),
    ("GET", "/api/v1/dossiers/{code}"),
    ("GET", "/api/v1/dossiers/{code}/timeline"),
    ("GET", "/api/v1/procedures"),
    ("GET", "/api/v1/procedures/{code}"),
    ("GET", "/api/v1/reports/ii06a"),
    ("POST", "/api/v1/look-up"),
    ("POST", "/api/v1/dossiers"),
    ("POST", "/api/v1/dossiers/{code}/receive"),
    ("POST", "/api/v1/dossiers/{code}/refuse"),
    ("POST", "/api/v1/dossiers/{code}/request-supplement"),
    ("POST", "/api/v1/dossiers/{code}/extend-supplement"),
    ("POST", "/api/v1/dossiers/{code}/supplement"),
    ("POST", "/api/v1/dossiers/{code}/payment"),
    ("POST", "/api/v1/dossiers/{code}/withdraw"),
    ("POST", "/api/v1/dossiers/{code}/apologise"),
    ("POST", "/api/v1/dossiers/{code}/grant-extension"),
    ("POST", "/api/v1/dossiers/{code}/refuse-extension"),
    ("POST", "/api/v1/dossiers/{code}/return-result"),
    ("POST", "/api/v1/dossiers/{code}/correct-waybill"),
    ("POST", "/api/v1/dossiers/{code}/contact"),
    ("POST", "/api/v1/dossiers/{code}/called"),
    ("POST", "/api/v1/dossiers/{code}/correct"),
    ("GET", "/api/v1/dossiers/{code}/attachments"),
    ("POST", "/api/v1/dossiers/{code}/attachments"),
    ("GET", "/api/v1/dossiers/{code}/attachments/{file_id}"),
    ("POST", "/api/v1/dossiers/{code}/attachments/{file_id}/withdraw"),
    ("GET", "/api/v1/files"),
    ("POST", "/api/v1/files"),
    ("GET", "/api/v1/files/{file_id}"),
]


def described(door: Desk) -> dict:
    return door.web.test_client().get("/openapi.json").get_json()


def test_every_operation_is_tried(embedded_desk):
    paths = described(embedded_desk)["paths"]
    found = {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda v: v.rsplit("/", 1)[-1])
def test_an_operation_answers_as_it_is_described(door, method, path):
    schema = schemathesis.openapi.from_wsgi("/openapi.json", door.web)
    operation = schema[path][method]
    real = "1.000001" if "procedures" in path else "000.01.15.H20-220301-0002"
    turns = itertools.count()

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy())
    def tries(case):
        # Half of the cases go to what is really there, else they would all end at its door.
        if next(turns) % 2:
            if "code" in case.path_parameters:
                case.path_parameters["code"] = real
            elif isinstance(case.body, dict) and "procedure" in case.body:
                case.body |= {"procedure": "1.000001", "form": dict(FORM)}
        # What fits the description may still break a rule of the desk: that is answered by 422.
        case.call_and_validate(
            headers={"Authorization": f"Bearer {door.key}"},
            excluded_checks=[positive_data_acceptance],
        )

    try:
        tries()
    except FailureGroup as group:
        pytest.fail("\n".join(f"{type(e).__name__}: {e}" for e in group.exceptions)[:4000])


def test_the_description_names_every_error_as_a_problem(embedded_desk):
    document = described(embedded_desk)
    text = json.dumps(document)
    assert "application/problem+json" in text
    assert document["info"]["title"] == "Liên Thông – Tiếp nhận"
    submit = document["paths"]["/api/v1/dossiers"]["post"]
    assert {"201", "400", "401", "409", "422"} <= set(submit["responses"])
    assert [p["name"] for p in submit["parameters"]] == ["Idempotency-Key"]
