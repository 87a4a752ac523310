"""The captcha (Turnstile's protocol): its outage lets people in and is counted; a wrong answer does not (contract.md 3.6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import current_app

from jiki_auth.errors import InvalidCaptcha
from jiki_auth.outbound import OutsideRefused, OutsideUnavailable, post_form
from jiki_auth.settings import auth_settings
from jiki_core.http import client_address, json_body
from jiki_core.observability import counter, get_logger

View = TypeVar("View", bound=Callable[..., Any])
log = get_logger(__name__)
#: after an outage nobody waits for the verifier for this long
PAUSE_SECONDS = 10.0
MAXIMUM_ANSWER_LENGTH = 2_048

_outages = counter("jiki_auth_captcha_outages_total", "Captcha answers let through because the verifier was away")


def is_human(answer: str | None, address: str) -> bool:
    """Whether the verifier takes the answer; True without a configured secret and while the verifier is away."""
    settings = auth_settings()
    if not settings.turnstile_secret:
        return True
    if not answer or len(answer) > MAXIMUM_ANSWER_LENGTH:
        return False
    if time.monotonic() < current_app.extensions.get("jiki_auth.captcha_pause", 0.0):
        _outages.inc()
        return True
    try:
        verdict = post_form(
            settings.turnstile_url,
            {"secret": settings.turnstile_secret.reveal(), "response": answer, "remoteip": address},
        )
    except (OutsideUnavailable, OutsideRefused) as error:
        current_app.extensions["jiki_auth.captcha_pause"] = time.monotonic() + PAUSE_SECONDS
        log.warning("captcha_unavailable", error=str(error))
        _outages.inc()
        return True
    return verdict.get("success") is True


def captcha_checked(view: View) -> View:
    """Checks `cf_turnstile_response` of the body before anything else; raises InvalidCaptcha."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        body = json_body()
        answer = body.get("cf_turnstile_response") if isinstance(body, dict) else None
        if not is_human(answer if isinstance(answer, str) else None, client_address()):
            raise InvalidCaptcha()
        return view(*args, **kwargs)

    return checked  # type: ignore[return-value]  # the same signature
