"""The job door: functions that run after a commit, at least once, with exactly one effect on PostgreSQL."""

from jiki_core.db.outbox import JobOptions
from jiki_core.jobs.job import QUEUES, Job, Retry
from jiki_core.jobs.run import JobRun, PermanentFailure
from jiki_core.jobs.schedule import Schedule

__all__ = ["QUEUES", "Job", "JobOptions", "JobRun", "PermanentFailure", "Retry", "Schedule"]
