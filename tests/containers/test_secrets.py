"""`lienthong secrets`: drawn once, each for its reader, put to use, saved and restored."""

from __future__ import annotations

import io
import json
import stat
import tarfile

import pytest
from click.testing import CliRunner

from services.commands import secrets as commands
from services.commands.secret_files import DEFINITIONS, QUEUES, NoSuchSecret, SecretFiles
from services.commands.stores import opened
from services.routing.storage.tables import MIGRATIONS
from shared.catalogue import load
from shared.database.migrate import head
from shared.identity.keys import list_keys, verify
from shared.kernel.clock import RealClock
from shared.settings import PROJECT, SERVICES


@pytest.fixture(scope="module")
def catalogue():
    return load(PROJECT / "catalogue")


@pytest.fixture
def files(tmp_path, catalogue):
    made = SecretFiles(tmp_path / "secrets")
    made.make(catalogue, postgres="db:5432", rabbitmq="mq:5672", smtp="smtp://sink:25")
    return made


def run(*words, **more):
    done = CliRunner().invoke(commands.command, [str(word) for word in words], **more)
    return done.exit_code, done.output


def test_a_second_start_changes_no_secret(files, catalogue):
    salted = {str(DEFINITIONS), str(QUEUES)}
    before = {name: files.read(name) for name in files.names() if name not in salted}
    files.make(catalogue, postgres="db:5432", rabbitmq="mq:5672", smtp="smtp://other:25")
    assert {n: files.read(n) for n in files.names() if n not in salted} == before


def test_every_secret_is_another_one_and_long_enough(files):
    own = {f"{name}/secret_key" for name in SERVICES[1:]}
    names = [name for name in files.names() if name not in own]
    drawn = [files.read(name) for name in names if name.endswith(("password", "_key"))]
    drawn += [files.read(name) for name in files.names() if name.startswith("agencies/")]
    assert len(set(drawn)) == len(drawn)
    assert min(map(len, drawn)) >= 32


def test_the_services_share_the_one_secret_that_makes_a_sign_in_count_everywhere(files, catalogue):
    shared = {files.read(f"{name}/secret_key") for name in SERVICES}
    assert len(shared) == 1
    # An installation from before has three: intake's is taken, and a new draw is everybody's.
    files.write("routing/secret_key", "of its own, from before")
    files.make(catalogue, postgres="db:5432", rabbitmq="mq:5672", smtp="smtp://other:25")
    assert {files.read(f"{name}/secret_key") for name in SERVICES} == shared
    files.forget("intake/secret_key")
    files.make(catalogue, postgres="db:5432", rabbitmq="mq:5672", smtp="smtp://other:25")
    after = {files.read(f"{name}/secret_key") for name in SERVICES}
    assert len(after) == 1
    assert after != shared


def test_each_service_gets_its_own_user_on_database_and_broker(files):
    for name in SERVICES:
        url = files.read(f"{name}/database_url")
        assert url.startswith(f"postgresql+psycopg://{name}:")
        assert url.endswith(f"@db:5432/{name}")
        assert files.read(f"{name}/amqp_url").startswith(f"amqp://{name}:")
        assert f"CREATE ROLE {name} LOGIN" in files.read("postgres-init/10-lienthong.sql")


def test_the_broker_is_given_hashes_only_and_no_agency_that_could_come_back(files, catalogue):
    text = files.read(str(DEFINITIONS))
    users = {user["name"]: user for user in json.loads(text)["users"]}
    assert set(users) == {*SERVICES, "operator"}
    agencies = {each.code for each in catalogue.every_agency() if each.reach == "amqp"}
    first = files.read(str(QUEUES))
    assert set(json.loads(first)) == agencies
    text += first
    assert all(user["password_hash"] for user in users.values())
    assert [name for name, user in users.items() if user["tags"]] == ["operator"]
    for name in files.names():
        if name.endswith("password") or name.startswith("agencies/"):
            assert files.read(name) not in text


def test_the_smoke_run_is_given_what_checks_and_nothing_else(files, catalogue):
    held = json.loads(files.read("smoke/smoke.json"))
    for code in (*held["keys"]["desk"], *held["keys"]["agency"], *held["broker"]):
        assert catalogue.agency(code).check


def test_files_can_be_read_by_who_mounts_them_and_written_by_nobody(files):
    for name in files.names():
        assert stat.S_IMODE((files.folder / name).stat().st_mode) == 0o444


def test_a_run_that_was_killed_leaves_nothing_half_written(files, catalogue):
    stump = files.folder / "intake" / ".secret_key.new"
    stump.write_text("half")
    stump.chmod(0o444)
    (files.folder / "intake" / "secret_key").unlink()
    files.make(catalogue, postgres="db:5432", rabbitmq="mq:5672", smtp="")
    assert files.read("intake/secret_key") != "half"
    assert "intake/.secret_key.new" not in files.names()


def test_what_is_forgotten_is_drawn_anew_and_nothing_else(files, catalogue):
    before = {name: files.read(name) for name in files.names()}
    status, said = run("forget", files.folder, "agencies/bhxh-cao-lanh")
    assert status == 0, said
    files.make(catalogue, postgres="db:5432", rabbitmq="mq:5672", smtp="")
    changed = {name for name in files.names() if files.read(name) != before[name]}
    assert changed == {"agencies/bhxh-cao-lanh", str(DEFINITIONS), str(QUEUES)}


def test_the_databases_passwords_are_not_forgotten_by_mistake(files):
    for name in ("postgres/password", "intake/database_password"):
        status, said = run("forget", files.folder, name)
        assert status == 1
        assert "would not hear of another" in said


def test_a_password_is_shown_to_be_handed_over_and_a_wrong_name_is_told(files):
    status, said = run("show", files.folder, "bhxh-cao-lanh")
    assert (status, said.strip()) == (0, files.read("agencies/bhxh-cao-lanh"))
    with pytest.raises(NoSuchSecret, match="agencies/bhxh-cao-lanh"):
        files.read("agencies/nobody")


def test_an_address_with_a_password_is_piped_in(files):
    status, said = run("put", files.folder, "notify/smtp_url", input="smtp://u:p@mail:587\n")
    assert status == 0
    assert "p@mail" not in said
    assert files.read("notify/smtp_url") == "smtp://u:p@mail:587"
    assert run("put", files.folder, "notify/smtp_url", input="\n")[0] == 1
    assert files.read("notify/smtp_url") == "smtp://u:p@mail:587"


def test_a_certificate_and_its_key_are_piped_in_whole(files):
    from services.commands.secret_files import PEM

    for name, what in PEM.items():
        text = f"-----BEGIN {what}-----\nMAo=\n-----END {what}-----\n"
        assert run("put", files.folder, name, input=text + text)[0] == 0
        assert files.read(name) == text + text
        for wrong in ("", "smtp://u:p@mail", text.replace("BEGIN", "BEGIN ENCRYPTED")):
            status, said = run("put", files.folder, name, input=wrong)
            assert status == 1
            assert "in PEM form" in said
        assert files.read(name) == text + text
    assert run("put", files.folder, "rabbitmq/other.pem", input=text)[0] == 1


def test_all_of_it_is_saved_and_restored_on_another_machine(files, tmp_path):
    out = io.BytesIO()
    assert files.save(out) == len(files.names())
    other = SecretFiles(tmp_path / "other")
    other.restore(io.BytesIO(out.getvalue()))
    assert {n: other.read(n) for n in other.names()} == {n: files.read(n) for n in files.names()}


@pytest.mark.parametrize("name", ["../etc/passwd", "intake/../x", "/intake/x", "other/x", "x"])
def test_an_archive_that_reaches_elsewhere_is_refused(tmp_path, name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(NoSuchSecret):
        SecretFiles(tmp_path / "secrets").restore(io.BytesIO(out.getvalue()))
    assert not (tmp_path / "secrets").exists()


def test_applied_once_or_often_the_databases_are_current_and_the_keys_open(
    files, tmp_path, monkeypatch
):
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(tmp_path / "data"))
    status, said = run("apply", files.folder)
    assert status == 0, said
    assert f"routing: database at {head(MIGRATIONS)}, 4 new keys" in said
    assert "4 new keys" not in run("apply", files.folder)[1]
    keys = files.smoke_keys()
    with opened("intake") as store, store.read() as connection:
        [(code, text)] = keys["desk"].items()
        principal = verify(connection, text, RealClock().now())
        assert principal is not None
        assert (principal.kind, principal.bound_to) == ("desk", code)
        assert len(list_keys(connection)) == 1
