"""The job door: functions that run after a commit, at least once, with exactly one effect on PostgreSQL."""

from jiki_core.jobs.job import QUEUES, Job, Retry
from jiki_core.jobs.run import JobRun

__all__ = ["QUEUES", "Job", "JobRun", "Retry"]
