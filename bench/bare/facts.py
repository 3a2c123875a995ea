"""The bodies that the bare pipeline carries: as large as the product's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

AT = "2026-11-23T03:00:00Z"
DUE = "2026-11-25T10:00:00Z"
FORM = {
    "applicant_name": "Nguyễn Thị Bích Ngọc",
    "applicant_id_number": "087190001234",
    "applicant_birth_date": "1990-05-17",
    "applicant_address": "12 Nguyễn Huệ, Phường 1, thành phố Cao Lãnh",
    "document_kind": "Bằng tốt nghiệp đại học",
    "copies": 3,
    "purpose": "Nộp hồ sơ xin việc",
}


def fact(source: str, kind: str, subject: str, number: int, data: Mapping[str, Any]) -> bytes:
    """One CloudEvent in structured JSON."""
    envelope = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": kind,
        "subject": subject,
        "time": AT,
        "datacontenttype": "application/json",
        "dataschema": f"urn:lienthong:{kind}",
        "sequence": f"{number:010d}",
        "correlationid": subject,
        "data": data,
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def received(code: str) -> bytes:
    """dossier.received, about 1 kB."""
    data = {
        "dossier": code,
        "procedure": {
            "code": "2.000815",
            "version": 1,
            "name": "Thủ tục chứng thực bản sao từ bản chính giấy tờ, văn bản",
            "short_name": "Chung thuc ban sao",
        },
        "field": "Chứng thực",
        "office": {
            "code": "ubnd-phuong-1",
            "name": "Ủy ban nhân dân Phường 1",
            "territory": "29869",
        },
        "channel": "direct",
        "submitted_at": AT,
        "received_at": AT,
        "promised_at": DUE,
        "due_at": DUE,
        "form": FORM,
        "papers": [{"code": "ban-chinh", "name": "Bản chính", "original": 1, "copy": 3}],
        "branches": [],
    }
    return fact("/intake", "vn.lienthong.dossier.received.v1", code, 1, data)


def contact(code: str) -> bytes:
    """contact.given."""
    data = {
        "dossier": code,
        "name": FORM["applicant_name"],
        "phone": "+84912345678",
        "email": None,
        "language": "vi",
        "consent": {"sms": True, "email": False},
        "lookup_word": "K7MPQX",
        "given_at": AT,
    }
    return fact("/intake/contacts", "vn.lienthong.contact.given.v1", code, 1, data)


def assigned(code: str, task: str) -> bytes:
    """task.assigned."""
    data = {
        "task": task,
        "dossier": code,
        "agency": "ubnd-phuong-1",
        "procedure": {"code": "2.000815", "name": "Chứng thực bản sao"},
        "step": {"code": "certify", "name": "Chứng thực"},
        "assigned_at": AT,
        "due_at": DUE,
        "form": FORM,
        "papers": [{"code": "ban-chinh", "name": "Bản chính", "original": 1, "copy": 3}],
        "results": ["certified", "refused"],
    }
    return fact("/routing/tasks", "vn.lienthong.task.assigned.v1", "ubnd-phuong-1", 1, data)


def small(source: str, kind: str, code: str, number: int) -> bytes:
    """A fact of few words: dossier.started, step.opened, citizen.notified."""
    data = {
        "dossier": code,
        "step": {"code": "certify", "name": "Chứng thực"},
        "agency": {"code": "ubnd-phuong-1", "name": "Ủy ban nhân dân Phường 1"},
        "at": AT,
        "due_at": DUE,
    }
    return fact(source, f"vn.lienthong.{kind}.v1", code, number, data)
