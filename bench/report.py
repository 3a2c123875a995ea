"""The figures of a benchmark for people and for JSON; how they are made is figures.py's business."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from bench.figures import Figures, Preloaded
from bench.goals import judged, told


def as_json(
    figures: Mapping[str, Figures],
    *,
    rate: float,
    counts: Mapping[str, Mapping[str, float]],
    preloaded: Preloaded | None,
) -> dict[str, Any]:
    """What `--json` writes."""
    bare, product, embedded = figures["bare"], figures["product"], figures["embedded"]
    cpu = {name: each.by_role("cpu_ms_per_dossier", 3) for name, each in figures.items()}
    result: dict[str, Any] = {
        "ratio_to_bare": product.ratio_to(bare),
        "embedded_ratio_to_bare": embedded.ratio_to(bare),
        "cpu_ratio_to_bare": product.cpu_ratio_to(bare),
        "latency_ratios_to_bare": product.latency_ratios_to(bare),
        "ratios_to_bare": {name: each.ratio_to(bare) for name, each in figures.items()},
        "dossiers_per_second": {
            name: {
                "to_task": round(each.rate_to_task, 1),
                "to_message": round(each.rate_to_message, 1),
            }
            for name, each in figures.items()
        },
        "latency_ms": {name: each.latency() for name, each in figures.items()},
        "busy_latency_ms": {name: each.latency("busy") for name, each in figures.items()},
        "latency_rate_per_second": rate,
        "cpu_ms_per_dossier": {name: round(each.cpu_ms, 2) for name, each in figures.items()},
        "cpu_ms_by_process": cpu,
        "cpu_ms_per_event": _per_event(cpu["product"], counts["product"]),
        "counts_per_dossier": counts,
        "rss_mb": product.by_role("rss_mb", 1) | embedded.by_role("rss_mb", 1),
        "rss_growth_mb": product.by_role("rss_growth_mb", 1) | embedded.by_role("rss_growth_mb", 1),
        "machine": _machine(),
        "raw": {name: each.raw() for name, each in figures.items()},
    }
    if preloaded is not None:
        result["preloaded"] = preloaded.as_json()
    result["goals"] = judged(result)
    return result


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _per_event(cpu: Mapping[str, float], counts: Mapping[str, float]) -> dict[str, float]:
    """What a working process spends on one event that its service makes or hears."""
    return {
        role: round(cpu[role] / counts[f"events of {role.split()[0]}"], 3)
        for role in cpu
        if role.endswith(" work")
    }


def as_text(result: Mapping[str, Any]) -> str:
    """What is printed."""
    lines = [
        *_table(_rates(result)),
        "",
        "(dossiers a second until the task of each is on a queue and the message of each handed over;",
        "of bare: the smaller of the two ratios, median of the rounds)",
        f"(agency, message: ms p50 / p99 at {result['latency_rate_per_second']:g} dossiers/s;",
        "busy: at 80 % of each one's own rate just measured)",
        "CPU ms for one dossier by process:",
    ]
    for name, parts in result["cpu_ms_by_process"].items():
        shares = ", ".join(f"{role} {ms:.2f}" for role, ms in parts.items())
        lines.append(f"  {name}: {shares}")
    events = ", ".join(f"{role} {ms:.2f}" for role, ms in result["cpu_ms_per_event"].items())
    lines.append(f"CPU ms for one event made or heard: {events}")
    lines += ["", *_table(_counted(result["counts_per_dossier"])), ""]
    memory = ", ".join(
        f"{role} {mb:.0f} ({result['rss_growth_mb'][role]:+.1f})"
        for role, mb in result["rss_mb"].items()
    )
    lines.append(f"memory in MB (growth in the last quarter of the run): {memory}")
    if "preloaded" in result:
        lines.append(_of_preloaded(result["preloaded"]))
    return "\n".join([*lines, "", "goals:", *told(result["goals"])])


def _rates(result: Mapping[str, Any]) -> list[list[str]]:
    head = ["", "to task", "to message", "of bare", "CPU ms", "agency", "message", "agency, busy"]
    rows = [head]
    for name, rate in result["dossiers_per_second"].items():
        paced, busy = result["latency_ms"][name], result["busy_latency_ms"][name]
        rows.append(
            [
                name,
                f"{rate['to_task']:.0f}/s",
                f"{rate['to_message']:.0f}/s",
                f"{result['ratios_to_bare'][name]:.2f}",
                f"{result['cpu_ms_per_dossier'][name]:.2f}",
                f"{paced['agency_p50']:.1f} / {paced['agency_p99']:.1f}",
                f"{paced['message_p50']:.1f} / {paced['message_p99']:.1f}",
                f"{busy['agency_p50']:.1f} / {busy['agency_p99']:.1f}",
            ]
        )
    return rows


def _counted(counts: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    return [
        ["for one dossier", *counts],
        *(
            [what, *(f"{each[what]:g}" for each in counts.values())]
            for what in next(iter(counts.values()))
        ),
    ]


def of_submissions(result: Mapping[str, Any]) -> str:
    """What `--submit-only` prints."""
    rows = [["submissions alone", "a second", "CPU ms by process"]]
    for name, rate in result["dossiers_per_second"].items():
        cpu = ", ".join(f"{r} {ms:.2f}" for r, ms in result["cpu_ms_by_process"][name].items())
        rows.append([name, f"{rate:.0f}", cpu])
    return "\n".join([*_table(rows), f"of bare: {result['ratio_to_bare']:.2f}"])


def _of_preloaded(more: Mapping[str, Any]) -> str:
    rate, cpu = more["dossiers_per_second"], more["cpu_ms_per_dossier"]
    return (
        f"with {more['dossiers']} dossiers already there: {rate['full']:.0f} dossiers/s, in turn"
        f" with empty databases {rate['empty']:.0f}: {more['ratio_to_empty']:.2f} of empty"
        f" (CPU ms for one dossier {cpu['full']:.2f}, empty {cpu['empty']:.2f};"
        f" filled in {more['seconds_to_fill']:.0f} s)"
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
