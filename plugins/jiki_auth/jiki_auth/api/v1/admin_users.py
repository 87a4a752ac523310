"""`admin/users*`: accounts, their roles, their sessions and what happened to them (contract.md 2.6)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from jiki_auth.commands import second_factor
from jiki_auth.commands.change_email import request_email_change
from jiki_auth.commands.delete_account import delete_account, prepare_deletion
from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.manage_roles import grant_role, revoke_role
from jiki_auth.errors import StripeError, UserNotFound
from jiki_auth.permissions import ADMIN, MANAGE_USERS
from jiki_auth.queries.users import admin_user, audit_of, require_user, roles_given, search_users
from jiki_auth.schemas import AdminUserBody, AdminUserReply, AdminUsersReply, AuditReply, RolesReply
from jiki_auth.settings import auth_settings
from jiki_core.db import unit_of_work
from jiki_core.errors import Forbidden, ValidationFailed
from jiki_core.http import Blueprint, PageQuery, Reply, no_content, policy, reply, reply_page, timestamp
from jiki_core.security import me

blp = Blueprint("users", __name__, url_prefix="/users", description="Accounts")


class UsersQuery(PageQuery):
    name = ma.fields.String(load_default="")
    email = ma.fields.String(load_default="")


@blp.route("")
@policy(MANAGE_USERS)
@blp.arguments(UsersQuery, location="query")
@blp.response(200, AdminUsersReply)
@blp.raises(ValidationFailed)
def index(query: dict[str, Any]) -> Reply:
    """Accounts whose name and address contain the texts."""
    page = search_users(**query)
    return reply_page(page, page.items)


@blp.route("/<int:user_id>")
@policy(MANAGE_USERS)
@blp.response(200, AdminUserReply)
@blp.raises(UserNotFound)
def show(user_id: int) -> Reply:
    """One account."""
    return reply({"user": admin_user(user_id)})


@blp.route("/<int:user_id>", methods=["PATCH"])
@policy(MANAGE_USERS)
@blp.arguments(AdminUserBody)
@blp.response(200, AdminUserReply)
@blp.raises(UserNotFound, ValidationFailed)
def update(body: dict[str, Any], user_id: int) -> Reply:
    """Asks the new address to confirm, as if its owner had changed it; nobody can move an account to an address unseen."""
    require_user(user_id)
    with unit_of_work() as uow:
        request_email_change(uow, user_id, body["user"]["email"], auth_settings(), actor_id=me().user_id)
    return reply({"user": admin_user(user_id)})


@blp.route("/<int:user_id>", methods=["DELETE"])
@policy(MANAGE_USERS)
@blp.response(204)
@blp.raises(UserNotFound, Forbidden, StripeError)
def delete(user_id: int) -> Reply:
    """The account and all that belongs to it; what lies outside ends first. Not one's own."""
    require_user(user_id)
    if user_id == me().user_id:
        raise Forbidden(reason="own_account")
    prepare_deletion(user_id)
    with unit_of_work() as uow:
        delete_account(uow, user_id, actor_id=me().user_id, reason="by an admin")
    return no_content()


@blp.route("/<int:user_id>/sessions", methods=["DELETE"])
@policy(MANAGE_USERS)
@blp.response(204)
@blp.raises(UserNotFound)
def end_sessions(user_id: int) -> Reply:
    """Signs a user out everywhere: cookies, tokens and sockets."""
    require_user(user_id)
    with unit_of_work() as uow:
        end_sessions_of(uow, user_id, actor_id=me().user_id, reason="by an admin")
    return no_content()


@blp.route("/<int:user_id>/two_factor", methods=["DELETE"])
@policy(MANAGE_USERS)
@blp.response(204)
@blp.raises(UserNotFound)
def disable_two_factor(user_id: int) -> Reply:
    """For a user who lost the device and the codes; all sessions end."""
    require_user(user_id)
    with unit_of_work() as uow:
        second_factor.disable(uow, user_id, actor_id=me().user_id)
        end_sessions_of(uow, user_id, actor_id=me().user_id, reason="second factor removed by an admin")
    return no_content()


@blp.route("/<int:user_id>/roles")
@policy(MANAGE_USERS)
@blp.response(200, RolesReply)
@blp.raises(UserNotFound)
def roles(user_id: int) -> Reply:
    """Roles given to a user, besides those that everybody has."""
    require_user(user_id)
    return reply({"roles": roles_given(user_id)})


@blp.route("/<int:user_id>/roles/<role>", methods=["PUT"])
@policy(MANAGE_USERS)
@blp.response(200, RolesReply)
@blp.raises(UserNotFound, ValidationFailed)
def grant(user_id: int, role: str) -> Reply:
    """Gives a role; the user signs in again."""
    require_user(user_id)
    with unit_of_work() as uow:
        grant_role(uow, user_id, role, actor_id=me().user_id)
    return reply({"roles": roles_given(user_id)})


@blp.route("/<int:user_id>/roles/<role>", methods=["DELETE"])
@policy(MANAGE_USERS)
@blp.response(200, RolesReply)
@blp.raises(UserNotFound, Forbidden)
def revoke(user_id: int, role: str) -> Reply:
    """Takes a role away. Nobody takes their own admin role, so that one admin is always left."""
    require_user(user_id)
    if user_id == me().user_id and role == ADMIN:
        raise Forbidden(reason="own_account")
    with unit_of_work() as uow:
        revoke_role(uow, user_id, role, actor_id=me().user_id)
    return reply({"roles": roles_given(user_id)})


@blp.route("/<int:user_id>/audit")
@policy(MANAGE_USERS)
@blp.arguments(PageQuery, location="query")
@blp.response(200, AuditReply)
@blp.raises(UserNotFound, ValidationFailed)
def audit(query: dict[str, Any], user_id: int) -> Reply:
    """What a user did and what was done to them, newest first."""
    require_user(user_id)
    page = audit_of(user_id, page=query["page"], per=query["per"])
    entries = [
        {
            "id": row.id,
            "at": timestamp(row.at, milliseconds=True),
            "action": row.action,
            "outcome": row.outcome,
            "actor_id": row.actor_id,
            "reason": row.reason,
            "request_id": row.request_id,
        }
        for row in page.items
    ]
    return reply_page(page, entries)
