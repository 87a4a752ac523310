"""The country of an address, from the operator's own database in MaxMind's format (.mmdb). Answers `CountryLocator`.

Reads those of MaxMind, DB-IP and IPinfo. A file that is replaced is read anew within a minute; one that is missing or
broken is told once and knows nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import maxminddb

from jiki_core.observability import get_logger
from jiki_payments.countries import known_country

log = get_logger(__name__)
LOOK_AGAIN_SECONDS = 60.0


class CountryDatabase:
    """`path` empty: no database, nothing known. Thread-safe."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self._lock = threading.Lock()
        self._reader: maxminddb.Reader | None = None
        self._version: tuple[int, int] | None = None
        self._look_again_at = 0.0

    def locate(self, ip: str) -> str | None:
        """ISO 3166-1 alpha-2 code in capitals, or None."""
        reader = self._current()
        if reader is None:
            return None
        try:
            return country_of(reader.get(ip))
        except (ValueError, maxminddb.InvalidDatabaseError):
            return None

    def _current(self) -> maxminddb.Reader | None:
        if self._path is None:
            return None
        with self._lock:
            if self._clock() >= self._look_again_at:
                self._look_again_at = self._clock() + LOOK_AGAIN_SECONDS
                self._open_newest(self._path)
            return self._reader

    def _open_newest(self, path: Path) -> None:
        """Old readers are left to the garbage collector: another thread may be reading."""
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            if version == self._version:
                return
            self._version = version
            self._reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            log.error("country_database_unreadable", path=str(path), error=f"{type(error).__name__}: {error}")


def country_of(record: object) -> str | None:
    """The country in a database's record: `country.iso_code` (MaxMind, DB-IP), `country_code` or `country` (IPinfo)."""
    if not isinstance(record, Mapping):
        return None
    facts: Mapping[str, Any] = record
    country = facts.get("country")
    candidates = (
        country.get("iso_code") if isinstance(country, Mapping) else country,
        facts.get("country_code"),
    )
    return next((code for one in candidates if isinstance(one, str) and (code := known_country(one))), None)
