"""`lienthong conformance`: a bad day for an agency's program, in whatever language, and a certificate of it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from shared.kernel.errors import LienThongError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulation.conformance.day import Trial

_KEPT: Final = "lienthong-conformance-"


@click.command("conformance", context_settings={"show_default": True})
@click.option("--agency", help="Whose program it is; the first of the catalogue if not given.")
@click.option(
    "--patience",
    default=30.0,
    type=click.FloatRange(1, 600),
    help="Seconds within which an answer has to come.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the certificate here."
)
@click.argument("command", nargs=-1, required=True)
@click.pass_context
def conformance(
    ctx: click.Context,
    agency: str | None,
    patience: float,
    out: Path | None,
    command: Sequence[str],
) -> None:
    """Thử chương trình của cơ quan · Try an agency's program: -- COMMAND with its arguments.

    COMMAND is started with PARTNER_AGENCY, PARTNER_URL and PARTNER_STORE in its environment, on a
    RabbitMQ of its own (or the one that LIENTHONG_TEST_AMQP_URL names, in a virtual host of its
    own), and has to answer every task with anything final. It gets repeats, odd and large
    messages, broken lines, kills. Judged are its answers. Ends with 0 when all was as asked, with 1
    when not; its words are in the folder that is named then.
    """
    folder = Path(tempfile.mkdtemp(prefix=_KEPT))
    chosen, trials = _tried(folder, agency, patience, command)
    _certify(out, chosen, command, trials)
    if all(trial.passed for trial in trials):
        click.echo("ĐẠT · conforms")
        return
    click.echo(f"KHÔNG ĐẠT · does not conform; {folder / 'told.txt'}")
    ctx.exit(1)


def _tried(
    folder: Path, agency: str | None, patience: float, command: Sequence[str]
) -> tuple[str, list[Trial]]:
    from shared.catalogue import load
    from shared.settings import PROJECT
    from simulation.chaos.place import Admin, found_or_started
    from simulation.conformance.consumer import Consumer
    from simulation.conformance.day import Bench, play
    from simulation.conformance.peer import Peer, close_lines

    catalogue = load(PROJECT / "catalogue")
    chosen = agency or min(catalogue.agency_codes())
    if chosen not in catalogue.agency_codes():
        raise click.BadParameter(f"{chosen}: không có cơ quan này / no such agency")
    with found_or_started() as servers:
        admin = Admin(servers)
        with admin.virtual_host(catalogue) as place:
            settings = {
                "PARTNER_AGENCY": chosen,
                "PARTNER_URL": place.url(chosen),
                "PARTNER_STORE": str(folder / "store"),
            }
            consumer = Consumer(command, settings, folder / "told.txt")
            peer = Peer(place.operator, chosen)
            bench = Bench(peer, consumer, lambda: close_lines(chosen, admin.manage), patience)
            trials = []
            try:
                for trial in play(bench):
                    trials.append(trial)
                    _tell(trial)
            except OSError as wrong:
                raise LienThongError(
                    f"{command[0]} could not be started ({type(wrong).__name__})",
                    vi=f"Không chạy được {command[0]}: hãy xem lại lệnh sau dấu --.",
                    code="no_such_program",
                ) from wrong
            finally:
                peer.close()
    return chosen, trials


def _tell(trial: Trial) -> None:
    mark = "tốt" if trial.passed else "SAI"
    click.echo(f"{mark}  {trial.name:<16} {trial.vi} · {trial.en} ({trial.seconds:.1f} s)")
    if trial.seen:
        click.echo(f"     {trial.seen}")


def _certify(
    out: Path | None, agency: str, command: Sequence[str], trials: Sequence[Trial]
) -> None:
    from shared.kernel.clock import RealClock
    from simulation.conformance.report import certificate

    if out is not None:
        made = certificate(agency, command, RealClock().now(), trials)
        out.write_text(json.dumps(made, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        click.echo(f"chứng nhận · certificate: {out}")
