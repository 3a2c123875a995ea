"""Reads wards, roles and agencies."""

from __future__ import annotations

import re
from typing import get_args

from shared.catalogue.model import WHOLE_CITY, Agency, Reach, Role, Ward
from shared.catalogue.read.found import Found
from shared.catalogue.read.steps import SLUG
from shared.catalogue.source import Entry

OFFICIAL_ID = re.compile(r"^(?:\d{2,3}\.){1,3}H\d{2}$")
WARD_CODE = re.compile(r"^\d{5}$")
ROLE_CODE = re.compile(r"^[a-z][a-z0-9_]*$")


def read_roles(top: Entry) -> list[Found[Role]]:
    """The kinds of work that a step may ask for."""
    found = []
    for entry in top.entries("roles"):
        role = Role(entry.text("code"), entry.text("name"), entry.text("name_en"))
        if role.code and not ROLE_CODE.match(role.code):
            entry.fault(
                "code",
                en=f"'{role.code}': use lower-case letters and underscores",
                vi=f"'{role.code}': hãy dùng chữ thường không dấu và gạch dưới",
            )
        entry.done()
        found.append(Found(role, entry, {}))
    return found


def read_wards(top: Entry) -> list[Found[Ward]]:
    """The wards and communes by their code of the statistical office."""
    found = []
    for entry in top.entries("wards"):
        ward = Ward(
            code=entry.quoted("code", example="29866"),
            name=entry.text("name"),
            valid_from=entry.day("valid_from"),
            valid_to=entry.maybe_day("valid_to"),
            into=entry.quoted("into", example="29869") if entry.has("into") else None,
        )
        if ward.code and not WARD_CODE.match(ward.code):
            entry.fault(
                "code",
                en=f"'{ward.code}' is no ward code: five digits",
                vi=f"'{ward.code}' không phải mã xã phường: năm chữ số",
            )
        entry.done()
        found.append(Found(ward, entry, {}))
    return found


def read_agencies(top: Entry) -> list[Found[Agency]]:
    """The agencies of one file; `defaults` fills in what an agency does not say itself."""
    defaults = top.entry("defaults")
    found = []
    for entry in top.entries("agencies"):
        entry.under = defaults
        found.append(Found(_agency(entry), entry, {}))
        entry.done()
    if defaults is not None and found:
        defaults.known_like(found[0].entry)
        defaults.done()
    return found


def _agency(entry: Entry) -> Agency:
    code, official_id = entry.text("code"), entry.text("official_id")
    if code and not SLUG.match(code):
        entry.fault(
            "code",
            en=f"'{code}': lower-case letters, digits, hyphens; it names a queue",
            vi=f"'{code}': chữ thường không dấu, chữ số, gạch nối; dùng đặt tên hàng đợi",
        )
    if official_id and not OFFICIAL_ID.match(official_id):
        entry.fault(
            "official_id",
            en=f"'{official_id}' is no agency id: as 000.01.87.H20",
            vi=f"'{official_id}' không phải mã cơ quan: như 000.01.87.H20",
        )
    roles = entry.texts("roles")
    if not roles:
        entry.fault(
            "roles",
            en="an agency without a role is never found: write 'roles: [...]'",
            vi="cơ quan không có vai trò thì không tìm được: hãy ghi 'roles: [...]'",
        )
    return Agency(
        code=code,
        official_id=official_id,
        name=entry.text("name"),
        short_name=entry.text("short_name"),
        roles=roles,
        territory=_territory(entry),
        reach=entry.choice("reach", get_args(Reach)),
        calendar=entry.text("calendar"),
        address=entry.text("address"),
        hotline=entry.quoted("hotline", example="0277 000 0001"),
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        is_office=entry.flag("is_office", default=False),
        check=entry.flag("check", default=False),
        place=entry.maybe_text("place"),
    )


def _territory(entry: Entry) -> str:
    territory = entry.quoted("territory", example="29866")
    if territory and territory != WHOLE_CITY and not WARD_CODE.match(territory):
        entry.fault(
            "territory",
            en=f'\'{territory}\': a ward code such as "29866", or "*"',
            vi=f'\'{territory}\': mã xã phường như "29866", hoặc "*"',
        )
    return territory
