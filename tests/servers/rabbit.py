"""A RabbitMQ node of our own: own ports, own name service, own data, management door open."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.ports import free_port
from tests.servers.packages import install
from tests.servers.process import NotStarted, Server, own_folder, owner

# Debian's command in /usr/sbin insists on its own account; the script behind it does not.
SCRIPTS = ("/usr/lib/rabbitmq/bin/rabbitmq-server",)


def script() -> str | None:
    """The program that starts a node in the foreground."""
    for path in SCRIPTS:
        if Path(path).exists():
            return path
    return shutil.which("rabbitmq-server")


class Rabbit:
    """The running node and its two addresses; `more` are lines of its configuration."""

    def __init__(
        self, folder: Path, *, more: Sequence[str] = (), plugins: Sequence[str] = ()
    ) -> None:
        found = script()
        if found is None and install("rabbitmq-server"):
            found = script()
        if found is None:
            raise NotStarted("RabbitMQ is not installed")
        self._user = owner("rabbitmq")
        self._folder = folder
        self.port, self.management_port = free_port(), free_port()
        self._names_port = free_port()
        self._command = [found]
        self._environment = self._prepare(more, ["rabbitmq_management", *plugins])
        self._server = self._start()

    def _start(self) -> Server:
        log = self._folder.parent / "rabbit.log"
        return Server(self._command, user=self._user, log=log, env=self._environment)

    def restart(self) -> None:
        """Stop the node and start it on the same data and ports; return when it answers."""
        self._server.stop()
        self._server = self._start()
        self.ready()

    def control(self, *words: str) -> None:
        """Give the node an order of its operator's, by rabbitmqctl."""
        program = Path(self._command[0]).with_name("rabbitmqctl")
        node = self._environment["RABBITMQ_NODENAME"]
        subprocess.run([program, "-n", node, *words],
                       check=True, capture_output=True, env=self._environment)  # fmt: skip

    @property
    def url(self) -> str:
        """The AMQP address as the node's own first user."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def management_url(self) -> str:
        """The address of the management door with the same user."""
        return f"http://guest:guest@127.0.0.1:{self.management_port}"

    def _prepare(self, more: Sequence[str], enabled: Sequence[str]) -> dict[str, str]:
        folder = self._folder
        for part in (folder, folder / "mnesia", folder / "log"):
            own_folder(part, self._user)
        configuration = folder / "rabbitmq.conf"
        configuration.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self.management_port}\n"
            "disk_free_limit.absolute = 50MB\n" + "".join(f"{line}\n" for line in more)
        )
        plugins = folder / "enabled_plugins"
        plugins.write_text(f"[{','.join(enabled)}].\n")
        for path in (configuration, plugins):
            path.chmod(0o644)
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(folder),  # the node's secret is made here, not in anybody's home
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"lienthong{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def ready(self) -> None:
        """Wait until the node and its management door answer."""
        self._server.wait_until(self._answers, 240)

    def _answers(self) -> bool:
        token = base64.b64encode(b"guest:guest").decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.management_port}/api/overview",
            headers={"Authorization": f"Basic {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Stop the node, then the name service that it started for itself."""
        self._server.stop()
        epmd = shutil.which("epmd") or "epmd"
        subprocess.run([epmd, "-port", str(self._names_port), "-kill"],
                       check=False, capture_output=True, env=self._environment)  # fmt: skip
