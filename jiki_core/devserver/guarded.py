"""The WSGI app of `bin/dev`'s servers: the project's `wsgi:app`, which tells whether it could be built."""

from __future__ import annotations

from pathlib import Path

from jiki_core.devserver.verdict import telling

with telling(Path.cwd()) as plugins:
    # Imported in here: a mistake anywhere below is what is to be told.
    from importlib import import_module

    app = import_module("wsgi").app
    plugins.update(
        {one.name: (str(one.state), one.cause, one.remedy) for one in app.extensions["jiki.host"].statuses()}
    )
