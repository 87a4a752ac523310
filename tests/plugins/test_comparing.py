"""`flask plugins diff`: what an upgrade brings, takes and breaks, told before anything is installed."""

from __future__ import annotations

import json
import zipfile

import pytest

from jiki_core.plugins.comparing import compare
from jiki_core.plugins.migration_locks import locks_of
from tests.plugin_factory import PluginFolder

BODY = """
    Settings = BoardSettings

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("board", __name__, url_prefix="/board")

        @blp.route("/{path}")
        @policy({policy})
        def index():
            return reply({{}})

        return [Mount(blp, "external")]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Permission("board.pin", "may pin", roles={roles})]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_board.work import count

        return [Job(count{job})]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from acme_board.models import Pin

        return [Pin]
"""
SOURCE = """
from __future__ import annotations
from collections.abc import Sequence
from dataclasses import dataclass
from jiki_core.db import Model
from jiki_core.http import Blueprint, policy, reply
from jiki_core.plugins import *
from jiki_core.security import public, signed_in
from jiki_core.settings import setting

@dataclass(frozen=True)
class BoardSettings:
{settings}

class BoardPlugin(Plugin):
    name = "board"
{body}

plugin = BoardPlugin()
"""
MODELS = """
from __future__ import annotations
from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column
from jiki_core.db import IdentityKey, Model

class BoardModel(Model):
    __abstract__ = True
    __plugin__ = "board"

class Pin(BoardModel):
    __tablename__ = "pins"
    id: Mapped[IdentityKey]
    {column}
"""
FIRST = '''
"""pins"""
import sqlalchemy as sa
from alembic import op
revision = "board_0001"
down_revision = None

def upgrade():
    op.create_table(
        "pins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pins_pkey"),
        schema="board",
    )

def downgrade():
    op.drop_table("pins", schema="board")
'''
SECOND = '''
"""titles instead of texts"""
import sqlalchemy as sa
from alembic import op
revision = "board_0002"
down_revision = "board_0001"

def upgrade():
    op.alter_column("pins", "text", new_column_name="title", schema="board")
    op.create_index("pins_title_idx", "pins", ["title"], schema="board")

def downgrade():
    op.drop_index("pins_title_idx", "pins", schema="board")
    op.alter_column("pins", "title", new_column_name="text", schema="board")
'''
EVENTS = """
from __future__ import annotations
from dataclasses import dataclass
from jiki_core.events import Event

@dataclass(frozen=True)
class Pinned(Event):
    name = "board.pinned"
    user_id: int
    {field}
"""
CONTRACTS = """
from __future__ import annotations
from jiki_core.contracts import Contract, question

class Moderation(Contract):
    @question(absent=True, failing=False)
    def may_show(self, text: str{more}) -> bool: ...
"""
ONE = {
    "path": "pins",
    "policy": "public",
    "roles": '("admin", "learner")',
    "job": "",
    "settings": '    size: int = setting(10, help="pins per page")\n    old: str = setting("", help="gone later")',
    "work": "def count(uow, key: str) -> None: ...",
    "column": "text: Mapped[str] = mapped_column(Text)",
    "field": "text: str",
    "more": "",
    "revisions": {"board_0001_pins.py": FIRST},
}
TWO = {
    **ONE,
    "path": "notices",
    "policy": "signed_in",
    "roles": '("admin",)',
    "job": ', name="tally", schedule="0 3 * * *"',
    "settings": '    key: str = setting(help="of the service")\n    size: str = setting("10", help="pins per page")',
    "work": "def count(uow) -> None: ...",
    "column": "title: Mapped[str] = mapped_column(Text, index=True)",
    "field": "title: str",
    "more": ", locale: str",
    "revisions": {"board_0001_pins.py": FIRST, "board_0002_titles.py": SECOND},
}


def add_board(folder, version, parts):
    body = BODY.format(**{name: parts[name] for name in ("path", "policy", "roles", "job")})
    work = "from __future__ import annotations\nfrom jiki_core.db import UnitOfWork\n" + parts["work"]
    folder.add(
        "board",
        version=version,
        source=SOURCE.format(settings=parts["settings"], body=body),
        files={
            "work.py": work,
            "models.py": MODELS.format(column=parts["column"]),
            "events.py": EVENTS.format(field=parts["field"]),
            "contracts.py": CONTRACTS.format(more=parts["more"]),
            **{f"migrations/versions/{name}": text for name, text in parts["revisions"].items()},
        },
    )


def wheel_of(tmp_path, version, parts):
    """A wheel as a builder would write it."""
    source = PluginFolder(tmp_path / f"source-{version}")
    source.path.mkdir()
    add_board(source, version, parts)
    metadata = source.path / f"acme_board-{version}.dist-info"
    (metadata / "WHEEL").write_text("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (metadata / "RECORD").write_text("")
    wheel = tmp_path / f"acme_board-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(source.path.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(source.path))
    return wheel


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """(folder in which 1.0.0 is installed, wheel of 2.0.0)."""
    here = tmp_path_factory.mktemp("board")
    folder = PluginFolder(here / "site")
    folder.path.mkdir()
    add_board(folder, "1.0.0", ONE)
    return folder, wheel_of(here, "2.0.0", TWO)


def test_the_difference_to_a_wheel_marks_what_breaks_and_for_whom(board):
    folder, wheel = board
    done = folder.flask("plugins", "diff", "board", str(wheel), JIKI_BOARD_KEY="k")
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert told.startswith("board 1.0.0 -> 2.0.0\n")
    for line in (
        "! - route GET /api/v1/external/board/pins: who calls it gets 404",
        "  + route GET /api/v1/external/board/notices",
        "! ~ permission board.pin: learner may not any more",
        "! ~ event board.pinned: listeners of others read text",
        "! - job board.count: work that waits under this name is never done; keep the name in `aliases`",
        "  + job board.tally",
        "! ~ question Moderation.may_show: who asks it, and who answers it, must follow",
        "! - setting old: a configuration that sets it is refused",
        "! + setting key: it must be set before the restart",
        "! ~ setting size: a value that is set may not fit any more",
        "! + migration board_0002: the code from before fails on its tables: board.pins: it uses the name from before",
        "      ACCESS EXCLUSIVE on board.pins: RENAME text TO title; reads and writes wait for a moment",
        "      SHARE on board.pins: CREATE INDEX pins_title_idx ON board.pins; writes wait while every row is read",
    ):
        assert line in told.splitlines(), told
    assert "migration board_0001" not in told
    assert "11 changes, 9 of them breaking" in told


def test_strict_fails_on_what_breaks_and_json_tells_the_same(board):
    folder, wheel = board
    done = folder.flask("plugins", "diff", "board", str(wheel), "--strict", "--json", JIKI_BOARD_KEY="k")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["plugin"], told["from"], told["to"]) == ("board", "1.0.0", "2.0.0")
    assert {one["kind"] for one in told["changes"] if one["breaks"] is None} == {"route", "job"}


def test_a_version_is_fetched_with_pip_from_where_it_is_set_up_to_look(board, tmp_path):
    folder, _ = board
    wheel_of(tmp_path, "1.0.1", ONE)
    places = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = folder.flask("plugins", "diff", "board", "1.0.1", **places)
    assert done.stdout == "board 1.0.0 -> 1.0.1\nnothing that others rely on changes\n", done.stderr
    missing = folder.flask("plugins", "diff", "board", "9.9", **places)
    assert missing.returncode == 1
    assert "pip could not fetch acme-board 9.9" in missing.stderr


def test_a_wheel_in_which_the_plugin_would_not_run_says_why(board, tmp_path):
    folder, _ = board
    wheel = wheel_of(tmp_path, "3.0.0", {**TWO, "job": ", name=1/0"})
    done = folder.flask("plugins", "diff", "board", str(wheel), JIKI_BOARD_KEY="k")
    assert done.returncode == 1
    assert "board 3.0.0 would be invalid: jiki_jobs raised ZeroDivisionError" in done.stderr


def test_a_file_that_is_no_wheel_of_it_is_refused(board, tmp_path):
    folder, _ = board
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("x.py", "")
    assert "holds no plugin board" in folder.flask("plugins", "diff", "board", str(tmp_path / "other.whl")).stderr
    (tmp_path / "broken.whl").write_text("no")
    assert "cannot be read" in folder.flask("plugins", "diff", "board", str(tmp_path / "broken.whl")).stderr


def test_without_a_version_the_record_of_the_last_deploy_is_compared(board, services, tmp_path):
    folder, _ = board
    database = {"DATABASE_URL": services.create_database("jiki_diff"), "REDIS_URL": services.redis_url_of(56)}
    unknown = folder.flask("plugins", "diff", "board", **database)
    assert unknown.returncode == 1  # the core is not migrated, or no deploy was recorded
    upgraded = folder.flask("db", "upgrade", **database)
    assert upgraded.returncode == 0, upgraded.stderr
    same = folder.flask("plugins", "diff", "board", **database)
    assert same.stdout == "board 1.0.0 -> 1.0.0\nnothing that others rely on changes\n", same.stderr
    newer = PluginFolder(tmp_path)
    add_board(newer, "2.0.0", TWO)
    told = newer.flask("plugins", "diff", "board", JIKI_BOARD_KEY="k", **database)
    assert told.stdout.startswith("board 1.0.0 -> 2.0.0\n! + migration board_0002"), told.stdout + told.stderr


@pytest.mark.parametrize(
    ("statement", "mode", "breaks"),
    [
        ("ALTER TABLE a.b ADD COLUMN c TEXT", "ACCESS EXCLUSIVE", False),
        ("ALTER TABLE a.b ADD COLUMN c TEXT NOT NULL", "ACCESS EXCLUSIVE", True),
        ("ALTER TABLE a.b ADD COLUMN c TEXT DEFAULT '' NOT NULL", "ACCESS EXCLUSIVE", False),
        ("ALTER TABLE a.b DROP COLUMN c", "ACCESS EXCLUSIVE", True),
        ("ALTER TABLE a.b RENAME TO d", "ACCESS EXCLUSIVE", True),
        ("ALTER TABLE a.b ALTER COLUMN c TYPE BIGINT", "ACCESS EXCLUSIVE", True),
        ("ALTER TABLE a.b ALTER COLUMN c SET NOT NULL", "ACCESS EXCLUSIVE", True),
        ("ALTER TABLE a.b ALTER COLUMN c DROP NOT NULL", "ACCESS EXCLUSIVE", False),
        ("ALTER TABLE a.b VALIDATE CONSTRAINT d", "SHARE UPDATE EXCLUSIVE", False),
        ("ALTER TABLE a.b ADD CONSTRAINT d CHECK (c > 0)", "ACCESS EXCLUSIVE", False),
        ("CREATE UNIQUE INDEX d ON a.b (c)", "SHARE", False),
        ("create index concurrently if not exists d ON a.b (c)", "SHARE UPDATE EXCLUSIVE", False),
        ("DROP TABLE a.b", "ACCESS EXCLUSIVE", True),
        ("UPDATE a.b SET c = 1", "ROW EXCLUSIVE", False),
    ],
)
def test_each_statement_takes_the_lock_of_the_manual(statement, mode, breaks):
    (lock,) = locks_of(f"BEGIN;\n\n-- Running upgrade\n\n{statement};\n\nCOMMIT;\n")
    assert (lock.mode, lock.table, bool(lock.breaks)) == (mode, "a.b", breaks)


def test_a_new_table_locks_nobody_but_those_that_it_refers_to():
    sql = (
        "CREATE TABLE a.new (\n id BIGINT, \n FOREIGN KEY(id) REFERENCES auth.users (id) ON DELETE CASCADE\n);\n\n"
        "CREATE INDEX i ON a.new (id);\n\nINSERT INTO a.alembic_version VALUES ('x');\n"
    )
    assert [(one.mode, one.table) for one in locks_of(sql)] == [("SHARE ROW EXCLUSIVE", "auth.users")]


def test_what_only_comes_breaks_nobody_but_a_requirement_a_question_and_a_setting_without_default():
    after = {
        "routes": {"GET /x": {"policy": "public", "errors": ""}},
        "requires": {"auth": {"version": ">=1.0"}},
        "questions": {"C.q": {"signature": "()"}},
        "settings": {"a": {"type": "str", "default": ""}, "b": {"type": "str", "default": "''"}},
        "events": {"x.y": {"version": "1"}},
        "contracts": {"Accounts": {"without it": "find -> None"}},
    }
    before = {kind: {} for kind in after}
    assert [one.part for one in compare(before, after) if one.breaks] == ["auth", "C.q", "a"]
    lost = {one.part: one.breaks for one in compare(after, before)}
    assert lost["Accounts"] == "nobody answers it then; what holds is: find -> None"
    assert lost["auth"] == ""


def test_arguments_of_a_job_break_what_waits():
    before = {"jobs": {"x.y": {"queue": "default", "argument a": "needed", "argument b": "needed"}}}
    after = {"jobs": {"x.y": {"queue": "default", "argument a": "optional", "argument c": "needed"}}}
    (found,) = compare(before, after)
    assert found.breaks == "work that waits carries b, which it does not take; work that waits does not carry c"
