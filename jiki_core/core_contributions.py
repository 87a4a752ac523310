"""What the core itself contributes through the same values as plugins: its permission, jobs, channel and routes."""

from __future__ import annotations

from jiki_core.api.v1.admin_jobs import blp as admin_jobs
from jiki_core.api.v1.admin_outbox import blp as admin_outbox
from jiki_core.api.v1.cable_tokens import blp as cable_tokens
from jiki_core.api.v1.jobs import blp as jobs
from jiki_core.api.v1.mail_suppressions import blp as mail_suppressions
from jiki_core.api.v1.notifications import blp as notifications
from jiki_core.api.v1.uploads import blp as uploads
from jiki_core.cable.notifications import NotificationsChannel
from jiki_core.db.outbox import JobReceipt, OutboxEntry
from jiki_core.db.records import AuditEvent, MutedNotification, Notification, PluginRecord, SeedRecord
from jiki_core.events import NotificationKind
from jiki_core.http import Mount
from jiki_core.http.idempotency import IdempotencyKey
from jiki_core.jobs.schedules import ScheduleRow, ScheduleTick
from jiki_core.jobs.sweeps import SWEEPS
from jiki_core.jobs.tracking import RECORD_TRACKING, TrackingEvent
from jiki_core.mail.digest import DIGEST, MAIL_DIGEST, PLAN_DIGESTS
from jiki_core.mail.sending import DELIVER_MAIL, MailDedupeKey
from jiki_core.mail.suppression import MailSuppression
from jiki_core.plugins.contributions import Contributions
from jiki_core.plugins.core_traces import FORGET_PERSON
from jiki_core.security import Permission
from jiki_core.storage.deletion import DELETE_OBJECTS
from jiki_core.storage.models import Attachment, Blob, UploadTicket
from jiki_core.storage.sweeps import SWEEP_FILES

CORE_CONTRIBUTIONS = Contributions(
    blueprints=(
        Mount(notifications),
        Mount(cable_tokens),
        Mount(uploads),
        Mount(jobs),
        Mount(admin_jobs, "admin"),
        Mount(admin_outbox, "admin"),
        Mount(mail_suppressions, "external"),
    ),
    models=(
        OutboxEntry,
        JobReceipt,
        ScheduleRow,
        ScheduleTick,
        AuditEvent,
        Notification,
        MutedNotification,
        PluginRecord,
        SeedRecord,
        IdempotencyKey,
        MailDedupeKey,
        MailSuppression,
        TrackingEvent,
        UploadTicket,
        Blob,
        Attachment,
    ),
    jobs=(
        DELIVER_MAIL,
        RECORD_TRACKING,
        DELETE_OBJECTS,
        SWEEP_FILES,
        FORGET_PERSON,
        PLAN_DIGESTS,
        MAIL_DIGEST,
        *SWEEPS,
    ),
    emails=(DIGEST,),
    channels=(NotificationsChannel,),
    notifications=(
        NotificationKind("job_done", "Something long that you asked for is done", group="jobs"),
        NotificationKind("job_failed", "Something long that you asked for failed", group="jobs"),
    ),
    permissions=(Permission("core.administer", "Use the routes under admin", roles=("admin",)),),
)
