"""Plugins: the manifest, the hooks, what they may contribute, and the host that loads them."""

from jiki_core.cable import Channel
from jiki_core.contracts import Provider
from jiki_core.events import Listener
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.mail import EmailTemplate
from jiki_core.plugins.contributions import Seed
from jiki_core.plugins.health import HealthCheck
from jiki_core.plugins.hookspecs import hookimpl
from jiki_core.plugins.lifecycle import ChangeKind, PluginChange
from jiki_core.plugins.manifest import Plugin
from jiki_core.plugins.personal_data import DELETE, PersonalTable, anonymise, retain
from jiki_core.plugins.state import PluginState, PluginStatus
from jiki_core.security import Permission, Role
from jiki_core.storage import FileKind

__all__ = [
    "DELETE",
    "ChangeKind",
    "Channel",
    "EmailTemplate",
    "FileKind",
    "HealthCheck",
    "Job",
    "Listener",
    "Mount",
    "Permission",
    "PersonalTable",
    "Plugin",
    "PluginChange",
    "PluginState",
    "PluginStatus",
    "Provider",
    "Role",
    "Seed",
    "anonymise",
    "hookimpl",
    "retain",
]
