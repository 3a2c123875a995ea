"""`python -m partner`: an agency's tasks on the command line.

Every option may stand in the environment instead: PARTNER_AGENCY, PARTNER_URL, PARTNER_STORE,
PARTNER_DOOR, PARTNER_DOOR_KEY, PARTNER_CA, PARTNER_CERTIFICATE, PARTNER_KEY, PARTNER_WAIT; or in a
file that PARTNER_URL_FILE, PARTNER_DOOR_KEY_FILE … name. PARTNER_SIGNING_KEY_FILE: sign our answers.

It ends with 0 when all is well, 2 when it could not be done, 3 when the city refused an answer,
4 when a message could not be read and was put aside, 5 when messages are missing, the city's book
differs from ours or a file of evidence is not whole.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from partner.client import Client
from partner.comparing import in_words
from partner.environment import from_environment, secret
from partner.errors import PartnerError
from partner.evidence import NoEvidence, read_keys, verify
from partner.evidence import in_words as evidence_in_words
from partner.printing import print_aside, print_message, print_refusal, print_task
from partner.reconciling import MOST_DAYS
from partner.refusals import Refusal
from partner.webhook import Receiver, read_secrets, served

WELL, FAILED, REFUSED, UNREADABLE, DIFFERS = 0, 2, 3, 4, 5
Command = Callable[[Client, argparse.Namespace], None]
_CONNECTING = (
    "agency", "url", "store", "door", "door_key", "ca", "certificate", "key", "prefix"
)  # fmt: skip


def parser(env: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line; `env` fills in what is not typed."""
    top = argparse.ArgumentParser(
        prog="python -m partner", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = top.add_argument
    add("--agency", help="your agency code")
    add("--url", help="the broker: amqps://USER:PASSWORD@HOST/%%2F")
    add("--store", help="your own SQLite file (partner.db)")
    add("--door", help="the HTTPS door of the city")
    add("--door-key", help="your key for the door")
    add("--ca", help="certificate of the city's authority (PEM)")
    add("--certificate", help="your certificate (PEM)")
    add("--key", help="the key of your certificate (PEM)")
    add("--prefix", help=argparse.SUPPRESS)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _reading_commands(commands)
    _comparing_commands(commands)
    _evidence_command(commands)
    _answering_commands(commands, env.get("PARTNER_WAIT", "3"))
    return top


def _reading_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor", aliases=["check"], help="try the connection and say what is wrong"
    )
    doctor.set_defaults(do=_check)
    watch = commands.add_parser("watch", help="take tasks as they come and print each")
    watch.add_argument("--once", action="store_true", help="take what is there now, then end")
    watch.set_defaults(do=_watch)
    receive = commands.add_parser("receive", help="take tasks by webhook, print each, keep them")
    receive.add_argument(
        "--listen", type=_place, default="127.0.0.1:8090", help="where; TLS ends before it"
    )
    receive.set_defaults(do=_receive)
    listed = commands.add_parser("list", help="the open tasks, the most urgent first")
    listed.add_argument("--all", action="store_true", help="closed ones as well")
    listed.set_defaults(do=_list)
    show = commands.add_parser("show", help="all that is known of one task")
    show.add_argument("task")
    show.set_defaults(do=_show)
    files = commands.add_parser("files", help="the scans of a task's dossier, over HTTPS")
    files.add_argument("task")
    files.add_argument("--into", type=Path, help="save them into this folder")
    files.set_defaults(do=_files)
    catch_up = commands.add_parser("catch-up", help="fetch over HTTPS what was missed")
    catch_up.add_argument("--after", type=int, default=0, help="only what has a higher number")
    catch_up.set_defaults(do=_catch_up)
    again = commands.add_parser(
        "again", help="let your program try once more what failed of a task"
    )
    again.add_argument("task")
    again.set_defaults(do=lambda client, options: client.again(options.task))
    settle = commands.add_parser(
        "settle", help="you have seen to it: go on with what came after it"
    )
    settle.add_argument("task")
    settle.set_defaults(do=lambda client, options: client.settle(options.task))


def _comparing_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = commands.add_parser(
        "reconcile", help="compare the last days with the city's book, fetch what is missing"
    )
    compare.add_argument(
        "--days", type=int, default=7, choices=range(1, MOST_DAYS + 1), metavar="N"
    )
    compare.add_argument("--wait", type=float, default=10.0, help="seconds, over the queue (10)")
    compare.set_defaults(do=_reconcile)
    missed = commands.add_parser("missed", help="numbers of messages that have not come")
    missed.set_defaults(do=_missed)
    aside = commands.add_parser(
        "put-aside",
        aliases=["aside"],
        help="what your program failed at, and what is unreadable",
    )
    aside.add_argument("--show", type=int, metavar="N", help="the bytes of an unreadable message")
    aside.set_defaults(do=_aside)


def _evidence_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evidence = commands.add_parser("evidence", help="check a file of evidence; needs no city")
    checks = evidence.add_subparsers(dest="check", required=True, metavar="verify")
    verify = checks.add_parser("verify", help="every signature, gap and order of it")
    verify.add_argument("file", type=Path)
    verify.add_argument("--keys", type=Path, help="public keys that you have from elsewhere (JSON)")
    verify.set_defaults(alone=_check_evidence)


def _check_evidence(options: argparse.Namespace) -> int:
    trusted = None
    if options.keys is not None:
        try:
            trusted = read_keys(json.loads(options.keys.read_bytes()))
        except ValueError as wrong:
            raise NoEvidence(
                "the file of public keys cannot be read", "không đọc được tệp khóa công khai"
            ) from wrong
    with options.file.open("rb") as lines:
        found = verify(lines, trusted)
    for line in evidence_in_words(found):
        print(line)
    return DIFFERS if found.faults else WELL


def _answering_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], wait: str
) -> None:
    def answer(name: str, text: str, do: Command) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text)
        made.add_argument("task")
        made.add_argument(
            "--wait", type=float, default=wait, help="seconds to wait for the city's word (3)"
        )
        made.set_defaults(do=do)
        return made

    take = answer("take", "say that somebody works on it", _take)
    take.add_argument("--officer", help="who")
    complete = answer("complete", "say that it is done", _complete)
    complete.add_argument("--outcome", choices=("granted", "refused"), default="granted")
    complete.add_argument("--result-code", help="one of the task's results")
    complete.add_argument("--document", help="number of the document")
    complete.add_argument("--reason", help="needed where it is refused; the citizen is told it")
    complete.add_argument("--file", type=Path, help="the result (PDF, JPEG, PNG), over HTTPS")
    complete.add_argument("--branch", help="how it goes on: one of the task's branches")
    complete.add_argument("--amount", type=int, help="dong to be paid, where the step asks for it")
    ask = answer("ask", "ask the citizen for missing papers", _ask)
    ask.add_argument("--item", action="append", required=True, help="a missing paper; repeat it")
    ask.add_argument("--reason", required=True)
    ask.add_argument("--respond-by", type=datetime.fromisoformat, help="2022-03-25T17:00+07:00")
    refuse = answer("refuse", "say that it cannot be done; its branch ends", _refuse)
    refuse.add_argument("--reason", required=True)
    hand_on = answer("not-ours", "say that another agency is competent", _not_ours)
    hand_on.add_argument("--reason", required=True, help="the next agency is told it")
    hand_on.add_argument("--to", metavar="AGENCY", help="its code, if you know it")
    back = answer("send-back", "send it back to an earlier step, where the task may", _send_back)
    back.add_argument("--reason", required=True, help="that step's agency is told it")
    verify = answer("verify", "open an extra verification, where the task may", _verify)
    verify.add_argument("--reason", required=True, help="the citizen is told it")
    more = answer("more-time", "say that it will be late", _more_time)
    more.add_argument("--reason", required=True, help="the citizen is told it")
    more.add_argument("--until", type=datetime.fromisoformat, required=True)


def _check(client: Client, options: argparse.Namespace) -> None:  # noqa: ARG001 - a Command
    for found in client.check():
        print(f"{'tốt' if found.good else '!!!'}  {found.vi}\n     {found.en}", flush=True)


def _watch(client: Client, options: argparse.Namespace) -> None:
    if options.once:
        print(f"{client.drain(print_message)} taken")
        return
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    client.run(print_message, stop)


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _receive(client: Client, options: argparse.Namespace) -> None:
    app = Receiver(options.open, read_secrets(secret("PARTNER_WEBHOOK_SECRET", options.env)))
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with served(app, *options.listen):
        client.run(print_message, stop)


def _list(client: Client, options: argparse.Namespace) -> None:
    for task in client.tasks(closed=options.all):
        print_task(task)
    for refusal in client.refusals(standing=True):
        print_refusal(refusal)
    for failed in client.aside():
        print_aside(failed)
    if missing := sum(map(len, client.missing())):
        print(f"{missing} messages have not come; type: python -m partner catch-up")
    if unsent := client.unsent():
        print(f"{unsent} answers are not sent yet; any command that connects sends them")
    if unreadable := len(client.unreadable()):
        print(f"{unreadable} messages cannot be read; type: python -m partner put-aside")


def _show(client: Client, options: argparse.Namespace) -> None:
    task = client.task(options.task)
    shown = {"task": task.id, "state": task.state, "due_at": task.due_at, **task.data}
    print(json.dumps(shown, ensure_ascii=False, indent=2))


def _files(client: Client, options: argparse.Namespace) -> None:
    for file in client.files.of(options.task):
        print(f"{file.id}  {file.kind}  {file.state}  {file.size} bytes  {file.name}")
        if options.into is not None and file.state == "clean":
            kind = file.media_type.rpartition("/")[2]
            place = options.into / f"{file.id}.{kind}"  # never by the name that somebody gave
            place.write_bytes(client.files.read(options.task, file.id))
            print(f"  {place}")


def _catch_up(client: Client, options: argparse.Namespace) -> None:
    print(f"{client.catch_up(print_message, after=options.after)} caught up")


def _reconcile(client: Client, options: argparse.Namespace) -> None:
    told = client.reconcile(print_message, days=options.days, wait=options.wait)
    for each in told:
        print(f"{'   ' if each.agreed else '!!!'}  {each.day.isoformat()}  {in_words(each)}")
    options.differs = not all(each.agreed for each in told)


def _missed(client: Client, options: argparse.Namespace) -> None:
    for gap in client.missing():
        print(f"#{gap.start}" if len(gap) == 1 else f"#{gap.start} to #{gap.stop - 1}")
    options.differs = bool(client.missing())


def _aside(client: Client, options: argparse.Namespace) -> None:
    if options.show is None:
        for failed in client.aside():
            print_aside(failed)
    for odd in client.unreadable():
        if options.show is None:
            print(f"{odd.position}  {odd.came_at}  {len(odd.body)} bytes: {odd.reason}")
        elif options.show == odd.position:
            print(odd.body.decode("utf-8", errors="backslashreplace"))


def _take(client: Client, options: argparse.Namespace) -> None:
    _send(client, options, client.take(options.task, options.officer))


def _complete(client: Client, options: argparse.Namespace) -> None:
    sent = client.complete(
        options.task,
        options.outcome,
        result_code=options.result_code,
        document=options.document,
        reason=options.reason,
        amount_vnd=options.amount,
        file=client.files.hand_in(options.task, options.file) if options.file else None,
        branch=options.branch,
    )
    _send(client, options, sent)


def _ask(client: Client, options: argparse.Namespace) -> None:
    _send(
        client, options, client.ask(options.task, options.item, options.reason, options.respond_by)
    )


def _refuse(client: Client, options: argparse.Namespace) -> None:
    _send(client, options, client.refuse(options.task, options.reason))


def _not_ours(client: Client, options: argparse.Namespace) -> None:
    _send(client, options, client.not_ours(options.task, options.reason, options.to))


def _send_back(client: Client, options: argparse.Namespace) -> None:
    _send(client, options, client.send_back(options.task, options.reason))


def _verify(client: Client, options: argparse.Namespace) -> None:
    _send(client, options, client.verify(options.task, options.reason))


def _more_time(client: Client, options: argparse.Namespace) -> None:
    _send(client, options, client.more_time(options.task, options.reason, options.until))


def _send(client: Client, options: argparse.Namespace, answer_id: str) -> None:
    """Send what was just kept; if the city is away it stays kept and says so."""
    try:
        client.flush()
        refused = client.verdict(answer_id, wait=options.wait)
    except PartnerError as away:
        kept = client.unsent()
        print(f"kept, not sent yet: {away}" if kept else f"answered, id {answer_id}; then: {away}")
        if kept and away.vi is not None:
            print(f"đã lưu, chưa gửi: {away.vi}")
    else:
        if refused is None:
            print(f"answered, id {answer_id}")


def main(arguments: Sequence[str] | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run one command; the exit code, with a line in each language where something is wrong."""
    env = os.environ if env is None else env
    options = parser(env).parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="partner: %(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it repeats what we say in one line
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no Vietnamese
    try:
        return _run(options, env)
    except (PartnerError, OSError) as failed:
        if (vi := getattr(failed, "vi", None)) is not None:
            print(f"partner: {vi}", file=sys.stderr)
        print(f"partner: {failed}", file=sys.stderr)
        return FAILED


def _run(options: argparse.Namespace, env: Mapping[str, str]) -> int:
    if alone := getattr(options, "alone", None):
        return int(alone(options))
    refused: list[Refusal] = []

    def on_refused(refusal: Refusal) -> None:
        refused.append(refusal)
        print_refusal(refusal)

    given = {name: getattr(options, name) for name in _CONNECTING}
    options.env, options.open = env, partial(from_environment, env, **given)
    do: Command = options.do
    with from_environment(env, on_refused=on_refused, **given) as client:
        unreadable = len(client.unreadable())
        do(client, options)
        unreadable = len(client.unreadable()) - unreadable
    if refused or unreadable:
        return REFUSED if refused else UNREADABLE
    return DIFFERS if getattr(options, "differs", False) else WELL


if __name__ == "__main__":
    sys.exit(main())
