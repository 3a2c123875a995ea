"""The REST side: flask-smorest with problem documents, and its description at /docs."""

from __future__ import annotations

import http
from typing import Any, Final

from flask import Blueprint, Flask, render_template, send_from_directory
from flask_smorest import Api
from flask_smorest.utils import prepare_response
from flask_swagger_ui import flask_swagger_ui
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from shared.web import errors, problems
from shared.web.schemas import Instant, ProblemSchema
from shared.web.state import state_of

_ASSETS: Final = frozenset(
    {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE"}
)


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
    app.register_blueprint(_docs())
    state_of(app).public_endpoints |= {"api-docs.openapi_json", "docs.index", "docs.asset"}
    return api


def _docs() -> Blueprint:
    """Swagger UI from the files of its package: nothing is fetched from elsewhere."""
    blue = Blueprint("docs", __name__)
    blue.add_url_rule("/docs", "index", _index)
    blue.add_url_rule("/docs/<name>", "asset", _asset)
    return blue


def _index() -> str:
    return render_template("lienthong/docs.html")


def _asset(name: str) -> Response:
    from pathlib import Path

    if name not in _ASSETS:
        from shared.kernel.errors import NotFound

        raise NotFound("no such file")
    folder = Path(flask_swagger_ui.__file__).parent / "dist"
    return send_from_directory(folder, name, max_age=86400)
