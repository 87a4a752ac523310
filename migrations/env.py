"""Where stock Alembic looks; the environment itself is packaged, so that wheels have it too."""

from jiki_core.app import create_app
from jiki_core.db.alembic.env import run

with create_app("maintenance").app_context():
    run()
