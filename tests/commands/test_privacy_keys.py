"""The keys of what is sealed: turned beside a running city, kept elsewhere, put back when lost."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.commands.privacy import privacy
from shared.database.keyring import KeyFile
from shared.kernel.errors import Conflict, LienThongError
from shared.messaging.resealing import SETTLED
from tests.backends import Backend
from tests.commands.ledgers import BECAUSE

PHRASE = "bốn từ rất dài đây"


@pytest.fixture
def keys(run, migrated, backend: Backend) -> KeyFile:
    file = KeyFile(Path(backend.data_dir) / "privacy.keys")
    file.read()
    aged(file)
    return file


def aged(file: KeyFile) -> None:
    """As if everybody had looked into it since."""
    old = file.changed_at() - 2 * SETTLED
    os.utime(file.path, (old, old))


def typed(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(privacy, arguments, input=said)


def test_a_key_is_turned_everything_is_sealed_by_it_and_the_old_one_goes(run, keys: KeyFile):
    first = keys.read()
    assert "all sealed" in run("privacy", "status").output
    run("privacy", "rotate")
    second = keys.read()
    assert second.sealing[1:] == first.sealing
    assert second.search == first.search
    assert isinstance(typed("seal", *BECAUSE).exception, Conflict), "not everybody knows it yet"
    aged(keys)
    assert run("privacy", "seal", *BECAUSE).output.count("rows sealed") == 3
    told = re.findall(r"(\w+:[0-9a-f]{12})", run("privacy", "status").output)
    assert len(told) == 3
    wrong = [f"{each[:-1]}{'0' if each[-1] != '0' else '1'}" for each in told]
    assert isinstance(typed("retire", *_sealed(wrong)).exception, Conflict)
    assert isinstance(typed("retire", *_sealed(told[:1])).exception, Conflict), "two more read it"
    run("privacy", "retire", *_sealed(told))
    assert keys.read().sealing == second.sealing[:1]


def _sealed(told: list[str]) -> list[str]:
    return [word for each in told for word in ("--sealed", each)]


def test_a_lost_file_comes_back_from_its_sealed_copy_and_keeps_what_was_drawn_meanwhile(
    keys: KeyFile,
):
    before = keys.read()
    copy = typed("spare", said=f"{PHRASE}\n").output
    assert before.text().split()[0] not in copy
    assert typed("spare", said="short\n").exit_code == 1
    keys.path.unlink()
    meanwhile = keys.read()
    wrong = typed("restore", said=f"{copy.strip()}\nanother passphrase\n")
    assert isinstance(wrong.exception, LienThongError)
    back = typed("restore", said=f"{copy.strip()}\n{PHRASE}\n")
    assert back.exit_code == 0, back.exception
    after = keys.read()
    assert after.sealing == (*meanwhile.sealing, *before.sealing)
    assert after.search == before.search


def test_an_installations_folder_has_a_file_for_each_service(tmp_path: Path, keys: KeyFile):
    assert typed("rotate", "--folder", str(tmp_path)).exception is not None
    for service in ("intake", "routing", "notify"):
        KeyFile(tmp_path / service / "privacy_keys").read()
    turned = typed("rotate", "--folder", str(tmp_path))
    assert turned.output.count(":") >= 3
    assert len(KeyFile(tmp_path / "notify" / "privacy_keys").read().sealing) == 2
    assert len(keys.read().sealing) == 1
