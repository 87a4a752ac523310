"""Each hook of the plugin API is called, with what its specification promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from jiki_core.cli.seed import cli as seed
from jiki_core.contracts import Entitlements, ask
from jiki_core.db import reading, unit_of_work
from jiki_core.db.records import Notification, PluginRecord
from jiki_core.plugins.hookspecs import HookSpecs
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox

ROUTE = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("door", __name__, url_prefix="/{name}")

        @blp.route("")
        {policy}
        def index():
            return reply({{"open": True}})

        return [Mount(blp, "external")]
"""


def states(app):
    return {one.name: one for one in app.extensions["jiki.host"].statuses()}


def test_every_hook_has_a_test_and_every_test_a_hook():
    tested = {name.removeprefix("test_hook_") for name in globals() if name.startswith("test_hook_")}
    declared = {name.removeprefix("jiki_") for name in vars(HookSpecs) if name.startswith("jiki_")}
    assert tested == declared


def test_hook_blueprints(made_plugins, app_with):
    made_plugins.add("door", ROUTE.format(name="door", policy="@policy(public)"))
    app = app_with()
    assert app.test_client().get("/api/v1/external/door").get_json()["open"] is True
    assert runtime_of(app).mounted["door_external_door.index"].plugin == "door"


def test_hook_models(make_app):
    app = make_app()
    host = app.extensions["jiki.host"]
    assert "users" in {model.__tablename__ for model in host.loaded["auth"].contributions.models}


def test_hook_jobs(made_plugins, app_with):
    made_plugins.add(
        "worker",
        """
    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_worker.work import greet

        return [Job(greet)]
""",
        files={
            "work.py": """
            from __future__ import annotations
            from jiki_core.db import UnitOfWork

            def greet(uow: UnitOfWork, user_id: int) -> None:
                uow.notify(user_id, "worker.greeting", {"hello": user_id})
            """
        },
    )
    app = app_with()
    with app.app_context():
        from acme_worker.work import greet

        with unit_of_work() as uow:
            uow.enqueue(greet, user_id=7)
    assert drain_outbox(app) == 1
    with app.app_context():
        assert reading().scalars(select(Notification.user_id)).all() == [7]


def test_hook_channels(made_plugins, app_with):
    made_plugins.add(
        "talk",
        """
    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        class TalkChannel(Channel):
            truth = "GET /api/v1/internal/talk"

        return [TalkChannel]
""",
    )
    channels = runtime_of(app_with()).channels
    assert channels["TalkChannel"][0] == "talk"


def test_hook_listeners(made_plugins, app_with):
    made_plugins.add(
        "ears",
        """
    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from acme_ears.hear import Rang, on_rang

        return [Listener(Rang, on_rang)]
""",
        files={
            "hear.py": """
            from __future__ import annotations
            from dataclasses import dataclass
            from jiki_core.db import UnitOfWork
            from jiki_core.events import Event

            @dataclass(frozen=True)
            class Rang(Event):
                name = "ears.rang"
                user_id: int

            def on_rang(uow: UnitOfWork, event: Rang) -> None:
                uow.notify(event.user_id, "ears.heard", {})
            """
        },
    )
    app = app_with()
    with app.app_context():
        from acme_ears.hear import Rang

        with unit_of_work() as uow:
            uow.emit(Rang(user_id=3))
    drain_outbox(app)
    with app.app_context():
        assert reading().scalars(select(Notification.type)).all() == ["ears.heard"]


def test_hook_providers(made_plugins, app_with):
    made_plugins.add(
        "gate",
        """
    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import Entitlements

        class OddOnes:
            def check(self, user_id, entitlement):
                return user_id % 2 == 1

            def check_many(self, entitlement, user_ids):
                return {one: one % 2 == 1 for one in user_ids}

        return [Provider(Entitlements, OddOnes)]
""",
    )
    app = app_with()
    with app.app_context():
        assert ask(Entitlements).check(1, "premium") is True
        assert ask(Entitlements).check(2, "premium") is False


def test_hook_permissions(made_plugins, app_with):
    made_plugins.add(
        "roles",
        """
    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Role("keeper", "Keeps"), Permission("roles.keep", "Keep", roles=("keeper",))]
""",
    )
    at = runtime_of(app_with())
    assert at.permissions["roles.keep"].roles == ("keeper",)
    assert at.roles["keeper"].summary == "Keeps"


def test_hook_commands(made_plugins, app_with):
    made_plugins.add(
        "tools",
        """
    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        import click

        @click.command("hello")
        def hello():
            click.echo("hello from a plugin")

        return [hello]
""",
    )
    done = app_with().test_cli_runner().invoke(args=["tools", "hello"])
    assert done.output == "hello from a plugin\n"


def test_hook_seeds(made_plugins, app_with):
    made_plugins.add(
        "seeds",
        """
    @hookimpl
    def jiki_seeds(self) -> Sequence[Seed]:
        return [
            Seed("one", lambda uow: uow.notify(1, "seeds.sown", {}), env="all"),
            Seed("two", lambda uow: uow.notify(2, "seeds.sown", {}), env="production"),
        ]
""",
    )
    app = app_with()
    runner = app.test_cli_runner()
    assert runner.invoke(seed).output == "seeded seeds.one\n"
    assert runner.invoke(seed).output == ""


def test_hook_emails(made_plugins, app_with, mail_catcher):
    made_plugins.add(
        "post",
        """
    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [EmailTemplate("post.card", context=("name",))]
""",
        files={"emails/card/en.txt": "A card for {{ name }}\nHello {{ name }}!\n"},
    )
    from jiki_core.mail import send_mail

    app = app_with()
    mail_catcher.clear()
    with app.app_context(), unit_of_work() as uow:
        send_mail(uow, "post.card", to="ada@example.test", context={"name": "Ada"}, locale="hu")
    drain_outbox(app)
    caught = mail_catcher.messages()
    assert [(one.to, one.subject, one.text.strip()) for one in caught] == [
        ("ada@example.test", "A card for Ada", "Hello Ada!")
    ]


FILE_KINDS = """
    @hookimpl
    def jiki_file_kinds(self) -> Sequence[FileKind]:
        return [{kinds}]
"""


@pytest.mark.parametrize(
    ("name", "kinds", "words"),
    [
        ("shelf_a", 'FileKind("paper", 1_000, ("application/pdf",))', ""),
        ("shelf_b", 'FileKind("paper", 1_000, ("image/svg+xml",))', "names image/svg+xml, which"),
        ("shelf_c", '"paper"', "returned a str where a FileKind is expected"),
        (
            "shelf_d",
            'FileKind("paper", 1, ("text/plain",)), FileKind("paper", 2, ("text/plain",))',
            "the file kind paper is declared twice",
        ),
    ],
)
def test_hook_file_kinds(made_plugins, app_with, name, kinds, words):
    made_plugins.add(name, FILE_KINDS.format(kinds=kinds))
    app = app_with()
    if words:
        assert states(app)[name].state == "invalid"
        assert words in states(app)[name].cause
    else:
        assert runtime_of(app).file_kinds[f"{name}.paper"].content_types == ("application/pdf",)


def test_hook_notifications(made_plugins, app_with):
    made_plugins.add(
        "gossip",
        """
    @hookimpl
    def jiki_notifications(self) -> Sequence[NotificationKind]:
        from jiki_core.events import NotificationKind

        return [NotificationKind("rumour", "A rumour", group="talk")]
""",
    )
    made_plugins.add(
        "mumble",
        """
    @hookimpl
    def jiki_notifications(self) -> Sequence[NotificationKind]:
        from jiki_core.events import NotificationKind

        return [NotificationKind("No Name", "", group="talk")]
""",
    )
    app = app_with()
    assert runtime_of(app).notification_kinds["gossip.rumour"].label == "A rumour"
    assert "'No Name' of a notification kind" in states(app)["mumble"].cause


HEALTH = """
    @hookimpl
    def jiki_health(self) -> Sequence[HealthCheck]:
        return [{checks}]
"""


@pytest.mark.parametrize(
    ("name", "checks", "words"),
    [
        (
            "well_a",
            'HealthCheck(lambda: None, "pulse"), HealthCheck(lambda: "it is hot", "heat", is_critical=True)',
            "",
        ),
        ("well_b", "HealthCheck(lambda: None)", "'<lambda>' needs a name in small letters"),
        ("well_c", 'HealthCheck("pulse")', "has a str for its func"),
        ("well_d", 'HealthCheck(lambda: None, "pulse", timeout_seconds=99)', "timeout_seconds = 99"),
        (
            "well_e",
            'HealthCheck(lambda: None, "pulse"), HealthCheck(lambda: "", "pulse")',
            "the health check pulse is declared twice",
        ),
    ],
)
def test_hook_health(made_plugins, app_with, name, checks, words):
    made_plugins.add(name, HEALTH.format(checks=checks))
    app = app_with()
    if words:
        assert states(app)[name].state == "invalid"
        assert words in states(app)[name].cause
    else:
        found = app.extensions["jiki.health"].look()
        assert [(one.check, one.is_critical, one.trouble) for one in found] == [
            ("pulse", False, ""),
            ("heat", True, "it is hot"),
        ]


READY = """
    @hookimpl
    def jiki_ready(self, app: Any) -> None:
        from jiki_core.runtime import runtime_of

        assert runtime_of(app).permissions, "everything is bound by then"
        {act}
"""


def test_hook_ready(made_plugins, app_with):
    made_plugins.add("apt", READY.format(act='app.config["APT_WAS_READY"] = True'))
    body = ROUTE.format(name="late", policy="@policy(public)") + READY.format(act='raise RuntimeError("no such room")')
    made_plugins.add("late", body)
    made_plugins.add("later", attributes='requires = ("late",)')
    app = app_with()
    assert app.config["APT_WAS_READY"] is True
    assert states(app)["late"].state == "configure-failed"
    assert "jiki_ready raised RuntimeError: no such room (" in states(app)["late"].cause
    assert states(app)["later"].cause == "later requires late, which does not run"
    assert app.test_client().get("/api/v1/external/late").status_code == 503
    assert (states(app)["apt"].state, states(app)["late"].state) == ("running", "configure-failed"), (
        "the check of tables"
    )


CONFIGURE = """
    @hookimpl
    def jiki_configure(self, app: Any, settings: Any) -> None:
        {act}
"""


def test_hook_configure(made_plugins, app_with):
    made_plugins.add("setup", CONFIGURE.format(act='app.config["SETUP_RAN"] = True'))
    made_plugins.add("upset", CONFIGURE.format(act='raise RuntimeError("no socket")'))
    app = app_with()
    assert app.config["SETUP_RAN"] is True
    assert states(app)["setup"].state == "running"
    assert states(app)["upset"].state == "configure-failed"
    assert "no socket" in states(app)["upset"].cause


def test_a_hook_of_the_boot_may_take_fewer_arguments_than_it_is_given(made_plugins, app_with):
    made_plugins.add("modest", CONFIGURE.format(act='app.config["MODEST"] = 1').replace(", settings: Any", ""))
    made_plugins.add("aloof", READY.format(act="").replace(", app: Any", "").split("from jiki_core")[0] + "pass\n")
    app = app_with()
    assert (app.config["MODEST"], states(app)["modest"].state, states(app)["aloof"].state) == (1, "running", "running")


AUTHENTICATE = """
    @hookimpl
    def jiki_authenticate(self, request: Any) -> Identity | None:
        from jiki_core.security import Identity
        {act}
"""


def test_hook_authenticate(made_plugins, app_with):
    body = ROUTE.format(name="who", policy='@policy("who.enter")').replace("external", "internal")
    body += AUTHENTICATE.format(
        act='return Identity(int(request.headers["X-User"]), "api_key") if "X-User" in request.headers else None'
    )
    made_plugins.add("who", body)
    client = app_with().test_client()
    assert client.get("/api/v1/internal/who").status_code == 401
    assert client.get("/api/v1/internal/who", headers={"X-User": "5"}).status_code == 403, "nobody allows = deny"


def test_a_failing_authenticate_refuses_and_never_means_anonymous(made_plugins, app_with):
    body = ROUTE.format(name="who", policy="@policy(signed_in)").replace(
        "blp = Blueprint", "from jiki_core.security import signed_in\n        blp = Blueprint"
    )
    made_plugins.add("who", body + AUTHENTICATE.format(act='raise RuntimeError("broken reader")'))
    answer = app_with().test_client().get("/api/v1/external/who")
    assert answer.status_code == 500
    assert answer.get_json()["error"]["type"] == "internal_error"


AUTHORIZE = """
    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        {act}
"""


@pytest.mark.parametrize(
    ("votes", "is_allowed"),
    [
        (["return None", "return None"], False),
        (["return True", "return None"], True),
        (["return True", "return False"], False),
        (["return False", "return True"], False),
        (["return True", "raise RuntimeError('x')"], False),
        (["raise RuntimeError('x')", "return True"], False),
    ],
)
def test_hook_authorize(made_plugins, app_with, votes, is_allowed):
    from jiki_core.security import Identity

    for number, act in enumerate(votes):
        made_plugins.add(f"vote{number}", AUTHORIZE.format(act=act))
    at = runtime_of(app_with())
    assert at.authorize(Identity(1, "session"), "anything.act", None) is is_allowed


CHANGED = """
    @hookimpl
    def jiki_plugin_changed(self, change: PluginChange) -> None:
        from jiki_core.db import unit_of_work

        if change.plugin == "broken":
            raise RuntimeError("not now")
        with unit_of_work() as uow:
            uow.notify(1, f"{change.plugin}.{change.kind}", {})
"""


def test_hook_plugin_changed(made_plugins, app_with):
    from jiki_core.db import db
    from jiki_core.plugins.apply import apply_changes
    from jiki_core.plugins.host import PluginHost

    made_plugins.add("hears", CHANGED)
    app = app_with()
    host: PluginHost = app.extensions["jiki.host"]
    with app.app_context():
        try:
            done, failed = apply_changes(host)
            assert ([one.sentence() for one in done], failed) == (["hears enabled (1.0.0)"], [])
            assert apply_changes(host) == ([], [])
            host.discovered["hears"] = replace(host.discovered["hears"], version="1.1.0")
            assert [one.sentence() for one in apply_changes(host)[0]] == ["hears upgraded (1.0.0 -> 1.1.0)"]
            assert sorted(reading().scalars(select(Notification.type))) == ["hears.enabled", "hears.upgraded"]
        finally:
            with db.engine.begin() as connection:
                connection.execute(delete(PluginRecord))


def test_a_change_that_a_plugin_fails_to_take_in_is_told_again(made_plugins, app_with):
    from jiki_core.db import db
    from jiki_core.plugins.apply import apply_changes

    made_plugins.add("broken")
    made_plugins.add("hears", CHANGED)
    app = app_with()
    with app.app_context():
        try:
            for _ in range(2):
                _done, failed = apply_changes(app.extensions["jiki.host"])
                assert [(change.plugin, plugin, str(error)) for change, plugin, error in failed] == [
                    ("broken", "hears", "not now")
                ]
        finally:
            with db.engine.begin() as connection:
                connection.execute(delete(PluginRecord))


PERSONAL_MODELS = """
from __future__ import annotations
from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column
from jiki_core.db import IdentityKey, Model

class Base(Model):
    __abstract__ = True
    __plugin__ = "{name}"

class Diary(Base):
    __tablename__ = "diaries"
    id: Mapped[IdentityKey]
    user_id: Mapped[int] = mapped_column(BigInteger)

class Page(Base):
    __tablename__ = "pages"
    id: Mapped[IdentityKey]
    diary_id: Mapped[int] = mapped_column(ForeignKey("{name}.diaries.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
"""
PERSONAL = """
    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from acme_{name}.models import Diary, Page

        return [Diary, Page]

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        return [{declared}]
"""


@pytest.mark.parametrize(
    ("name", "declared", "words"),
    [
        ("diary_a", "", ["diary_a.diaries leads to users", "diary_a.pages leads to users"]),
        ("diary_b", 'PersonalTable("diaries", "user_id")', ["diary_b.pages leads to users"]),
        ("diary_c", 'PersonalTable("page", "user_id")', ["names the table page, which no model"]),
        ("diary_d", 'PersonalTable("pages", "text.user_id")', ["goes through pages.text, which is no foreign key"]),
        ("diary_e", 'PersonalTable("pages", "diary_id.owner")', ["ends in diaries.owner, which is no column"]),
        ("diary_f", 'PersonalTable("diaries", "user_id", ("mood",))', ["names mood, which the table has not"]),
        ("diary_g", 'PersonalTable("diaries", "user_id", (), retain(""))', ["retains rows without a reason"]),
        ("diary_h", 'PersonalTable("diaries", "user_id"), PersonalTable("pages", "diary_id.user_id", ("text",))', []),
    ],
)
def test_hook_personal_data(made_plugins, app_with, name, declared, words):
    files = {"models.py": PERSONAL_MODELS.format(name=name)}
    made_plugins.add(name, PERSONAL.format(name=name, declared=declared), files=files)
    found = states(app_with())[name]
    assert found.state == ("invalid" if words else "running"), found
    for word in words:
        assert word in found.cause
