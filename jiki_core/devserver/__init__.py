"""The one-command stack: real PostgreSQL and Valkey from their wheels, and what `bin/dev` runs on them."""

from __future__ import annotations

from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.services import EmbeddedServices, Services, temporary_services
from jiki_core.devserver.standins import Place, StandIn

__all__ = ["EmbeddedServices", "Place", "ServiceError", "Services", "StandIn", "temporary_services"]
