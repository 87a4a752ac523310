"""`external/mail_suppressions/<token>`: what a mail program's unsubscribe button posts to (RFC 8058)."""

from __future__ import annotations

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, Reply, no_content
from jiki_core.mail import suppress
from jiki_core.mail.unsubscribing import address_of

blp = Blueprint("mail_suppressions", __name__, url_prefix="/mail_suppressions", description="Addresses without mail")


@blp.route("/<token>", methods=["POST"])
@blp.raw_body
@blp.response(204)
@blp.raises(NotFound)
def create(token: str) -> Reply:
    """Stops notifications and marketing to the token's address; again is no change. `flask mail lift` takes it back.

    Mail programs post a form whose content says nothing, hence no body is asked for.
    """
    address = address_of(token)
    if address is None:
        raise NotFound()
    with unit_of_work() as uow:
        suppress(uow, address, "unsubscribe", "one-click")
    return no_content()
