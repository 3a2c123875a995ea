"""The least that takes in a dossier over HTTP: Flask, marshmallow, one insert. Runs as a process.

`python -m bench.intake.minimal URL PORT THREADS`: under the server that intake's web runs under.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import marshmallow as ma
import psycopg
from flask import Flask, Response, request
from marshmallow import fields, validate

from shared.web.server import run_gunicorn

TABLE = """
CREATE TABLE dossiers (
  code bigserial PRIMARY KEY, procedure text NOT NULL, channel text NOT NULL, form jsonb NOT NULL,
  papers jsonb NOT NULL, contact jsonb NOT NULL, submitted_at timestamptz NOT NULL DEFAULT now())
"""
_INSERT = """
INSERT INTO dossiers (procedure, channel, form, papers, contact) VALUES (%s, %s, %s, %s, %s)
RETURNING code
"""


class _Paper(ma.Schema):
    code = fields.String(required=True)
    original = fields.Integer(load_default=0, validate=validate.Range(0, 99))
    copy = fields.Integer(load_default=0, validate=validate.Range(0, 99))


class _Consent(ma.Schema):
    sms = fields.Boolean(load_default=False)
    email = fields.Boolean(load_default=False)


class _Contact(ma.Schema):
    name = fields.String(required=True)
    phone = fields.String(load_default=None)
    language = fields.String(load_default="vi", validate=validate.OneOf(("vi", "en")))
    consent = fields.Nested(_Consent, load_default=None)


class _Dossier(ma.Schema):
    procedure = fields.String(required=True)
    channel = fields.String(required=True)
    form = fields.Dict(keys=fields.String(), required=True)
    papers = fields.List(fields.Nested(_Paper), load_default=list)
    contact = fields.Nested(_Contact, required=True)


def create_app(url: str) -> Flask:
    """The app; each thread of the server has a connection of its own."""
    app, schema, own = Flask("minimal"), _Dossier(), threading.local()

    @app.post("/api/v1/dossiers")
    def submit() -> Response:
        try:
            body: dict[str, Any] = schema.load(request.get_json())
        except ma.ValidationError as wrong:
            return Response(json.dumps(wrong.messages), 400, content_type="application/json")
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(url, autocommit=True)
        parts = (
            json.dumps(body[each], ensure_ascii=False) for each in ("form", "papers", "contact")
        )
        row = own.connection.execute(
            _INSERT, (body["procedure"], body["channel"], *parts)
        ).fetchone()
        return Response(json.dumps({"code": row[0]}), 201, content_type="application/json")

    return app


if __name__ == "__main__":
    address, door, many = sys.argv[1:]
    run_gunicorn(lambda: create_app(address), host="127.0.0.1", port=int(door), threads=int(many))
