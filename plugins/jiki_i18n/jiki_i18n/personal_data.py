"""What i18n keeps about a person, for export and erasure: who may translate, and who wrote or approved what.

What somebody wrote for the product stays with it; only its author is forgotten.
"""

from __future__ import annotations

from jiki_core.plugins import PersonalTable, anonymise

PERSONAL_DATA = (
    PersonalTable("translator_grants", "user_id", ("locale", "may_review", "granted_at")),
    PersonalTable("translations", "author_id", ("locale", "text", "updated_at"), anonymise(author_id=None)),
    PersonalTable("translations", "reviewer_id", ("locale", "updated_at"), anonymise(reviewer_id=None)),
    PersonalTable("translation_versions", "author_id", ("locale", "text", "created_at"), anonymise(author_id=None)),
    PersonalTable("translation_comments", "author_id", ("locale", "body", "created_at"), anonymise(author_id=None)),
    PersonalTable("publications", "author_id", ("created_at", "reason"), anonymise(author_id=None)),
)
