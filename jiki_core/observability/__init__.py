"""What an operator sees: structured logs, request ids and metrics."""

from jiki_core.observability.logs import get_logger
from jiki_core.observability.metrics import counter, gauge, histogram
from jiki_core.observability.request_ids import current_request_id

__all__ = ["counter", "current_request_id", "gauge", "get_logger", "histogram"]
