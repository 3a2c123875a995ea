"""Official forms: one of each kind on every day, and only for roles that there are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.model import FormKind, OfficialForm
from shared.catalogue.read import Folder, Found

FORMS: Final = "forms"
#: A stop has a form of its own in some circulars only; each of the others must always be there.
ALWAYS: Final[tuple[FormKind, ...]] = (
    "receipt", "supplement", "refusal", "apology", "control", "register",
)  # fmt: skip


def check_forms(folder: Folder, faults: Faults) -> None:
    """Whatever day a dossier is received on, each of its papers has a form."""
    roles = {found.value.code for found in folder.roles}
    for found in folder.forms:
        _check_roles(found, roles)
    first = min((found.value.valid_from for found in folder.procedures), default=date.max)
    for kind in ALWAYS:
        own = [one for one in folder.forms if one.value.kind == kind and not one.value.used_by]
        _check_days(kind, sorted(own, key=lambda one: one.value.valid_from), first, faults)


def _check_roles(found: Found[OfficialForm], roles: set[str]) -> None:
    for role in found.value.used_by:
        if role not in roles:
            en, vi = did_you_mean(role, roles)
            found.entry.fault(
                "used_by",
                en=f"there is no role '{role}' in agencies/roles.yaml: {en}",
                vi=f"không có vai trò '{role}' trong agencies/roles.yaml: {vi}",
            )


def _check_days(
    kind: FormKind, forms: list[Found[OfficialForm]], first: date, faults: Faults
) -> None:
    """From the first day of any procedure on, without a gap and without an end."""
    if not forms:
        faults.add(
            FORMS,
            en=f"no circular has a form for '{kind}' that everybody uses: write one in {FORMS}/",
            vi=f"không có mẫu '{kind}' dùng chung: hãy ghi vào {FORMS}/",
        )
        return
    uncovered: date | None = first
    for found in forms:
        if uncovered is not None and found.value.valid_from > uncovered:
            _say_gap(found, kind, uncovered)
        end = found.value.valid_to
        uncovered = None if end is None else end + timedelta(days=1)
    if uncovered is not None:
        forms[-1].entry.fault(
            "valid_to",
            en=f"from {uncovered} on there is no form for '{kind}': add the next circular",
            vi=f"từ {uncovered} không có mẫu '{kind}': hãy thêm thông tư tiếp theo",
        )


def _say_gap(found: Found[OfficialForm], kind: FormKind, uncovered: date) -> None:
    found.entry.fault(
        "valid_from",
        en=f"on {uncovered} there is no form for '{kind}' yet: write an earlier day or circular",
        vi=f"ngày {uncovered} chưa có mẫu '{kind}': hãy ghi ngày sớm hơn hoặc thông tư trước đó",
    )
