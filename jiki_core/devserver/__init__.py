"""The one-command stack: real PostgreSQL and Valkey from their wheels, and what `bin/dev` runs on them."""

from __future__ import annotations

from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.services import EmbeddedServices, Services, temporary_services

__all__ = ["EmbeddedServices", "ServiceError", "Services", "temporary_services"]
