"""Deleting objects: a job after the commit that made them nobody's, so that a rollback never costs a file."""

from __future__ import annotations

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.jobs import Job, JobRun, Retry
from jiki_core.storage.models import Blob
from jiki_core.storage.storage import storage


def delete_objects(run: JobRun, service: str, keys: list[str]) -> None:
    """Job: removes objects that no blob names. What storage cannot delete now, a later attempt does."""
    kept = set(reading().scalars(select(Blob.key).where(Blob.service == service, Blob.key.in_(keys))))
    place = storage().named(service)
    for key in keys:
        if key not in kept:
            place.delete(key)


DELETE_OBJECTS = Job(delete_objects, queue="heavy", timeout_seconds=300, retry=Retry(limit=20))
