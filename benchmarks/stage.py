"""What benchmarks run on: throw-away services, all plugins, the bundled course and a signed-in learner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jiki_core.app import create_app
from jiki_core.devserver.services import temporary_services
from jiki_core.settings import Sources
from jiki_core.testing.databases import migrate

ROOT = Path(__file__).parents[1]
PLUGINS = "auth,learning,payments,i18n"


@dataclass(frozen=True)
class Stage:
    """`environment` is what a server process needs; `access_token` and `user_id` are a learner's."""

    environment: dict[str, str]
    user_id: int
    access_token: str


@contextmanager
def staged() -> Iterator[Stage]:
    """Migrated, seeded with the bundled course and one learner."""
    with temporary_services() as services:
        environment = {
            "JIKI_ENV": "test",
            "JIKI_PLUGINS_ENABLED": PLUGINS,
            "DATABASE_URL": services.create_database("jiki_benchmark"),
            "REDIS_URL": services.redis_url_of(0),
            "JIKI_LOG_LEVEL": "WARNING",
        }
        app = create_app("web", sources=Sources({}, environment))
        migrate(app)
        from jiki_auth.testing import make_user

        done = app.test_cli_runner().invoke(args=["learning", "import", "bundled"])
        if done.exit_code:
            raise RuntimeError(done.output)
        user = make_user(app)
        body = {"email": user.email, "password": user.password}
        token = app.test_client().post("/api/v1/auth/token", json=body).get_json()["access_token"]
        yield Stage(environment, user.id, token)
