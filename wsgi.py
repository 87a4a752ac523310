"""The WSGI entry of this repository: `gunicorn wsgi:app`, and what the `flask` command finds."""

from jiki_core.boot import collector_at_rest

with collector_at_rest(for_good=True):
    from jiki_core.app import create_app

    app = create_app()
