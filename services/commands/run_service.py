"""`lienthong intake|routing|notify web|work`: one service in processes of its own.

`web` serves its doors, `work` runs its loops, routing's `webhooks` calls agencies and its `queues`
manages the broker; each has an operators' port. The whole city in one process is `lienthong serve`.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from shared.kernel.errors import SettingsError
from shared.messaging.loops.signals import leave_when_told

if TYPE_CHECKING:
    from shared.messaging import Bus
    from shared.messaging.loops.supervisor import Supervisor
    from shared.messaging.service import Service
    from shared.settings import Settings
    from shared.web.server import WebServer


def _group(name: str) -> click.Group:
    group = click.Group(name, help=f"Run {name}: web (its doors) or work (its loops).")

    @group.command("web")
    @click.option(
        "--server",
        type=click.Choice(["waitress", "gunicorn"]),
        default=None,
        help="Default: gunicorn on PostgreSQL, waitress on SQLite.",
    )
    @click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True)
    def web(server: str | None, threads: int) -> int:
        """Serve the doors until SIGTERM."""
        return run_web(name, server=server, threads=threads)

    @group.command("work")
    def work() -> int:
        """Run the loops until SIGTERM."""
        return run_work(name)

    return group


intake = _group("intake")
routing = _group("routing")
notify = _group("notify")


@routing.command("webhooks")
def webhooks() -> int:
    """Send to agencies' webhooks until SIGTERM; alone needs a network that reaches out."""
    return run_work("routing", outside=True)


@routing.command("queues")
def queues() -> int:
    """Carry out what is wished of agencies' queues until SIGTERM; alone may manage the broker."""
    return run_work("routing", managing=True)


def build(settings: Settings) -> Service:
    """One service on the real clock."""
    from shared.catalogue import load
    from shared.kernel.clock import RealClock
    from shared.kernel.ids import RandomIds
    from shared.messaging import Bus

    catalogue = load(settings.catalogue_dir)
    bus: Bus = Bus(settings.amqp_url, prefix=settings.amqp_prefix)
    app = importlib.import_module(f"services.{settings.service}.app")
    service: Service = app.build(
        settings, catalogue=catalogue, clock=RealClock(), ids=RandomIds(), bus=bus
    )
    return service


def run_work(name: str, *, outside: bool = False, managing: bool = False) -> int:
    """Run the loops of one service until SIGTERM; 0 when every loop finished what it had begun.

    `outside`: those alone that call others; `managing`: those alone that manage the broker.
    """
    from shared.messaging.loops.supervisor import Supervisor
    from shared.messaging.loops.wakeups import listeners

    leave_when_told()
    settings = _settings(name)
    if settings.amqp_url.startswith("memory:"):
        raise SettingsError(
            "the memory bus lives inside one process; run `lienthong serve`, or set "
            "LIENTHONG_AMQP_URL to a broker",
            vi="Bus bộ nhớ chỉ có trong một tiến trình; hãy chạy `lienthong serve` "
            "hoặc đặt LIENTHONG_AMQP_URL.",
        )
    if managing and not settings.management_url:
        raise SettingsError(
            "this process needs the broker's management door: set LIENTHONG_MANAGEMENT_URL",
            vi="Tiến trình này cần cổng quản trị của máy chủ bản tin: đặt LIENTHONG_MANAGEMENT_URL.",
        )
    service = build(settings)
    loops = service.managing if managing else service.outside if outside else service.loops
    supervisor = Supervisor([*loops, *listeners(service.store, name)])
    service.metrics.loops(supervisor.report)
    ops = _ops_server(service, supervisor)
    for server in ops:
        server.start()
    finished = supervisor.run()
    for server in ops:
        server.stop()
    _close(service)
    return 0 if finished else 1


def run_web(name: str, *, server: str | None = None, threads: int = 8) -> int:
    """Serve the doors of one service until SIGTERM; 0 when every request was finished."""
    leave_when_told()
    settings = _settings(name)
    if server is None:
        server = "waitress" if settings.database_url.startswith("sqlite") else "gunicorn"
    if server == "gunicorn" and sys.platform != "win32":
        _run_gunicorn(settings, threads)
        return 0
    return _run_waitress(settings, threads)


def _settings(name: str) -> Settings:
    from shared import log
    from shared.settings import Settings

    settings = Settings.load(name, os.environ)
    _same_keys(settings)
    log.configure(settings)
    return settings


def _same_keys(settings: Settings) -> None:
    """Of a service on a server's database others may run elsewhere: none draws keys for itself."""
    from shared.messaging.assembly import key_file

    if settings.database_url.startswith("sqlite") or settings.privacy_keys is not None:
        return
    if not key_file(settings).path.exists():  # as those of before are
        raise SettingsError(
            "set LIENTHONG_PRIVACY_KEYS to the file of keys that all processes of this service share "
            "(`lienthong secrets make` draws it): keys that one process draws open nothing for the others",
            vi="Đặt LIENTHONG_PRIVACY_KEYS là tệp khóa dùng chung cho mọi tiến trình của dịch vụ này "
            "(`lienthong secrets make` tạo tệp): khóa do một tiến trình tự tạo thì các tiến trình khác "
            "không mở được dữ liệu.",
        )


def _run_waitress(settings: Settings, threads: int) -> int:
    from shared.web.connections import limits_of
    from shared.web.ops import HealthDoors, OpsApp
    from shared.web.server import WebServer, run

    service = build(settings)
    beside = _beside(service)
    doors = HealthDoors(service.web, OpsApp(service))
    public = WebServer(
        doors,
        host=settings.host,
        port=settings.port,
        threads=threads,
        limits=limits_of(settings),
    )
    beside.start()

    def on_stop() -> None:
        beside.stop()
        _close(service)

    return 0 if run([public, *_ops_server(service)], on_stop=on_stop) else 1


def _run_gunicorn(settings: Settings, threads: int) -> None:
    """One worker with threads: more capacity is more processes, each with its operators' port."""
    from shared.web.ops import HealthDoors, OpsApp
    from shared.web.server import run_gunicorn

    running: list[tuple[Service, Supervisor, list[WebServer]]] = []

    def build_in_worker() -> HealthDoors:
        service = build(settings)
        beside = _beside(service)
        beside.start()
        ops = _ops_server(service)
        for server in ops:
            server.start()
        running.append((service, beside, ops))
        return HealthDoors(service.web, OpsApp(service))

    def on_stop() -> None:
        for service, beside, ops in running:
            for server in ops:
                server.stop()
            beside.stop()
            _close(service)

    run_gunicorn(
        build_in_worker, host=settings.host, port=settings.port, threads=threads, on_stop=on_stop
    )


def _beside(service: Service) -> Supervisor:
    """What runs beside the doors: who looked, and word of commits for loops in other processes."""
    from shared.messaging.loops.supervisor import Supervisor
    from shared.messaging.loops.wakeups import notifiers

    return Supervisor([*service.beside, *notifiers(service.store, service.name)])


def _ops_server(service: Service, supervisor: Supervisor | None = None) -> list[WebServer]:
    from shared.web.ops import OpsApp
    from shared.web.server import WebServer
    from shared.web.status import operators_door

    settings = service.settings
    if not settings.ops_port:
        return []
    ops = operators_door(OpsApp(service, supervisor), {service.name: service}, supervisor)
    return [WebServer(ops, host=settings.host, port=settings.ops_port, threads=2)]


def _close(service: Service) -> None:
    service.close()
    service.bus.close()
