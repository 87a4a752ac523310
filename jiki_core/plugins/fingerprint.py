"""The fingerprint of a process's plugin set: equal in all processes, or the deployment is not what it should be."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from jiki_core.settings import Secret


def settings_digest(key: bytes, settings: Any) -> str:
    """Sixteen characters that change with any value, secrets included, and tell nothing about them without the key."""
    if settings is None:
        return ""
    values = {
        one.name: value.reveal() if isinstance(value := getattr(settings, one.name), Secret) else repr(value)
        for one in dataclasses.fields(settings)
    }
    return hmac.new(key, orjson.dumps(values, option=orjson.OPT_SORT_KEYS), hashlib.sha256).hexdigest()[:16]


def fingerprint(plugins: Mapping[str, Mapping[str, Any]]) -> str:
    """Sixteen characters over names, versions, schema heads and settings; states are left out, for they come and go."""
    told = {
        name: {part: value for part, value in one.items() if part != "state"} for name, one in sorted(plugins.items())
    }
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
