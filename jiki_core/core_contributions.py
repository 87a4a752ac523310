"""What the core itself contributes through the same values as plugins: its permission, jobs, channel and routes."""

from __future__ import annotations

from jiki_core.api.v1.cable_tokens import blp as cable_tokens
from jiki_core.api.v1.notifications import blp as notifications
from jiki_core.cable.notifications import NotificationsChannel
from jiki_core.db.outbox import JobReceipt, OutboxEntry
from jiki_core.db.records import AuditEvent, Notification, PluginRecord, SeedRecord
from jiki_core.http import Mount
from jiki_core.mail.sending import DELIVER_MAIL
from jiki_core.plugins.contributions import Contributions
from jiki_core.security import Permission

CORE_CONTRIBUTIONS = Contributions(
    blueprints=(Mount(notifications), Mount(cable_tokens)),
    models=(OutboxEntry, JobReceipt, AuditEvent, Notification, PluginRecord, SeedRecord),
    jobs=(DELIVER_MAIL,),
    channels=(NotificationsChannel,),
    permissions=(Permission("core.administer", "Use the routes under admin", roles=("admin",)),),
)
