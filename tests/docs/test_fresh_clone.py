"""Every command that README, docs and the help name runs from a fresh clone, on the runtime lock."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Iterator

import click
import pytest

from partner.__main__ import parser
from services.__main__ import COMMANDS, load
from tests.docs.clone import Clone, pinned
from tests.docs.pages import commands
from tests.ports import free_port

Words = tuple[str, ...]
LOG = "case,channel,start,activity,group,timestamp\na,Desk,,Receipt,g,2022-03-01 09:00:00\n"

# What ends by itself, as small as it goes. {} is a folder of its own.
ENDS: dict[Words, str] = {
    ("demo",): "./run demo --dossiers 3 --data {}/demo",
    ("replay",): "./run replay {}/log.csv --data {}/replay",
    (
        "import",
    ): "./run import {}/mau.xlsx --office ubnd-phuong-cao-lanh --procedure 1.004873 --template",
    ("migrate",): "./run migrate --check",
    ("catalogue", "check"): "./run catalogue check",
    ("catalogue", "show"): "./run catalogue show",
    ("contract", "check"): "./run contract check docs/asyncapi.json",
    ("contract", "show"): "./run contract show",
    ("agency", "mail"): "./run agency mail ubnd-phuong-1 truong@phuong1.example",
    ("agency", "webhook"): "./run agency webhook",
    ("evidence", "export"): "./run evidence export cong-an-phuong-1 {}/evidence.jsonl",
    ("evidence", "verify"): "./run evidence verify evidence.jsonl",
    ("evidence", "keys"): "./run evidence keys",
    ("partner", "evidence"): "python -m partner evidence verify evidence.jsonl",
    ("agency", "add"): "./run agency add ubnd-phuong-1",
    ("agency", "rotate"): "./run agency rotate ubnd-phuong-1 --key",
    ("agency", "pause"): "./run agency pause ubnd-phuong-1 --why thu",
    ("agency", "resume"): "./run agency resume ubnd-phuong-1",
    ("agency", "list"): "./run agency list",
    ("agency", "remove"): "./run agency remove ubnd-phuong-1",
    ("handover", "list"): "./run handover list --agency cong-an-phuong-1 --xlsx {}/book.xlsx",
    ("handover", "reconcile"): "./run handover reconcile",
    ("keys", "create"): "./run keys create --service intake --for ubnd-phuong-1 --label thử",
    ("keys", "list"): "./run keys list --service intake",
    ("staff", "add"): "./run staff add hoa --name Hoa --role officer:ubnd-phuong-1",
    ("staff", "list"): "./run staff list",
    ("audit", "show"): "./run audit show",
    ("audit", "verify"): "./run audit verify",
    ("channels", "check"): "./run channels check",
    ("messages", "list"): "./run messages list",
    ("messages", "spend"): "./run messages spend",
    ("templates", "list"): "./run templates list",
    ("templates", "preview"): "./run templates preview received",
    ("templates", "price"): "./run templates price",
    ("stops", "list"): "./run stops list",
    ("parked", "list"): "./run parked list",
    ("acts",): "./run acts",
    ("prune",): "./run prune",
    ("restored",): "./run restored --service intake --who lan --why restored-from-backup",
    ("reorganise",): "./run reorganise docs/examples/reorganise-2025-07-01.yaml",
    ("resend",): "./run resend --since 2h --who lan --why broker-lost",
    (
        "secrets",
        "make",
    ): "./run secrets make {}/new --postgres a:1 --rabbitmq b:2 --smtp smtp://c:25",
    ("secrets", "list"): "./run secrets list {}/secrets",
    ("secrets", "show"): "./run secrets show {}/secrets bhxh-cao-lanh",
    ("secrets", "forget"): "./run secrets forget {}/secrets intake/secret_key",
    ("secrets", "save"): "./run secrets save {}/secrets",
    ("partner", "aside"): "python -m partner --agency bhxh-cao-lanh --store {}/partner.db aside",
    (
        "partner",
        "put-aside",
    ): "python -m partner --agency bhxh-cao-lanh --store {}/partner.db put-aside",
    ("partner", "missed"): "python -m partner --agency bhxh-cao-lanh --store {}/partner.db missed",
    ("partner", "list"): "python -m partner --agency bhxh-cao-lanh --store {}/partner.db list",
    ("shared.events",): "python -m shared.events",
    ("shared.web.catalogues",): "python -m shared.web.catalogues",
    ("bench.deadlines",): "python -m bench.deadlines --open 200 --due 20 --after 0 --seconds 60",
}
# What runs until it is told to stop, and the word by which it says that it has begun.
LASTS: dict[Words, tuple[str, str]] = {
    ("serve",): ("./run serve --autopilot --data {}/serve", "Ctrl-C"),
    ("mailsink",): ("./run mailsink --port PORT {}/mail", "mail is kept"),
}
# What needs an installation, a broker, a dossier in trouble or half an hour: its help is enough
# here, since no import of ours is left untried below.
HELPS: frozenset[Words] = frozenset(
    {
        ("bench",),  # tests/bench runs it small, in an environment like this one
        ("chaos",),  # tests/chaos runs it for a minute from a clone like this one
        ("conformance",),  # tests/partner runs it with the docs' own program
        ("sandbox",),  # tests/commands runs it and answers its first task
        ("pictures",),  # tests/commands runs it small, where Chromium and Playwright are
        ("smoke",),
        ("status",),  # it ends with 1 where no process runs
        *((service, part) for service in ("intake", "routing", "notify") for part in ("web", "work")),
        ("routing", "webhooks"),
        ("routing", "queues"),
        ("audit", "prune"),
        *(("keys", act) for act in ("renew", "revoke")),
        *(("staff", act) for act in ("assign", "disable", "hand-over", "import", "join", "part", "reset")),
        *(("messages", act) for act in ("check", "recall", "resend", "show")),
        *(("stops", act) for act in ("add", "remove")),
        *(("parked", act) for act in ("discard", "release", "replay", "show", "step-over")),
        *(("secrets", act) for act in ("apply", "put", "restore")),
        # tests/commands and tests/promises run them, each on databases of its own
        *(
            ("privacy", act)
            for act in ("erase", "export", "restore", "retire", "rotate", "seal", "spare", "status")
        ),
        *(
            ("partner", act)
            for act in ("check", "watch", "receive", "show", "files", "take", "complete", "ask", "refuse", "more-time",
                        "not-ours", "send-back", "verify", "catch-up", "again", "settle", "doctor", "reconcile")
        ),
    }
)  # fmt: skip

ALL_HELP = """
import json, sys
from services.__main__ import main
from partner.__main__ import main as partner
for path in json.loads(sys.argv[1]):
    try:
        (partner(path[1:] + ["--help"]) if path[0] == "partner" else main(path + ["--help"]))
    except SystemExit as left:
        assert left.code == 0, path
    else:
        raise AssertionError(path)
"""
# Every import of ours, also those inside functions, looked up where only the runtime lock is. The
# benchmark starts its servers by what ./test has for it; how workers share a run is pytest's matter.
IMPORTS = """
import ast, importlib.util, pathlib, sys
rooms = ["services", "shared", "simulation", "partner", "bench", "tests/servers"]
files = [file for room in rooms for file in pathlib.Path(room).rglob("*.py")]
files.append(pathlib.Path("tests/ports.py"))
ours = {room.partition("/")[0] for room in rooms}

def imported(node):
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        yield node.module
    for child in ast.iter_child_nodes(node):
        yield from imported(child)

for file in files:
    if file != pathlib.Path("tests/servers/sharing.py"):
        for name in imported(ast.parse(file.read_text(encoding="utf-8"))):
            top = name.partition(".")[0]
            if top not in ours and top not in sys.stdlib_module_names:
                if importlib.util.find_spec(top) is None:
                    print(f"{file}: {name}")
print("looked at", len(files))
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose databases have their tables, a log to play, secrets to show and evidence to check."""
    made = Clone(tmp_path_factory.mktemp("fresh"))
    (made.folder / "log.csv").write_text(LOG)
    for line in (
        "./run migrate",
        "./run secrets make secrets --postgres a:1 --rabbitmq b:2 --smtp smtp://c:25",
        "./run evidence export cong-an-phuong-1 evidence.jsonl",
    ):
        done = made.type(*line.split())
        assert done.returncode == 0, done.stderr
    return made


def leaves(command: click.Command, path: Words) -> Iterator[Words]:
    """The commands below one, each by its words."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from leaves(inner, (*path, name))


def partners() -> set[Words]:
    """What the kit's own help names."""
    for action in parser({})._actions:
        if isinstance(action, argparse._SubParsersAction):
            return {("partner", name) for name in action.choices}
    raise AssertionError("the kit has no commands")


def named() -> set[Words]:
    """Everything that a reader is told to type, by page or by help; ./test brings its own lock."""
    known = {path for name in COMMANDS for path in leaves(load(name), (name,))} | partners()
    found = set(known)
    for command in commands():
        words = command.ours
        if command.words[:2] == ["python", "-m"]:
            words = command.words[2:]
        if not words or words[0].startswith("-"):
            continue
        # The longest of the known ones that it begins with, or a command that nobody knows.
        best = [tuple(words[:count]) for count in (2, 1) if tuple(words[:count]) in known]
        groups = {path[:1] for path in known}
        if best or tuple(words[:1]) not in groups:
            found.add(best[0] if best else tuple(words[:1]))
    return found


def test_no_command_is_named_that_is_not_tried_and_none_tried_that_is_not_named():
    assert named() == {*ENDS, *LASTS, *HELPS}
    assert len(ENDS) + len(LASTS) + len(HELPS) == len({*ENDS, *LASTS, *HELPS})


def test_the_clone_has_what_the_runtime_lock_names_and_nothing_else(clone: Clone):
    listing = "from importlib import metadata\nprint(*{d.name for d in metadata.distributions()})"
    there = clone.type("python", "-c", listing).stdout.split()
    assert {_plain(name) for name in there} == {_plain(name) for name in pinned()}
    assert "No module named 'pytest'" in clone.type("python", "-c", "import pytest").stderr


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_nothing_of_ours_imports_what_only_the_development_lock_brings(clone: Clone):
    done = clone.type("python", "-c", IMPORTS)
    assert done.returncode == 0, done.stderr
    *missing, told = done.stdout.splitlines()
    assert missing == []
    assert int(told.split()[-1]) > 300


def test_every_command_explains_itself(clone: Clone):
    paths = [list(path) for path in sorted(HELPS)]
    done = clone.type("python", "-c", ALL_HELP, json.dumps(paths))
    assert done.returncode == 0, done.stderr
    assert clone.type("./run", "--help").returncode == 0
    measuring = clone.type("./run", "bench", "--help")
    assert "--quick" in measuring.stdout, measuring.stderr


@pytest.mark.parametrize("path", ENDS, ids=" ".join)
def test_a_command_that_ends_by_itself_ends_well(clone: Clone, path: Words):
    done = clone.type(*ENDS[path].replace("{}", ".").split())
    assert done.returncode == 0, done.stderr


def test_what_writes_the_reference_leaves_it_as_it_is_kept(clone: Clone):
    kept = {
        name: (clone.folder / "docs" / name).read_bytes()
        for name in ("asyncapi.json", "contract.md")
    }
    assert clone.type(*ENDS["shared.events",].split()).returncode == 0
    for name, content in kept.items():
        assert (clone.folder / "docs" / name).read_bytes() == content


@pytest.mark.parametrize("path", LASTS, ids=" ".join)
def test_a_command_that_lasts_begins_and_ends_when_it_is_told(clone: Clone, path: Words):
    line, begun = LASTS[path]
    running = clone.start(*line.replace("{}", ".").replace("PORT", str(free_port())).split())
    try:
        assert running.stdout is not None
        told = []
        for text in running.stdout:
            told.append(text)
            if begun in text:
                break
        assert begun in told[-1], "".join(told)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()
        if running.stdout is not None:
            running.stdout.close()
