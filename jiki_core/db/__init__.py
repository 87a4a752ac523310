"""PostgreSQL: models with a schema per plugin, the one unit of work that commits, and the core's own tables."""

from jiki_core.db.database import db, reading, release_connection
from jiki_core.db.identifiers import uuid7
from jiki_core.db.model import CoreModel, IdentityKey, Model, Timestamp
from jiki_core.db.unit_of_work import UnitOfWork, record_refusal, refuse_inside_unit, run_in_unit, unit_of_work

__all__ = [
    "CoreModel",
    "IdentityKey",
    "Model",
    "Timestamp",
    "UnitOfWork",
    "db",
    "reading",
    "record_refusal",
    "refuse_inside_unit",
    "release_connection",
    "run_in_unit",
    "unit_of_work",
    "uuid7",
]
