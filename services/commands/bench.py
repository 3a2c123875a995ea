"""`lienthong bench`: hands over to the benchmark beside the sources (bench/)."""

from __future__ import annotations

import subprocess
import sys

import click

from shared.kernel.errors import LienThongError
from shared.settings import PROJECT


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> int:
    """Measure speed against a bare pipeline; `lienthong bench --help` tells its options."""
    if not (PROJECT / "bench" / "__main__.py").exists():
        raise LienThongError(
            "the benchmark is part of the sources; this installation has none",
            vi="Bản cài đặt này không kèm phần đo tốc độ (thư mục bench).",
            code="bench_missing",
        )
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=PROJECT, check=False).returncode  # noqa: S603 - ourselves
