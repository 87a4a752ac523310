"""The WSGI app of `bin/dev`'s servers: the project's `wsgi:app`, which tells whether it could be built."""

from __future__ import annotations

from pathlib import Path

from jiki_core.devserver.verdict import telling

with telling(Path.cwd()) as findings:
    # Imported in here: a mistake anywhere below is what is to be told.
    from importlib import import_module

    app = import_module("wsgi").app
    for status in app.extensions["jiki.host"].statuses():
        findings.plugins[status.name] = (str(status.state), status.cause, status.remedy)
    for _, seed in app.extensions["jiki.assembly"].seeds:
        if seed.notice and seed.env in ("all", "development"):
            findings.notices.append(seed.notice)
