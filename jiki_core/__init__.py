"""Jiki's framework. The public names, loaded when first asked for, so that importing one room does not import all."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jiki_core.app import create_app
    from jiki_core.cable import Channel
    from jiki_core.contracts import Contract, Provider, ask, question
    from jiki_core.db import Model, UnitOfWork, reading, unit_of_work
    from jiki_core.errors import DomainError, FieldError, ValidationFailed
    from jiki_core.events import Event, Listener
    from jiki_core.http import Blueprint, Mount, Schema, no_content, policy, reply
    from jiki_core.jobs import Job, JobRun, Retry
    from jiki_core.mail import EmailTemplate, send_mail
    from jiki_core.plugins import Plugin, Seed, hookimpl
    from jiki_core.security import Identity, Permission, Role, me
    from jiki_core.settings import Secret, setting
    from jiki_core.version import __version__

_HOMES = {
    "Blueprint": "http",
    "Channel": "cable",
    "Contract": "contracts",
    "DomainError": "errors",
    "EmailTemplate": "mail",
    "Event": "events",
    "FieldError": "errors",
    "Identity": "security",
    "Job": "jobs",
    "JobRun": "jobs",
    "Listener": "events",
    "Model": "db",
    "Mount": "http",
    "Permission": "security",
    "Plugin": "plugins",
    "Provider": "contracts",
    "Retry": "jobs",
    "Role": "security",
    "Schema": "http",
    "Secret": "settings",
    "Seed": "plugins",
    "UnitOfWork": "db",
    "ValidationFailed": "errors",
    "__version__": "version",
    "ask": "contracts",
    "create_app": "app",
    "hookimpl": "plugins",
    "me": "security",
    "no_content": "http",
    "policy": "http",
    "question": "contracts",
    "reading": "db",
    "reply": "http",
    "send_mail": "mail",
    "setting": "settings",
    "unit_of_work": "db",
}

__all__ = [
    "Blueprint",
    "Channel",
    "Contract",
    "DomainError",
    "EmailTemplate",
    "Event",
    "FieldError",
    "Identity",
    "Job",
    "JobRun",
    "Listener",
    "Model",
    "Mount",
    "Permission",
    "Plugin",
    "Provider",
    "Retry",
    "Role",
    "Schema",
    "Secret",
    "Seed",
    "UnitOfWork",
    "ValidationFailed",
    "__version__",
    "ask",
    "create_app",
    "hookimpl",
    "me",
    "no_content",
    "policy",
    "question",
    "reading",
    "reply",
    "send_mail",
    "setting",
    "unit_of_work",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'jiki_core' has no attribute {name!r}")
    return getattr(importlib.import_module(f"jiki_core.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
