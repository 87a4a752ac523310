"""One JSON object a line: a static event name, facts as fields, foreign loggers through the same formatter."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from jiki_core.observability.request_ids import current_request_id

#: names of fields that never reach a log, whoever logs them
_SECRET_FIELDS = re.compile(r"password|secret|token|authorization|cookie|api_key|otp|jid", re.IGNORECASE)
#: what carries a credential inside a text, such as a URL's query
_SECRET_IN_TEXT = re.compile(r"(?i)\b(jid|token|access_token|confirmation_token|reset_password_token|key)=([^&\s\"']+)")


def get_logger(name: str) -> Any:
    """A structured logger: `log.info("event_name", field=value)`."""
    return structlog.get_logger(name)


def redact_text(text: str) -> str:
    """Credentials in query strings replaced by an ellipsis."""
    return _SECRET_IN_TEXT.sub(r"\1=…", text)


def configure_logging(level: str, *, as_json: bool) -> None:
    """Sets up structlog and the root logger of this process; called once by `create_app`, repeatable."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        _redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value, default=str).decode())
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared, structlog.processors.format_exc_info],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.set_name("jiki")
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if one.get_name() != "jiki"]
    root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("rq.worker", "rq", "alembic.runtime.plugins", "botocore", "urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = current_request_id()
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if _SECRET_FIELDS.search(name):
            event[name] = "…"
        elif isinstance(value, str):
            event[name] = redact_text(value)
    return event
