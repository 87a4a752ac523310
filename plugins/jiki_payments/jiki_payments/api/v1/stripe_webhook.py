"""`POST webhooks/stripe`: the inbox of Stripe's notices (contract.md 2.7). Answered as soon as a notice is stored."""

from __future__ import annotations

import json

from flask import Request, Response
from flask import request as current_request

from jiki_core.db import unit_of_work
from jiki_core.errors import BadRequest
from jiki_core.http import Blueprint, Reply, policy
from jiki_core.observability import counter, get_logger
from jiki_core.security import signature
from jiki_payments.commands.receive_notice import receive_notice
from jiki_payments.notices import UnreadableNotice, read_notice
from jiki_payments.settings import payments_settings
from jiki_payments.webhook_signatures import SignatureRefused, check_signature

log = get_logger(__name__)
_received = counter("jiki_payments_webhook_requests_total", "Requests at the Stripe webhook", ["outcome"])

blp = Blueprint("stripe_webhook", __name__, description="Notices from Stripe")


class UnsignedNotice(BadRequest):
    """Not signed by Stripe, or too old, or from the future."""


def stripe_signature(request: Request) -> None:
    """Checks `Stripe-Signature` over the raw bytes. Raises UnsignedNotice."""
    settings = payments_settings()
    try:
        check_signature(
            request.get_data(cache=True),
            request.headers.get("Stripe-Signature", ""),
            settings.stripe_webhook_secret.reveal().split(),
            settings.webhook_tolerance_seconds,
        )
    except SignatureRefused as refused:
        _received.labels("refused").inc()
        log.warning("stripe_signature_refused", reason=str(refused))
        raise UnsignedNotice(reason="signature") from refused


@blp.route("/stripe", methods=["POST"])
@policy(signature(stripe_signature), reason="Stripe signs what it sends")
@blp.raw_body
@blp.response(200)
@blp.raises(UnsignedNotice)
def receive() -> Reply:
    """Stores the notice, once; a job handles it."""
    try:
        notice = read_notice(json.loads(current_request.get_data(cache=True)))
    except (UnreadableNotice, ValueError) as error:
        raise BadRequest(reason="no_event") from error
    with unit_of_work() as uow:
        is_new = receive_notice(uow, notice)
    _received.labels("new" if is_new else "repeated").inc()
    return Response(status=200)
