"""The REST side: flask-smorest with problem documents, and its description at /docs."""

from __future__ import annotations

import http
import re
from collections.abc import Mapping
from typing import Any, Final

import flask
import flask_smorest
from apispec import BasePlugin
from flask import Flask, Request, render_template
from flask_smorest import Api
from flask_smorest.arguments import FlaskParser
from flask_smorest.utils import prepare_response
from webargs.core import missing
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from shared.identity.guard import guard_of
from shared.web import contract_page, described, errors, problems
from shared.web.schemas import Instant, ProblemSchema


class _Parser(FlaskParser):  # type: ignore[misc]
    """webargs' parser; JSON is read by the door's one reader."""

    def _raw_load_json(self, req: Request) -> Any:
        return req.get_json() if req.is_json and req.get_data(cache=True) else missing


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """smorest's Blueprint, for operations that read bodies."""

    ARGUMENTS_PARSER = _Parser()


#: What any operation may answer besides what it declares, and what one that takes a body may.
_EVERYWHERE: Final[Mapping[int, str]] = {
    401: "UNAUTHORIZED", 403: "FORBIDDEN", 429: "TOO_MANY_REQUESTS", 503: "SERVICE_UNAVAILABLE"
}  # fmt: skip
_WITH_BODY: Final[Mapping[int, str]] = {
    400: "BAD_REQUEST", 413: "REQUEST_ENTITY_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"
}  # fmt: skip


class _Refusals(BasePlugin):
    """Describes the refusals that stand before every operation."""

    def operation_helper(
        self, *_: Any, operations: dict[str, Any] | None = None, **__: Any
    ) -> None:
        """Add them to the operations of one address."""
        for method, operation in (operations or {}).items():
            told = {**_EVERYWHERE, **({} if method == "get" else _WITH_BODY)}
            for status, name in told.items():
                operation.setdefault("responses", {}).setdefault(str(status), name)


class ProblemApi(Api):  # type: ignore[misc]
    """smorest's Api; every error is a problem document and is described as one."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer as the rest of the app does; smorest's own would drop the Allow header."""
        return errors.on_http(error)

    def _register_responses(self) -> None:
        """Describe the errors with their real content type."""
        rows: list[tuple[str, str, bool]] = [
            (status.name, status.phrase, status >= 200 and status not in (204, 304))
            for status in http.HTTPStatus
        ]
        rows.append(("DEFAULT_ERROR", "Problem document (RFC 9457)", True))
        for name, words, has_body in rows:
            response: dict[str, Any] = {"description": words}
            if has_body:
                response["schema"] = self.ERROR_SCHEMA
            prepare_response(response, self.spec, problems.CONTENT_TYPE)
            self.spec.components.response(name, response, lazy=True)


def linked(status: int, place: str, named: str, *targets: str) -> dict[str, Any]:
    """For `Blueprint.doc`: what the answer of this status names opens these operations.

    `named` is a runtime expression of OpenAPI, handed on as the parameter `place` of each target,
    which is a method and a path: "get /api/v1/dossiers/{code}".
    """
    links = {}
    for target in targets:
        method, path = target.split()
        where = f"#/paths/{path.replace('/', '~1')}/{method}"
        links[re.sub(r"\W+", "-", target).strip("-")] = {
            "operationRef": where,
            "parameters": {place: named},
        }
    return {"responses": {str(status): {"links": links}}}


def create_api(app: Flask, title: str, *, version: str = "1", about: str = "", of: str = "") -> Api:
    """Add the API to an app of `create_app`: /openapi.json and, for people, /docs.

    `of` is the service that they describe, where it is not the first of the one address: its
    description is at /openapi/<of>.json and /docs/<of>.
    """
    app.config.update(
        API_TITLE=title,
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH=f"openapi/{of}.json" if of else "openapi.json",
    )
    key = {"type": "http", "scheme": "bearer", "description": "Khóa truy cập, dạng lt_…"}
    api = ProblemApi(
        app,
        spec_kwargs={
            "security": [{"key": []}],
            "info": {"description": about or title},
            "extra_plugins": [_Refusals()],
        },
    )
    api.spec.components.security_scheme("key", key)
    api.register_field(Instant, "string", "date-time")
    app.register_blueprint(_docs(api, about or title, f"/docs/{of}" if of else "/docs"))
    public = {"api-docs.openapi_json", "docs.index"}
    if not of:
        app.register_blueprint(contract_page.blueprint())
        public |= {"contract.page", "contract.file"}
    guard_of(app).public_endpoints |= public
    return api


def _docs(api: Api, about: str, address: str) -> flask.Blueprint:
    """The page for people."""
    blue = flask.Blueprint("docs", __name__)

    def index() -> str:
        document = api.spec.to_dict()
        return render_template(
            "lienthong/docs.html",
            about=about,
            parts=described.parts(document),
            schemas=described.schemas(document),
        )

    blue.add_url_rule(address, "index", index)
    return blue
