"""The `lienthong` command: a table of sub-commands, each loaded only when it is called.

Nothing heavy is imported here, so that `--help` is quick. What a command does lives in
services/commands; how a service is built lives in its own app.py.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, NoReturn

import click

from shared.kernel.errors import InvalidInput, LienThongError

# name -> (where it lives, its line in the help). A command is loaded when it is called or asked
# for its own help; the table alone answers `lienthong --help`.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("services.commands.demo:demo", "Simulate a month of the city on a virtual clock."),
    "serve": ("services.commands.serve:serve", "Run the whole city in this one process."),
    "replay": ("services.commands.replay:replay", "Play a recorded event log on a virtual clock."),
    "bench": ("services.commands.bench:bench", "Measure speed against a bare pipeline."),
    "chaos": ("services.commands.chaos:chaos", "Kill, cut off and confuse a city of its own."),
    "conformance": ("services.commands.conformance:conformance", "Try an agency's program."),
    "sandbox": ("services.commands.sandbox:sandbox", "A city of its own for an agency."),
    "pictures": ("services.commands.pictures:pictures", "Take pictures of the main pages."),
    "smoke": ("services.commands.smoke:smoke", "Carry dossiers through a running installation."),
    "intake": ("services.commands.run_service:intake", "Run intake: web (doors) or work (loops)."),
    "routing": ("services.commands.run_service:routing", "Run routing: web or work."),
    "notify": ("services.commands.run_service:notify", "Run notify: web or work."),
    "import": ("services.commands.importing:importing", "File many dossiers from a spreadsheet."),
    "catalogue": ("services.commands.catalogue:catalogue", "Check and show the city's data."),
    "contract": ("services.commands.contract:contract", "Show the events' contract, compare two."),
    "staff": ("services.commands.staff:staff", "Accounts of people: who may see what."),
    "handover": ("services.commands.handover:handover", "What was handed over to agencies."),
    "evidence": (
        "services.commands.evidence:evidence",
        "Signed records of what was handed over; check a file of them.",
    ),
    "agency": (
        "services.commands.agency:agency",
        "How agencies are reached: queue, webhook, mail.",
    ),
    "keys": ("services.commands.keys:keys", "Issue, list and revoke API keys."),
    "channels": ("services.commands.channels:channels", "Try the ways by which messages leave."),
    "stops": ("services.commands.stops:stops", "Who wants no messages."),
    "templates": (
        "services.commands.templates:templates",
        "The words of messages, and their price.",
    ),
    "messages": ("services.commands.messages:messages", "Look at messages to citizens."),
    "status": ("services.commands.status:status", "Show how the city stands, and who must act."),
    "parked": ("services.commands.parked:parked", "List held facts, replay or give them up."),
    "acts": ("services.commands.acts:acts", "List what operators did by hand, and why."),
    "reorganise": (
        "services.commands.reorganise:reorganise",
        "Units or agencies were put together anew: show it, then move what is open.",
    ),
    "resend": ("services.commands.resend:resend", "Send facts again that a broker has lost."),
    "restored": (
        "services.commands.restored:restored",
        "After a restore from a backup: begin anew above what was lost.",
    ),
    "prune": ("services.commands.prune:prune", "Let go of what has outlived its term."),
    "privacy": ("services.commands.privacy:privacy", "What is known of one person; its keys."),
    "audit": ("services.commands.audit:audit", "Show who did what and who looked; check the log."),
    "migrate": ("services.commands.migrate:migrate", "Bring the databases up to date."),
    "secrets": ("services.commands.secrets:command", "Draw and apply an installation's secrets."),
    "mailsink": ("services.commands.mailsink:command", "Take every e-mail and keep it as a file."),
}
EXIT_REFUSED = 2


class LazyGroup(click.Group):
    """A click group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if ctx.resilient_parsing:  # completion asks for names and help only
            return click.Command(cmd_name, help=COMMANDS[cmd_name][1])
        return load(cmd_name)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            self._name_the_nearest(args[0])
        return super().resolve_command(ctx, args)

    @staticmethod
    def _name_the_nearest(given: str) -> NoReturn:
        import difflib

        near = difflib.get_close_matches(given, COMMANDS, n=1, cutoff=0.6)
        hint = f"; did you mean '{near[0]}'?" if near else "; see `lienthong --help`"
        raise click.UsageError(f"there is no command '{given}'{hint}")


def load(name: str) -> click.Command:
    """Import one sub-command; LienThongError where this installation does not have it."""
    where, _ = COMMANDS[name]
    module_name, _, attribute = where.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        raise LienThongError(
            f"the command '{name}' cannot be loaded: no module named {missing.name}",
            vi=f"Lệnh '{name}' không chạy được: thiếu mô-đun {missing.name}.",
            code="command_missing",
        ) from missing
    command: Any = getattr(module, attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{where} is not a click command")
    return command


def _show_version(ctx: click.Context) -> NoReturn:
    from importlib import metadata

    try:
        version = metadata.version("lienthong")
    except metadata.PackageNotFoundError:  # a checkout, made importable by ./run
        import tomllib
        from pathlib import Path

        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        version = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    click.echo(f"lienthong {version}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    name="lienthong",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    help="Show the version and exit.",
    callback=lambda ctx, _, wanted: _show_version(ctx) if wanted else None,
)
def cli() -> None:
    """Liên Thông carries a citizen's dossier through every agency that must act on it, on time.

    Begin with `lienthong demo`; `lienthong serve` keeps a small city open in the browser.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status: 0 well, 2 refused, 130 interrupted."""
    # Databases, messages and results hold personal data: what we make is for its owner alone.
    os.umask(0o077)
    try:
        status = cli.main(args=arguments, prog_name="lienthong", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except LienThongError as refused:
        click.echo(f"lienthong: {refused.vi} / {told(refused)}", err=True)
        sys.exit(EXIT_REFUSED)
    except BrokenPipeError:  # `lienthong ... | head`: the reader has gone, which is no error
        sys.stderr.close()
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)


def told(error: LienThongError) -> str:
    """The English message, with every fault on a line of its own where there are several."""
    if isinstance(error, InvalidInput) and len(error.faults) > 1:
        return "\n".join(["several faults:", *(f"  {fault}" for fault in error.faults)])
    return error.en


if __name__ == "__main__":
    main()
