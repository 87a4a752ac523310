"""`webhooks/api_key_leaks`: a scanner found keys of ours in the open (trust.md 1.3)."""

from __future__ import annotations

from flask import Response, request

from jiki_auth.commands.api_keys import remove_leaked_key
from jiki_auth.errors import InvalidSignature
from jiki_auth.leak_reports import leaked_texts, verify_leak_report
from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, policy
from jiki_core.security import signature

blp = Blueprint("api_key_leaks", __name__, url_prefix="/api_key_leaks", description="Leaked API keys")


@blp.route("", methods=["POST"])
@policy(signature(verify_leak_report), reason="the scanner signs its reports")
@blp.raw_body
@blp.response(200)
@blp.raises(InvalidSignature)
def create() -> Response:
    """Removes every key of the report that is one; the owner is told. The same report again does nothing."""
    for found in leaked_texts(request):
        with unit_of_work() as uow:
            remove_leaked_key(uow, found.text, found.url)
    return Response(status=200)
