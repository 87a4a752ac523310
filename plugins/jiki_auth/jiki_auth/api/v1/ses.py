"""`webhooks/ses`: bounces and complaints, delivered by SNS (contract.md 2.7, 3.14)."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from jiki_auth.errors import InvalidSignature
from jiki_auth.jobs import confirm_sns_subscription
from jiki_auth.settings import auth_settings
from jiki_auth.sns import is_sns_url, notice_of, verify_sns
from jiki_core.db import unit_of_work
from jiki_core.errors import BadRequest
from jiki_core.http import Blueprint, policy, strict_json
from jiki_core.mail import suppress
from jiki_core.security import signature

blp = Blueprint("ses", __name__, url_prefix="/ses", description="Bounces and complaints")


@blp.route("", methods=["POST"])
@policy(signature(verify_sns), reason="SNS signs its notices")
@blp.raw_body
@blp.response(200)
@blp.raises(InvalidSignature)
def create() -> Response:
    """200 for every notice that is signed, whatever it says."""
    notice = notice_of(request)
    if notice["Type"] == "SubscriptionConfirmation":
        if is_sns_url(notice["SubscribeURL"], auth_settings()):
            with unit_of_work() as uow:
                uow.enqueue(confirm_sns_subscription, url=notice["SubscribeURL"])
    elif notice["Type"] == "Notification":
        _mark(_event(notice["Message"]))
    return Response(status=200)


def _event(message: str) -> dict[str, Any]:
    """SES's event; empty for what is none, such as SNS's own test message."""
    try:
        event = strict_json(message.encode())
    except BadRequest:
        return {}
    return event if isinstance(event, dict) else {}


def _mark(event: dict[str, Any]) -> None:
    kind = event.get("eventType") or event.get("notificationType")
    bounce, complaint = event.get("bounce"), event.get("complaint")
    with unit_of_work() as uow:
        if kind == "Bounce" and isinstance(bounce, dict) and bounce.get("bounceType") == "Permanent":
            for email, details in _recipients(bounce.get("bouncedRecipients")):
                suppress(uow, email, "bounce", str(details.get("diagnosticCode") or bounce.get("bounceSubType")))
        elif kind == "Complaint" and isinstance(complaint, dict):
            for email, _ in _recipients(complaint.get("complainedRecipients")):
                suppress(uow, email, "complaint", str(complaint.get("complaintFeedbackType") or "complaint"))


def _recipients(listed: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (one["emailAddress"], one)
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and isinstance(one.get("emailAddress"), str)
    ]
