"""Permissions of i18n. `admin` is whoever runs the school; `translator` is given with locales (`TranslatorGrant`)."""

from __future__ import annotations

from jiki_core.security import Permission, Role

ADMIN = "admin"
TRANSLATOR = "translator"
#: see everything, write in the locales one was granted
TRANSLATE = "i18n.translate"
#: keys, locales, translators, import, publication; write in every locale
MANAGE = "i18n.manage"

ROLES = (Role(TRANSLATOR, "Translates the product into the locales that were granted"),)
PERMISSIONS = (
    Permission(TRANSLATE, "See all messages, translate into the granted locales", roles=(ADMIN, TRANSLATOR)),
    Permission(MANAGE, "Manage keys, locales and translators; import, export, publish", roles=(ADMIN,)),
)
