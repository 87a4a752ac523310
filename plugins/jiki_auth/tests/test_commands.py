"""`flask auth …` as an operator runs it."""

from __future__ import annotations

import pytest

from jiki_auth import cli
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.testing import ApiClient


@pytest.fixture
def run(db):
    """Runs a command; returns (exit code, output)."""
    runner = db.test_cli_runner()

    def call(command, *arguments):
        result = runner.invoke(command, arguments)
        return result.exit_code, result.output.strip()

    return call


def test_create_user(run, client):
    code, output = run(cli.create_user_command, "--email", "New@example.test", "--password", PASSWORD, "--confirmed")
    assert (code, output.isdigit()) == (0, True)
    client.post("auth/login", {"user": {"email": "new@example.test", "password": PASSWORD}}).expect(200)


def test_create_user_tells_what_is_wrong(run):
    code, output = run(cli.create_user_command, "--email", "none", "--password", "x")
    assert code == 1
    assert output == "Error: email: invalid; password: too_short"


def test_grant_and_revoke(run, db):
    user = make_user(db)
    assert run(cli.grant_command, user.email, "admin") == (0, "admin")
    signed_in(db, user).get("admin/users").expect(200)
    assert run(cli.revoke_command, user.email, "admin") == (0, "no roles")


def test_an_unknown_role_is_named(run, db):
    code, output = run(cli.grant_command, make_user(db).email, "emperor")
    assert (code, output) == (1, "Error: no role 'emperor' that can be given; see: flask policies")


@pytest.mark.parametrize("command", ["grant_command", "sessions_command", "unlock_command"])
def test_an_unknown_address_is_named(run, command):
    arguments = ("nobody@example.test", "admin") if command == "grant_command" else ("nobody@example.test",)
    assert run(getattr(cli, command), *arguments) == (1, "Error: nobody has the address nobody@example.test")


def test_sessions_are_listed_and_ended(run, db):
    user = make_user(db)
    client = signed_in(db, user)
    assert "cookie" in run(cli.sessions_command, user.email)[1]
    assert run(cli.sessions_command, user.email, "--end") == (0, "ended 1")
    client.get("internal/me").expect(401)


def test_unlock(run, db, client):
    user = make_user(db)
    wrong = {"user": {"email": user.email, "password": "a wrong password 99"}}
    for _ in range(10):
        client.post("auth/login", wrong).expect(401)
    client.post("auth/login", wrong).expect(429)
    assert run(cli.unlock_command, user.email) == (0, "unlocked")
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)


def test_keys(run):
    assert run(cli.keys_commands, "list") == (0, "none yet: the derived key signs")
    key_id = run(cli.keys_commands, "rotate")[1]
    assert run(cli.keys_commands, "list")[1].startswith(f"{key_id}  HS256  ")


def test_api_keys(run, db):
    user = make_user(db)
    key = run(cli.api_keys_commands, "create", user.email, "CI", "--scope", "auth.read_own_account")[1]
    ApiClient(db, {"Authorization": f"Bearer {key}"}).get("internal/me").expect(200)
    key_id = key.split("_")[2]
    assert run(cli.api_keys_commands, "list") == (0, f"{key_id}  {user.email}  CI  auth.read_own_account")
    assert run(cli.api_keys_commands, "delete", key_id) == (0, "deleted")
    assert run(cli.api_keys_commands, "delete", key_id)[0] == 1


def test_a_scope_its_owner_lacks_is_refused(run, db):
    user = make_user(db)
    code, output = run(cli.api_keys_commands, "create", user.email, "CI", "--scope", "core.administer")
    assert (code, output) == (1, "Error: scopes: inclusion")
