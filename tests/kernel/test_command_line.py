"""The `lienthong` command: quick, lazy, and clear when something is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from services import __main__ as command
from services.__main__ import COMMANDS, main
from shared.kernel.errors import Fault, InvalidInput, SettingsError

PROJECT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "services", *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT), "LANG": "C.UTF-8"},
    )


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys, contextlib\n"
        "from services.__main__ import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "heavy = {'flask', 'sqlalchemy', 'kombu', 'yaml', 'structlog', 'marshmallow', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"  {name} " in done.stdout


def test_the_version_is_that_of_the_project():
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run("--version").stdout == f"lienthong {project['version']}\n"


def test_an_unknown_command_names_the_nearest():
    done = run("catalouge")
    assert done.returncode == 2
    assert "did you mean 'catalogue'?" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(name):
    loaded = command.load(name)
    assert isinstance(loaded, click.Command)
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0


def refusing(monkeypatch, error: Exception) -> None:
    @click.command("demo")
    def demo() -> None:
        raise error

    monkeypatch.setattr(command, "load", lambda _name: demo)


def test_a_refusal_is_one_line_in_both_languages_and_exit_2(monkeypatch, capsys):
    refusing(monkeypatch, SettingsError("the port is taken", vi="Cổng đã có người dùng"))
    with pytest.raises(SystemExit) as left:
        main(["demo"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "lienthong: Cổng đã có người dùng / the port is taken\n"


def test_several_faults_are_told_line_by_line(monkeypatch, capsys):
    refusing(monkeypatch, InvalidInput([Fault("a", "thiếu", "missing"), Fault("b", "sai", "bad")]))
    with pytest.raises(SystemExit):
        main(["demo"])
    assert "  a: missing\n  b: bad\n" in capsys.readouterr().err


def test_ctrl_c_ends_with_130(monkeypatch, capsys):
    refusing(monkeypatch, KeyboardInterrupt())
    with pytest.raises(SystemExit) as left:
        main(["demo"])
    assert left.value.code == 130
    assert "stopped" in capsys.readouterr().err


def test_a_command_whose_module_is_missing_is_told(monkeypatch, capsys):
    monkeypatch.setitem(COMMANDS, "demo", ("services.commands.nowhere:demo", ""))
    with pytest.raises(SystemExit) as left:
        main(["demo"])
    assert left.value.code == 2
    assert "services.commands.nowhere" in capsys.readouterr().err
