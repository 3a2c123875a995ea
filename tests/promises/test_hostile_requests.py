"""Whatever is sent to a door, by whoever holds a key, is answered as the door's description says.

Never 500, never megabytes, never words that a page or a database chokes on; on both back ends,
through the real WSGI apps of all three services.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from shared.catalogue import Catalogue
from shared.settings import SERVICES
from simulation.kit import City, filing, open_city
from tests.backends import Backend
from tests.migrating import migrate
from tests.staff import person, signed_in

BIRTH, WARD = "2.000986", "ubnd-phuong-1"
SOME_DAY = date(2022, 3, 14)
MOST_BYTES = 150_000
OTHERS = {"code": "000.00.00.H20-000000-0000", "task_id": "nothing", "message_id": "nothing"}
TEXTS = [
    "\ud800", "nửa \udfff", "a\0b", "\x1b[31m", "\u202e\u2028\ufeff", "9" * 5000, "9" * 4300,
    "1." + "000." * 1500 + "000", "-" + "9" * 4301, "1e999", "0x10", "²³", "٣", "NaN", "1" * 16,
    "0001-01-01", "0001-01-01T00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31", "9999-12-31T23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00",
    "2022-02-30", "01/01/0001", "31/12/9999", "x" * 60_000, "%s{0}{a.b}%00", "../../etc/passwd",
    "<script>", " ", "", "🏳️‍🌈" * 500, "a\r\nX-Other: b", "o\u0301" * 3000,
]  # fmt: skip
SHARP = ["\ud800", "9" * 5000, "a\0b", "0001-01-01T00:00", "0001-01-01", "9999-12-31T23:59",
    "31/12/9999"]  # fmt: skip
#: What may stand in an address; a line of it holds no megabyte.
ADDRESSES = [text[:2000] for text in TEXTS]
#: As they stand in JSON, some of which no encoder would write.
VALUES = [
    *(json.dumps(text) for text in TEXTS),
    "9" * 5000, "-" + "9" * 4300, "1e999", "-1e999", "NaN", "-Infinity", "1" * 400 + ".5", "-0",
    "1.5", "9007199254740993", "true", "null", "[]", "{}", "[null]", "[[]]", '[{"a": 1}]',
    "[" * 40 + "]" * 40, "[" * 1500 + "]" * 1500, '{"a":' * 1500 + "1" + "}" * 1500,
    r'{"\ud800": 1}', r'{"a\u0000b": 1}', '{"' + "k" * 60_000 + '": 1}', '["a","b"]',
    "[" + ",".join(["0"] * 2000) + "]", '{"x.y": {"z": 1}}',
]  # fmt: skip
SHARP_VALUES = [
    *map(json.dumps, SHARP),
    "9" * 5000,
    "[" * 1500 + "]" * 1500,
    r'{"\ud800": 1}',
    "1e999",
]
BODIES = [
    b"", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{", b"[]", b"1", b'"a"', b"null", b"[" * 100_000,
    b"[" * 1500 + b"]" * 1500, b'{"a":' * 990 + b"1" + b"}" * 990, b'{"a": "\xed\xa0\x80"}',
    b'{"a": 1, "a": 2}', b"9" * 5000, b'"' + b'\\"' * 400_000,
    json.dumps({"form": dict.fromkeys((f"f{n}" for n in range(3000)), 1)}).encode(),
    json.dumps({f"member {n}": n for n in range(40_000)}).encode(),
    json.dumps({"form": {f"f{n}": n for n in range(60_000)}}).encode(),
    json.dumps({"papers": [{}] * 250_000}).encode(),
    json.dumps({"papers": [{"code": 1, "no": 2}] * 30_000}).encode(),
    json.dumps({"items": ["x"] * 150_000}).encode(),
    json.dumps({"branches": list(range(130_000))}).encode(),
]  # fmt: skip
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One method of one address of a service's API, as it is described."""

    method: str
    path: str
    fields: tuple[str, ...]
    query: tuple[str, ...]
    answers: frozenset[int]


class Service:
    """One service's app, its API's holder and somebody signed in to its pages."""

    def __init__(self, city: City, name: str, holder: tuple[Any, str], real: dict[str, str]):
        self.name = name
        self.wrong: dict[str, str] = {}
        self.app: Flask = city.built.services[name].web
        self.real = real
        self.key = city.key(name, *holder)
        self.api = Client(self.app)
        self.pages = Client(self.app)
        kind, code = holder
        role = "officer" if kind == "desk" else kind
        code = "*" if kind == "operator" else code
        intake = city.built.intake
        who, _ = person(intake.store, city.catalogue, (role, code), login=f"nguoi.{name}")
        signed_in(self.pages, intake.web, intake.store, who)
        inside = self.pages.get(f"/docs{self.suffix}").text
        self.token = re.search(r'name="csrf_token" value="([^"]+)"', inside)[1]

    @property
    def suffix(self) -> str:
        return "" if self.name == "intake" else f"/{self.name}"

    def operations(self) -> list[Operation]:
        document = self.api.get(f"/openapi{self.suffix}.json").get_json()
        schemas = document["components"]["schemas"]
        found = []
        for path, item in document["paths"].items():
            for method in set(item) & {"get", "post"}:
                said = item[method]
                body = said.get("requestBody", {}).get("content", {}).get("application/json", {})
                schema = schemas.get(body.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
                query = [p["name"] for p in said.get("parameters", ()) if p.get("in") == "query"]
                answers = frozenset(int(each) for each in said["responses"] if each.isdigit())
                fields = tuple(schema.get("properties", ()))
                found.append(Operation(method.upper(), path, fields, tuple(query), answers))
        return found

    def ask(self, operation: Operation, **request: Any) -> TestResponse:
        """The answer, found to be one that the description promises."""
        path = operation.path
        for name, value in request.pop("place", self.real).items():
            path = path.replace(f"{{{name}}}", value)
        answer = self.api.open(
            path,
            method=operation.method,
            headers={"Authorization": f"Bearer {self.key}", **request.pop("headers", {})},
            **request,
        )
        where = f"{operation.method} {operation.path}"
        if answer.status_code not in operation.answers:
            self.wrong.setdefault(
                f"{where} {answer.status_code} is not described", repr(request)[:300]
            )
        self.check(answer, where, request)
        return answer

    def page(self, path: str, form: str | None = None) -> int:
        """The status of a page that somebody signed in opens, or fills in."""
        place = path.format(**self.real, procedure=BIRTH)
        kind = {} if form is None else {"content_type": "application/x-www-form-urlencoded"}
        answer = self.pages.open(place, method="GET" if form is None else "POST", data=form, **kind)
        # A page shows again what was typed into it.
        most = MOST_BYTES + 2 * len(form or "")
        self.check(answer, f"page {path[:60]}", (place[-80:], form and form[-80:]), most)
        return answer.status_code

    def check(self, answer: TestResponse, where: str, request: Any, most: int = MOST_BYTES) -> None:
        """Note what no door should say."""
        wrong = []
        if answer.status_code >= 500:
            wrong.append(str(answer.status_code))
        if len(answer.data) >= most:
            wrong.append("a huge answer")
        if answer.content_type == "application/problem+json":
            wrong += _wrong_with(json.loads(answer.data.decode("utf-8")))
        for each in wrong:
            told = f"{repr(request)[:300]}: {len(answer.data)} {answer.text[:300]}"
            self.wrong.setdefault(f"{where}: {each}", told)

    def found(self) -> str:
        """What was wrong, each kind once."""
        told, self.wrong = "\n".join(f"{k} <- {v}" for k, v in self.wrong.items()), {}
        return told


def _wrong_with(problem: dict[str, Any]) -> Iterator[str]:
    faults = problem.get("errors", ())
    if len(faults) > 101:
        yield "hundreds of faults"
    if not all(each["vi"] and each["en"] for each in faults):
        yield "a fault without words"
    if any(len(each["place"]) > 250 for each in faults):
        yield "a place without end"


@pytest.fixture(scope="module")
def services(lasting_place: Backend, catalogue: Catalogue) -> Iterator[dict[str, Service]]:
    for service in SERVICES:
        lasting_place.migrated(service, partial(migrate, service))
    with open_city(
        lasting_place.data_dir,
        catalogue=catalogue,
        database={name: lasting_place.settings(name).database_url for name in SERVICES},
        broker=None if lasting_place.embedded else lasting_place.amqp_url(),
    ) as city:
        receipt = city.desk(WARD).submit(BIRTH)
        city.rest()
        code = city.agencies_of(BIRTH, WARD)[0]
        with city.agency(code) as agency:
            task = agency.tasks(receipt.code)[0]
        holders = {
            "intake": ("desk", WARD),
            "routing": ("agency", code),
            "notify": ("operator", "the operators"),
        }
        real = {
            "intake": {"code": receipt.code},
            "routing": {"task_id": task.id},
            "notify": {"message_id": city.sent(receipt.code)[0].id},
        }
        yield {name: Service(city, name, holders[name], real[name]) for name in SERVICES}


def base(service: Service, operation: Operation, catalogue: Catalogue) -> dict[str, Any]:
    """A body that is right, or nearly."""
    if operation.path.endswith("/dossiers"):
        return filing(catalogue.procedure(BIRTH, SOME_DAY))
    if operation.path.endswith("/answers"):
        return {"answer_id": "a-1", "kind": "refused", "reason": "thiếu giấy"}
    return {}


def raw(body: dict[str, Any], name: str, value: str) -> bytes:
    """The body with one member as it is written here."""
    rest = {key: each for key, each in body.items() if key != name}
    members = [f"{json.dumps(key)}:{json.dumps(each)}" for key, each in rest.items()]
    return ("{" + ",".join([*members, f"{json.dumps(name)}:{value}"]) + "}").encode()


JSON = {"content_type": "application/json"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_body_breaks_an_operation(services: dict[str, Service], catalogue: Catalogue, name: str):
    service, tried = services[name], 0
    for operation in service.operations():
        if operation.method != "POST":
            continue
        for body in BODIES if not tried else BODIES[:-6]:
            service.ask(operation, data=body, **JSON)
        service.ask(operation, data=b"a=1", content_type="application/x-www-form-urlencoded")
        service.ask(operation, data=b"x" * 1_100_000, **JSON)
        right = base(service, operation, catalogue)
        for field in operation.fields:
            tried += 1
            # Each value is tried in one field of three, those that broke something in each.
            for value in {*VALUES[tried % 3 :: 3], *SHARP_VALUES}:
                service.ask(operation, data=raw(right, field, value), **JSON)
    assert service.found() == ""


@pytest.mark.parametrize("name", SERVICES)
def test_no_address_breaks_an_operation(services: dict[str, Service], name: str):
    service = services[name]
    operations = service.operations()
    for operation in operations:
        odd = {"place": dict.fromkeys(service.real, "")}
        for text in ADDRESSES:
            odd["place"] = dict.fromkeys(service.real, _quoted(text))
            if service.real and "{" in operation.path and text not in ("", ".."):
                service.ask(operation, **odd)
            for each in operation.query:
                service.ask(operation, query_string=encoded(**{each: text}))
        for text in ADDRESSES if operation is operations[-1] else ():
            for header in ("Idempotency-Key", "Accept-Language", "Authorization"):
                service.ask(operation, headers={header: _header(text)}, json={})
    assert service.found() == ""


def _header(text: str) -> str:
    return "".join(each for each in text if 31 < ord(each) < 256)[:4000]


CONTACT = ("c.name", "c.phone", "c.email", "c.address", "c.language")
PAPERS = ("p.other.original", "p.other.name", "p.to-khai-khai-sinh.original")
FORM = ("f.child_name", "f.child_birth_date", "f.child_sex", "f.mother_id")
CODE = "/ho-so/{code}"
#: Pages with forms -> their inputs; every one of them also takes the odd token.
FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "intake": {
        "/ho-so/moi/{procedure}": (*FORM, *PAPERS, *CONTACT, "branches", "channel", "seen"),
        "/ho-so/ban-nhap/{procedure}": (*FORM[:1], *CONTACT[:1], "d.page", "d.after", "d.n"),
        "/ho-so/ban-nhap/{code}/xoa": (),
        "/ho-so/nhap-tep": ("procedure", "file"),
        f"{CODE}/receive": PAPERS[1:],
        f"{CODE}/refuse": ("reason", "next_step"),
        f"{CODE}/request-supplement": ("items", "reason", "respond_by"),
        f"{CODE}/supplement": (*PAPERS[:1], *FORM, "round"),
        f"{CODE}/extend-supplement": ("respond_by",),
        f"{CODE}/payment": ("amount_vnd", "proof", "step"),
        f"{CODE}/withdraw": ("reason",),
        f"{CODE}/return-result": ("method",),
        f"{CODE}/contact": CONTACT,
        f"{CODE}/called": (),
        f"{CODE}/sua": (*FORM, *CONTACT, "reason", "version", "token", "was.f.child_name"),
        "/ho-so/tim": ("q",),
        f"{CODE}/nothing": (),
        "/tra-cuu": ("code", "word"),
        "/dang-nhap": ("login", "password", "next", "gui", "giu.reason"),
        "/dang-nhap/ma": ("code", "next"),
        "/dang-nhap/mat-khau": ("password_new", "password_again"),
        "/phien": ("reason", "next"),
        "/tai-khoan/mat-khau": ("password", "password_new", "password_again"),
        "/tai-khoan/noi-lam-viec": ("kind", "code"),
        "/tai-khoan/xac-thuc": ("code", "password"),
        "/can-bo/ban-giao": ("from", "to"),
    },
    "routing": {
        "/nhiem-vu/{task_id}/tra-loi": (
            "kind", "answer_id", "officer", "result_code", "document", "reason", "items",
            "amount_vnd", "until", "respond_by", "nothing",
        )
    },
    "notify": {"/tin-nhan/{message_id}/gui-lai": ()},
}  # fmt: skip
#: Pages -> what their addresses may ask for.
LISTS: dict[str, dict[str, tuple[str, ...]]] = {
    "intake": {
        "/ho-so": (
            "xem",
            "trang-thai",
            "thu-tuc",
            "hinh-thuc",
            "tim",
            "tu",
            "den",
            "cursor",
            "ngay",
            "in",
        ),
        "/ho-so/danh-sach.csv": ("xem", "tim", "tu", "trang-thai", "ngay"),
        "/ho-so/danh-sach.xlsx": ("xem", "tim"),
        "/bao-cao": ("thang",),
        "/ho-so/moi/{procedure}": ("nhap",),
        "/ho-so/ban-nhap": (),
        "/ho-so/nhap-tep": ("procedure",),
        CODE: (),
        f"{CODE}/giay-hen": ("lan", "kho"),
        f"{CODE}/giay-hen.pdf": ("lan", "kho"),
        f"{CODE}/phieu-kiem-soat": (),
        f"{CODE}/phieu-kiem-soat.pdf": ("kho",),
        "/so-theo-doi": ("ngay", "phan"),
        "/so-theo-doi.pdf": ("ngay", "phan"),
        "/tai-khoan": ("next",),
    },
    "routing": {"/nhiem-vu": (), "/nhiem-vu/{task_id}": ()},
    "notify": {
        "/tin-nhan": ("state", "channel", "dossier", "after"),
        "/tin-nhan/{message_id}": (),
    },
}
KINDS = ["completed", "supplement_needed", "refused", "more_time_needed", "taken"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_form_breaks_a_page(services: dict[str, Service], name: str):
    service = services[name]
    reached = set()
    sharp = itertools.cycle(SHARP)
    for half, (path, inputs) in enumerate(FORMS[name].items()):
        every = [dict.fromkeys((*inputs, "token"), text) for text in TEXTS[half % 2 :: 2]]
        # What is looked at first hides what stands behind it: a few are given alone.
        alone = [{each: text} for each in inputs for text in (next(sharp), next(sharp))]
        for number, typed in enumerate([*every, *alone]):
            kind = typed.get("kind", "") if number % 2 else KINDS[number % len(KINDS)]
            form = {"csrf_token": service.token, **typed, "kind": kind}
            reached.add(service.page(path, encoded(**form)))
        for odd in map(_quoted, TEXTS[:4]):
            service.page(re.sub("{.*?}", odd, path), encoded(csrf_token=service.token))
    assert service.found() == ""
    assert 400 not in reached, "the forms are not let in"
    assert {422, 303} & reached


@pytest.mark.parametrize("name", SERVICES)
def test_no_address_breaks_a_page(services: dict[str, Service], name: str):
    service = services[name]
    for path, filters in LISTS[name].items():
        assert service.page(path) == 200
        for text in ADDRESSES:
            for each in filters[len(text) % 2 :: 2]:
                service.page(f"{path}?{encoded(**{each: text})}")
            if "{" in path and text.strip("."):
                service.page(re.sub("{.*?}", _quoted(text), path))
    assert service.found() == ""


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def encoded(**given: str) -> str:
    return urlencode(given, errors="surrogatepass")


@pytest.mark.parametrize("name", SERVICES)
def test_no_tree_of_values_breaks_an_operation(services: dict[str, Service], name: str):
    service = services[name]
    operations = [each for each in service.operations() if each.method == "POST"]

    @settings(
        max_examples=60, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def tries(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(operations))
        body = data.draw(
            TREES | st.fixed_dictionaries({}, optional=dict.fromkeys(operation.fields, TREES))
        )
        service.ask(operation, data=json.dumps(body).encode(), **JSON)

    tries()
    assert service.found() == ""
