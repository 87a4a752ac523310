"""i18n: publishing 100,000 keys in 20 locales: time, peak memory, and what a small change costs afterwards.

JIKI_TEST_SCALE scales the number of keys (1 by default). Each publication is a process of its own, as `flask i18n
publish --here` runs it; its peak memory is the kernel's figure (ru_maxrss).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import psycopg

from benchmarks.stage import ROOT
from jiki_core.app import create_app
from jiki_core.devserver.services import temporary_services
from jiki_core.settings import Sources
from jiki_core.testing.databases import migrate
from jiki_i18n.locales import ALL_LOCALES, SOURCE_LOCALE

KEYS = int(100_000 * float(os.environ.get("JIKI_TEST_SCALE", "1")))
NAMESPACES = 20
LOCALES = [tag for tag in ALL_LOCALES if tag != SOURCE_LOCALE][:20]

FILL = """
insert into i18n.namespaces (name) select 'part' || n from generate_series(1, %(namespaces)s) n;
insert into i18n.messages (namespace_id, key, source, placeholders)
select n.id, 'page' || k / 50 || '.item' || k, 'The quick brown fox number ' || k || ' greets {name}', array['name']
from i18n.namespaces n, generate_series(1, %(keys)s / %(namespaces)s) k;
insert into i18n.translations (message_id, locale, text, state, reviewed_text, source_revision)
select m.id, l, t, 'reviewed', t, 1
from i18n.messages m, unnest(%(locales)s::text[]) l, lateral (select l || ': ' || m.source as t) made;
insert into i18n.catalogue_revisions (namespace_id, locale)
select n.id, l from i18n.namespaces n, unnest(%(locales)s::text[] || array['en']) l;
analyze i18n.messages; analyze i18n.translations;
"""
CHANGE = """
update i18n.translations set reviewed_text = text || ' #' || %(turn)s::text
where locale = 'hu' and message_id = (select min(id) from i18n.messages);
update i18n.catalogue_revisions set revision = revision + 1
where locale = 'hu' and namespace_id = (select min(id) from i18n.namespaces);
"""


def run(_seconds: float, rounds: int) -> dict[str, Any]:
    with temporary_services() as services, tempfile.TemporaryDirectory(prefix="jiki-i18n-") as folder:
        url = services.create_database("jiki_benchmark")
        environment = {
            "JIKI_ENV": "test",
            "JIKI_PLUGINS_ENABLED": "i18n",
            "DATABASE_URL": url,
            "REDIS_URL": services.redis_url_of(0),
            "JIKI_LOG_LEVEL": "WARNING",
            "JIKI_STORAGE_DIR": folder,
        }
        migrate(create_app("web", sources=Sources({}, environment)))
        with psycopg.connect(url, autocommit=True) as connection:
            started = time.perf_counter()
            _execute(connection, FILL)
            filled = time.perf_counter() - started
            whole, peak = _publish(environment)
            unchanged = [_publish(environment)[0] for _ in range(rounds)]
            changed = []
            for turn in range(rounds):
                _execute(connection, CHANGE, turn=turn)
                changed.append(_publish(environment)[0])
        files = [entry for place in os.scandir(folder) for entry in os.scandir(place.path)]
        return {
            "cpus": os.cpu_count(),
            "keys": KEYS,
            "locales": len(LOCALES),
            "catalogues": NAMESPACES * len(LOCALES),
            "files_megabytes": round(sum(entry.stat().st_size for entry in files) / 1e6, 1),
            "fill_seconds": round(filled, 1),
            "publish_seconds": round(whole, 1),
            "messages_per_second": round(KEYS * len(LOCALES) / whole),
            "peak_megabytes": round(peak),
            "nothing_changed_seconds_median": round(statistics.median(unchanged), 2),
            "one_text_changed_seconds_median": round(statistics.median(changed), 2),
        }


def _publish(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds, and peak resident megabytes, of one publication in a process of its own (its start included)."""
    command = [sys.executable, "-m", "flask", "--app", "jiki_core", "i18n", "publish", "--here"]
    for locale in LOCALES:
        command += ["--locale", locale]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    told = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(told)
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def _execute(connection: psycopg.Connection[Any], script: str, **more: Any) -> None:
    values = {"namespaces": NAMESPACES, "keys": KEYS, "locales": LOCALES, **more}
    for statement in filter(str.strip, script.split(";")):
        named = {name: value for name, value in values.items() if f"%({name})s" in statement}
        connection.execute(statement, named or None)
