"""`internal/concepts` and `external/concepts`: what lessons teach, with what the learner has unlocked."""

from __future__ import annotations

from typing import Any

from jiki_core.http import Blueprint, Reply, cache_publicly, policy, rate_class, reply, reply_page
from jiki_core.security import me
from jiki_learning.errors import ConceptLocked, ConceptNotFound
from jiki_learning.queries.catalogue import find_concept
from jiki_learning.queries.concepts import concept_page, concept_shape, unlocked_concept_ids, unlocked_slugs
from jiki_learning.schemas import (
    ConceptPageQuery,
    ConceptPageReply,
    ConceptReply,
    SearchPageQuery,
    UnlockedConceptsReply,
)

blp = Blueprint("concepts", __name__, url_prefix="/concepts", description="Concepts, as the learner may see them")
external = Blueprint("concepts", __name__, url_prefix="/concepts", description="Concepts, for everybody")


@blp.route("")
@policy("learning.learn")
@blp.arguments(ConceptPageQuery, location="query")
@blp.response(200, ConceptPageReply)
def index(query: dict[str, Any]) -> Reply:
    """Concepts by part of their slug, unlocked ones first; `slugs` (comma-separated) narrows the list."""
    unlocked = unlocked_concept_ids(me().user_id)
    slugs = frozenset(slug.strip() for slug in query["slugs"].split(",") if slug.strip())
    page = concept_page(query, unlocked, slugs)
    return reply_page(page, page.items, unlocked_count=len(unlocked))


@blp.route("/unlocked")
@policy("learning.learn")
@blp.response(200, UnlockedConceptsReply)
def unlocked() -> Reply:
    """Slugs of all unlocked concepts."""
    return reply({"unlocked_slugs": unlocked_slugs(me().user_id)})


@blp.route("/<slug>")
@policy("learning.learn")
@blp.response(200, ConceptReply)
@blp.raises(ConceptLocked, ConceptNotFound)
def show(slug: str) -> Reply:
    """An unlocked concept, by its slug or a former one."""
    concept = find_concept(slug)
    if concept.id not in unlocked_concept_ids(me().user_id):
        raise ConceptLocked()
    return reply({"concept": concept_shape(concept)})


@external.route("")
@external.arguments(SearchPageQuery, location="query")
@external.response(200, ConceptPageReply)
@cache_publicly(max_age_seconds=60, stale_while_revalidate_seconds=600)
def external_index(query: dict[str, Any]) -> Reply:
    """All concepts by part of their slug."""
    page = concept_page(query, None)
    return reply_page(page, page.items)


@external.route("/<slug>")
@external.response(200, ConceptReply)
@external.raises(ConceptNotFound)
@rate_class("unlimited")  # the web client's server asks for all visitors from one address (contract.md section 1)
@cache_publicly(max_age_seconds=60, stale_while_revalidate_seconds=600)
def external_show(slug: str) -> Reply:
    """A concept, by its slug or a former one."""
    return reply({"concept": concept_shape(find_concept(slug))})
