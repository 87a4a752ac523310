"""Five plugins in two versions each, written for tests that change the selection at random in one process.

Each version is a package of its own (`acme_zalpha_v1`), so that both can be imported by one process, and a distribution of
its own folder, so that "installing" one is a matter of `sys.path`. zbeta requires zalpha, zdelta requires zbeta, zgamma
uses zalpha and hears its events, zomega stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PLUGIN = '''
from __future__ import annotations

from collections.abc import Sequence

from jiki_core import Blueprint, Entitlements, Job, Listener, Mount, Permission, Plugin, Provider, Role
from jiki_core import ask, hookimpl, policy, public, reply


class GeneratedPlugin(Plugin):
    name = "{name}"
    requires = {requires}
    uses = {uses}

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("{name}", __name__, url_prefix="/{name}")

        @blp.route("")
        @policy(public)
        def show():
            """Its version, and what holds of premium for it."""
            has_premium = ask(Entitlements).check_many("premium", [1, 2])
            return reply({{"version": {version}, "premium": [has_premium[1], has_premium[2]]}})

        return [Mount(blp, "external")]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from {package}.work import note

        return [Job(note{renamed})]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from {package} import work

        return [Listener(name, work.on_happened) for name in {hears}]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from {package}.work import OnlyTheFirst

        return [Provider(Entitlements, OnlyTheFirst)] if {answers} else []

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Permission("{name}.note", "Write notes", roles=("learner",))]


plugin = GeneratedPlugin()
'''
WORK = '''
from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from jiki_core import Event, UnitOfWork


@dataclass(frozen=True)
class Happened(Event):
    """Something happened."""

    name = "{name}.happened"

    token: str


def note(uow: UnitOfWork, token: str) -> None:
    """Leaves a row, and a reference in the core."""
    _write(uow, token)
    uow.notify(1, "{name}.noted", {{"token": token}})


def on_happened(uow: UnitOfWork, event: dict) -> None:
    _write(uow, "heard:" + event["token"])


def _write(uow: UnitOfWork, token: str) -> None:
    uow.session.execute(text("insert into {name}.notes (text) values (:token)"), {{"token": token}})


class OnlyTheFirst:
    def check(self, user_id, entitlement):
        return user_id == 1

    def check_many(self, entitlement, user_ids):
        return {{one: one == 1 for one in user_ids}}
'''
FIRST = '''
"""notes"""
from alembic import op
revision = "{name}_0001"
down_revision = None

def upgrade():
    op.execute("create table {name}.notes (id bigint generated always as identity primary key, text text not null)")
    {reference}

def downgrade():
    op.drop_table("notes", schema="{name}")
'''
SECOND = '''
"""sizes"""
from alembic import op
revision = "{name}_0002"
down_revision = "{name}_0001"

def upgrade():
    op.execute("alter table {name}.notes add size int")

def downgrade():
    op.execute("alter table {name}.notes drop column size")
'''
REFERENCE = (
    'op.execute("alter table {name}.notes add other_id bigint references {other}.notes (id) on delete set null")'
)


@dataclass(frozen=True)
class Generated:
    """What one of the five is made of."""

    name: str
    requires: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    answers: bool = False


FIVE = (
    Generated("zalpha", answers=True),
    Generated("zbeta", requires=("zalpha",)),
    Generated("zgamma", uses=("zalpha",), hears=("zalpha.happened",)),
    Generated("zdelta", requires=("zbeta",), hears=("zomega.happened", "zalpha.happened")),
    Generated("zomega"),
)
VERSIONS = (1, 2)


def write_generated(folder: Path, one: Generated, version: int) -> Path:
    """Writes one version as an installed distribution; returns the folder that goes on `sys.path`."""
    site = folder / f"{one.name}-{version}"
    package = f"acme_{one.name}_v{version}"
    home = site / package
    versions = home / "migrations" / "versions"
    versions.mkdir(parents=True)
    values = {
        "name": one.name,
        "package": package,
        "version": version,
        "requires": tuple(f"{other}>=1" for other in one.requires),
        "uses": tuple(f"{other}>=1" for other in one.uses),
        "hears": one.hears,
        "answers": one.answers,
        "renamed": ', name="write", aliases=("note",)' if version > 1 else "",
        "reference": REFERENCE.format(name=one.name, other=one.requires[0]) if one.requires else "",
    }
    (home / "__init__.py").write_text("")
    (home / "plugin.py").write_text(PLUGIN.format(**values))
    (home / "work.py").write_text(WORK.format(**values))
    (versions / f"{one.name}_0001_notes.py").write_text(FIRST.format(**values))
    if version > 1:
        (versions / f"{one.name}_0002_sizes.py").write_text(SECOND.format(**values))
    metadata = site / f"acme_{one.name}-{version}.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: acme-{one.name}\nVersion: {version}.0.0\nSummary: Generated\n"
    )
    (metadata / "entry_points.txt").write_text(f"[jiki.plugins]\n{one.name} = {package}.plugin:plugin\n")
    return site
