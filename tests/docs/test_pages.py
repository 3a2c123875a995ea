"""README and docs are true: every link leads somewhere, every command exists as it is typed."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from services.__main__ import cli
from shared.settings import PROJECT
from tests.docs.pages import PAGES, Command, commands, links

STOP = re.compile(r"^\| \d+ \|.*\| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_to_a_file_and_its_heading(page: Path):
    for target in links(page):
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if heading and file.suffix == ".md":
            assert heading in anchors(file), target


def anchors(page: Path) -> set[str]:
    """The names that a code forge gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.strip().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("command", [each for each in commands() if each.ours is not None], ids=str)
def test_every_command_of_ours_can_be_typed_as_it_stands(command: Command):
    arguments = command.ours
    assert arguments is not None
    parse(cli, arguments)


def parse(group: click.Command, arguments: list[str]) -> None:
    """Walk down to the command that is meant and read its options; nothing is run."""
    context = click.Context(group, info_name="lienthong")
    while isinstance(group, click.Group):
        if not arguments or arguments[0].startswith("-"):
            break
        known: Any = group.get_command(context, arguments[0])
        assert known is not None, f"there is no command {arguments[0]}"
        context = click.Context(
            known, parent=context, info_name=arguments[0], **known.context_settings
        )
        group, arguments = known, arguments[1:]
    _, rest, _ = group.make_parser(context).parse_args(arguments)
    assert not rest, rest


def test_every_other_program_that_is_named_is_one_that_a_reader_has():
    """A new word here is a command that no test reads: teach the pages' tests to."""
    foreign = {each.words[0] for each in commands() if each.ours is None}
    assert foreign <= {
        "./run", "./test", "docker", "git", "mkdir", "echo", "curl", "cat", "pip", "python",
        "sh", "cd", "export", "systemctl", "rabbitmqctl", "tar", "kill", "apt-get", "openssl",
    }, foreign  # fmt: skip


def test_every_container_that_is_named_is_in_the_composition():
    text = (PROJECT / "compose.yaml").read_text(encoding="utf-8")
    services = set(yaml.safe_load(text)["services"])
    for command in commands():
        words = command.words
        if words[:2] != ["docker", "compose"] or words[2] not in ("restart", "logs", "exec"):
            continue
        named = [word for word in words[3:] if not word.startswith("-") and word != "10m"]
        first = named[:1] if words[2] == "exec" else named
        assert set(first) <= services, command


def test_the_table_follow_one_dossier_names_files_and_functions_that_are_there():
    stops = STOP.findall((PROJECT / "README.md").read_text(encoding="utf-8"))
    assert len(stops) >= 12
    for file, name in stops:
        tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
        assert name in defined(tree), f"{file}: {name}"


def defined(tree: ast.Module) -> set[str]:
    """Functions and methods, as `name` and `Class.name`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
            found.update(f"{node.name}.{name}" for name in inner)
    return found


def test_the_commands_are_found_at_all():
    typed = [" ".join(each.words) for each in commands()]
    assert "./run demo" in typed
    assert any(shlex.split(line)[0] == "docker" for line in typed)
    assert sum(each.ours is not None for each in commands()) >= 10
