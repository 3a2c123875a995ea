"""Shows a simulated run on a terminal: the live line, and at the end what came of it.

Lives here: printing with rich. Every figure comes from `Results`. Must not: reading a database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.box import DOUBLE
from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from services.intake.web.telling import tell
from services.notify.web.words import reason as why_not
from shared.kernel.clock import parse_instant, to_vn
from shared.log import configure
from shared.messaging.parked import Held
from shared.settings import Settings
from simulation.month import Seen
from simulation.promises import Missed
from simulation.results import NONE, Results, Shown

WEEKDAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
MOST_HELD = 20
WIDTH = 112
PHONE = 48


def open_console() -> Console:
    """A console as wide as its terminal; wide enough for the tables where it has none."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def when(instant: datetime) -> str:
    """Weekday, date and time on the wall of Việt Nam."""
    local = to_vn(instant)
    return f"{WEEKDAYS[local.weekday()]} {local:%d/%m/%Y %H:%M}"


class Live:
    """The progress bar and the line of what is happening."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def show(self, seen: Seen) -> None:
        self._progress.update(
            self._task,
            completed=seen.number,
            total=seen.of,
            line=f"{when(seen.at)} · {seen.text}"[: max(20, self._progress.console.width - 40)],
        )


@contextmanager
def live(console: Console, total: int) -> Iterator[Live]:
    """A progress bar for as long as the block runs; plain output where there is no terminal."""
    columns = (
        BarColumn(24),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[line]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=8) as progress:
        yield Live(progress, progress.add_task("", total=total, line=""))


def tell_results(console: Console, results: Results) -> None:
    """The dossier shown, its messages, form II.06a, counts, and whatever waits or is parked."""
    if results.shown is not None:
        _tell_shown(console, results.shown)
    _tell_report(console, results)
    _tell_counts(console, results)
    _tell_held(console, [*results.parked, *results.waiting])


def _tell_shown(console: Console, shown: Shown) -> None:
    console.rule(f"[bold]Một hồ sơ liên thông: {shown.code}")
    console.print(Text(shown.procedure, style="italic"))
    table = Table(show_header=True, header_style="bold", pad_edge=False, box=None)
    for name in ("Lúc", "Từ", "Việc"):
        table.add_column(name, overflow="fold")
    for entry in shown.way:
        told = tell(entry)
        words = Text(told.title)
        if told.text:
            words.append(f"\n{told.text}", style="dim")
        table.add_row(when(parse_instant(told.at)), told.source.strip("/"), words)
    console.print(table)
    console.rule("[bold]Tin đã gửi cho công dân đó")
    texts = [message for message in shown.messages if message["channel"] == "sms"]
    if texts:
        console.print(_phone(texts))
    for message in shown.messages:
        if message["channel"] != "sms":
            _tell_message(console, message)


def _phone(texts: Sequence[Mapping[str, Any]]) -> Panel:
    """A telephone's screen with the text messages as the citizen sees them, one below the other."""
    bubbles = []
    for message in texts:
        parts = f" · {message['parts']} phần" if message["parts"] > 1 else ""
        title = f"SMS · {when(message['sent_at'])}{parts}"
        words = Text(message["body"].strip())
        bubbles.append(Panel(words, title=title, title_align="left", border_style="green"))
    return Panel(Group(*bubbles), title="Điện thoại", width=PHONE, box=DOUBLE)


def _tell_message(console: Console, message: Mapping[str, Any]) -> None:
    kind = {"email": "E-mail", "call": "Cuộc gọi"}[message["channel"]]
    title = f"{kind} · {when(message['sent_at'])}"
    body = f"{message['subject']}\n\n{message['body']}" if message["subject"] else message["body"]
    console.print(Panel(Text(body.strip()), title=title, title_align="left"))


def _tell_report(console: Console, results: Results) -> None:
    names = results.offices
    start, end = to_vn(results.report.start), to_vn(results.report.end)
    console.rule(f"[bold]Biểu II.06a theo đơn vị, {start:%d/%m/%Y} - {end:%d/%m/%Y}")
    table = Table(header_style="bold", pad_edge=False, box=None)
    table.add_column("Đơn vị")
    for name in (
        "Nhận",
        "trực tuyến",
        "khác",
        "Xong",
        "sớm",
        "đúng hạn",
        "trễ",
        "Đang",
        "trong hạn",
        "quá hạn",
    ):
        table.add_column(name, justify="right")
    for office in results.report.offices:
        if not office.total.received_total:
            continue
        table.add_row(names[office.office], *_figures(office.total))
    table.add_section()
    table.add_row("Toàn thành phố", *_figures(results.report.total), style="bold")
    console.print(table)


def _figures(total: Any) -> list[str]:
    figures = (
        total.received_total,
        total.received_online,
        total.received_other,
        total.resolved_total,
        total.resolved_early,
        total.resolved_on_time,
        total.resolved_late,
        total.in_progress_total,
        total.in_progress_in_time,
        total.in_progress_late,
    )
    return [str(figure) if figure else "·" for figure in figures]


def _tell_counts(console: Console, results: Results) -> None:
    console.rule("[bold]Tất cả")
    states = ", ".join(f"{name}: {n}" for name, n in results.dossiers["by_status"].items())
    console.print(
        f"Hồ sơ: {results.dossiers['submitted']} đã nộp "
        f"({results.dossiers['refused_rows']} lượt bị trả lại vì tờ khai sai)\n  {states}",
        highlight=False,
    )
    tasks = results.tasks
    console.print(
        f"Việc giao cho cơ quan: {tasks['assigned']}, đã trả lời {tasks['answered']}, "
        f"trễ hạn {tasks['late']}, chuyển cơ quan khác {tasks['handed_on']} "
        f"(trưởng bộ phận điều phối {tasks['placed']})",
        highlight=False,
    )
    _tell_promises(console, results.promises)
    _tell_messages(console, results)


def _tell_messages(console: Console, results: Results) -> None:
    """How many left by which way, how many of the ladder's rungs it took, and what stayed here."""
    told = results.messages
    sent = sum(told["by_rung"].values())
    each = sent / max(1, results.dossiers["submitted"])
    ways = ", ".join(
        f"{'không có kênh' if name == NONE else name} {n}" for name, n in told["by_channel"].items()
    )
    console.print(f"Tin đã gửi: {sent}, {each:.1f} tin một hồ sơ ({ways})", highlight=False)
    rungs = ", ".join(f"cách {rung}: {n}" for rung, n in told["by_rung"].items())
    tries = ", ".join(f"{_CALLS.get(name, name)} {n}" for name, n in told["tries_of_calls"].items())
    open_ = told["calls"].get("to_call", 0)
    console.print(
        f"Cách báo đã dùng: {rungs}. Cuộc gọi của bộ phận một cửa: {tries or 'không có'}; "
        f"còn phải gọi {open_}",
        highlight=False,
    )
    stayed = ", ".join(f"{why_not(name)} {n}" for name, n in told["not_sent"].items())
    if stayed:
        console.print(f"Không gửi: {stayed}", highlight=False)


#: What came of calls.
_CALLS: Mapping[str, str] = {
    "reached": "đã gặp",
    "called_back": "gọi lại",
    "no_answer": "không nghe máy",
    "wrong_number": "sai số",
    "met": "đã đến quầy",
}


def _tell_promises(console: Console, missed: Missed) -> None:
    by, hours = missed.by, missed.longest_minutes / 60
    console.print(
        f"Ngày hẹn bị lỡ: {missed.total}. Đã xin lỗi và báo công dân: cơ quan {by['agency']}, "
        f"trưởng bộ phận {by['head']}, hệ thống {by['clock']} (chậm nhất sau {hours:.1f} giờ làm "
        f"việc); xong trước khi phải xin lỗi: {missed.ended}; còn trong giờ chờ trưởng bộ phận: "
        f"{missed.waiting}. Công dân chưa được báo: {missed.untold}",
        highlight=False,
    )


def _tell_held(console: Console, held: Sequence[Held]) -> None:
    if not held:
        console.print("Không có tin nào bị giữ lại hay chờ · nothing is parked or waiting")
        return
    console.rule("[bold]Tin bị giữ lại hoặc đang chờ")
    for each in held[:MOST_HELD]:
        line = f"{each.consumer} {each.state}: {each.type} {each.subject} - {each.reason or ''}"
        console.print(line, highlight=False, markup=False)
    if len(held) > MOST_HELD:
        console.print(f"… và {len(held) - MOST_HELD} tin khác: `lienthong parked list`")


@contextmanager
def logs_into(folder: Path) -> Iterator[None]:
    """Keep the services' log lines out of the picture, in `services.log` of the run's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(service="city", data_dir=folder, database_url="", log_format="json")
    with (folder / "services.log").open("a", encoding="utf-8") as file:
        configure(settings, stream=file)
        yield
    configure(settings)


def tell_files(console: Console, folder: Path, seconds: float) -> None:
    """Where everything is."""
    console.print(f"Tệp và cơ sở dữ liệu: {folder}", highlight=False, soft_wrap=True)
    console.print(f"Xong sau {seconds:.1f} giây thật.", highlight=False)
