"""The REST side: flask-smorest with problem documents, and its description at /docs."""

from __future__ import annotations

import http
from typing import Any

from flask import Blueprint, Flask, render_template
from flask_smorest import Api
from flask_smorest.utils import prepare_response
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from shared.identity.guard import guard_of
from shared.web import described, errors, problems
from shared.web.schemas import Instant, ProblemSchema


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


def create_api(app: Flask, title: str, *, version: str = "1", about: str = "") -> Api:
    """Add the API to an app of `create_app`: /openapi.json and, for people, /docs."""
    app.config.update(
        API_TITLE=title,
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    key = {"type": "http", "scheme": "bearer", "description": "Khóa truy cập, dạng lt_…"}
    api = ProblemApi(
        app, spec_kwargs={"security": [{"key": []}], "info": {"description": about or title}}
    )
    api.spec.components.security_scheme("key", key)
    api.register_field(Instant, "string", "date-time")
    app.register_blueprint(_docs(api, about or title))
    guard_of(app).public_endpoints |= {"api-docs.openapi_json", "docs.index"}
    return api


def _docs(api: Api, about: str) -> Blueprint:
    """The page for people."""
    blue = Blueprint("docs", __name__)

    def index() -> str:
        document = api.spec.to_dict()
        return render_template(
            "lienthong/docs.html",
            about=about,
            parts=described.parts(document),
            schemas=described.schemas(document),
        )

    blue.add_url_rule("/docs", "index", index)
    return blue
