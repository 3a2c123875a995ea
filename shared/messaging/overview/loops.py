"""How the loops of a process stand, as its supervisor reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.database.trouble import Contention
from shared.messaging.advice import Both
from shared.messaging.standing import ACT, Line

_NAMED: Final = 16  # names of loops in one line


def of_loops(
    report: Mapping[str, str], where: str = "", seconds: Mapping[str, float] | None = None
) -> list[Line]:
    """The loops of a process as its supervisor reports them; `where` goes before their names.

    `seconds` tells how long the failing ones have been failing, where that is known.
    """
    fine = [f"{where} {name}".strip() for name, state in report.items() if state == "ok"]
    found = [
        _failing(f"{where} {name}".strip(), state, (seconds or {}).get(name))
        for name, state in report.items()
        if state != "ok"
    ]
    if fine:
        names = ", ".join(fine[:_NAMED]) + (" …" if len(fine) > _NAMED else "")
        said = Both(f"{len(fine)} vòng lặp chạy: {names}", f"{len(fine)} run")
        found.append(Line(part="loops", name=f"{where} loops".strip(), said=said, count=len(fine)))
    return found


def _failing(name: str, state: str, seconds: float | None) -> Line:
    if state in ("dead", "stuck"):
        act = Both(
            "Vận hành: khởi động lại tiến trình này; nó làm tiếp từ chỗ dở.",
            "Operator: restart this process; it takes up where it was.",
        )
    elif state.endswith("Away"):
        act = Both(
            "Vận hành: bật lại máy chủ mà nó chờ; vòng lặp tự chạy tiếp.",
            "Operator: bring back the server that it waits for; it goes on by itself.",
        )
    elif state == Contention.__name__:
        act = Both(
            "Vận hành: tiến trình khác đang giữ cơ sở dữ liệu (sao lưu, công cụ?): tìm và dừng nó.",
            "Operator: another process holds the database (a backup, a tool?): find and end it.",
        )
    else:
        act = Both(
            "Vận hành: báo lỗi kèm dòng loop.failed trong nhật ký.",
            "Operator: report it with loop.failed of the log.",
        )
    vi, en = ("", "") if seconds is None else (f" từ {seconds:.0f}s", f" for {seconds:.0f}s")
    said = Both(f"lỗi{vi}: {state}", f"fails{en}: {state}")
    return Line(part="loops", name=name, level=ACT, said=said, act=act)
