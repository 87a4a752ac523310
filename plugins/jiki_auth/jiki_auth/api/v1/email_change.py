"""`auth/email_change/<token>`: undoes a change of address, from the mail to the old one. Our own page: the client has none."""

from __future__ import annotations

from flask import Response, redirect

from jiki_auth.commands.change_email import undo_email_change
from jiki_auth.errors import InvalidMailToken
from jiki_auth.settings import auth_settings
from jiki_core.configuration import origin_of
from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, never_cache
from jiki_core.runtime import runtime

blp = Blueprint("email_change", __name__, url_prefix="/email_change", description="Undo a change of address")

_PAGE = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Jiki</title>
<form method="post"><p>Put your old address back? Everybody who is signed in will be signed out.</p>
<button>Put it back</button></form></html>
"""


@blp.route("/<token>")
@blp.response(200, {"type": "string"}, content_type="text/html")
def page(token: str) -> Response:
    """A page with a button: following the link alone changes nothing, because mail programs follow links too."""
    response = Response(_PAGE, content_type="text/html; charset=utf-8")
    frontend = origin_of(runtime().settings.frontend_url)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; form-action 'self' {frontend}; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return never_cache(response)


@blp.route("/<token>", methods=["POST"])
@blp.response(303)
@blp.raises(InvalidMailToken)
def undo(token: str) -> Reply:
    """Puts the old address back, ends all sessions and mails a link for a new password."""
    with unit_of_work() as uow:
        undo_email_change(uow, token, auth_settings())
    answer = redirect(f"{runtime().settings.frontend_url.rstrip('/')}/login", 303)
    return Response(status=303, headers={"Location": answer.headers["Location"]})
