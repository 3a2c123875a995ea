"""`lienthong serve`: the whole city in this one process, with pages in the browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(1, 65533),
    help="Intake's port; routing and notify take the next two. Default: 8080.",
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep files here.")
@click.option("--autopilot", is_flag=True, help="Simulate the agencies: they answer by themselves.")
@click.option(
    "--delay",
    type=click.FloatRange(0, 3600),
    default=3.0,
    show_default=True,
    help="Seconds a simulated agency takes for a task.",
)
def serve(port: int | None, data: Path | None, autopilot: bool, delay: float) -> int:  # noqa: FBT001
    """Chạy cả thành phố trong một tiến trình · Run the whole city in this one process."""
    from shared.messaging.loops.signals import leave_when_told

    leave_when_told()
    from services.embedded.serve import serve_city

    return serve_city(data, port=port, autopilot=autopilot, delay=timedelta(seconds=delay))
