"""`admin/concepts` and `admin/challenges` (contract.md 2.6)."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.http import Blueprint, Reply, no_content, policy, reply, reply_page
from jiki_learning.admin_schemas import (
    AdminChallengePageReply,
    AdminChallengeReply,
    AdminConceptPageReply,
    AdminConceptReply,
    ChangedChallengeBody,
    ChangedConceptBody,
    NewChallengeBody,
    NewConceptBody,
)
from jiki_learning.api.v1.row_ids import row_id
from jiki_learning.commands.edit_unlockables import (
    change_challenge,
    change_concept,
    create_challenge,
    create_concept,
    delete_challenge,
    delete_concept,
)
from jiki_learning.errors import ChallengeNotFound, ConceptNotFound
from jiki_learning.queries.editing import challenge_page, concept_page, one_challenge, one_concept
from jiki_learning.schemas import SearchPageQuery

concepts = Blueprint("concepts", __name__, url_prefix="/concepts", description="Edit concepts")
challenges = Blueprint("challenges", __name__, url_prefix="/challenges", description="Edit challenges")


@concepts.route("")
@policy("learning.edit_content")
@concepts.arguments(SearchPageQuery, location="query")
@concepts.response(200, AdminConceptPageReply)
def concept_index(query: dict[str, Any]) -> Reply:
    """Concepts by part of their slug."""
    page = concept_page(query)
    return reply_page(page, page.items)


@concepts.route("", methods=["POST"])
@policy("learning.edit_content")
@concepts.arguments(NewConceptBody)
@concepts.response(201, AdminConceptReply)
@concepts.raises(ValidationFailed)
def concept_create(body: dict[str, Any]) -> Reply:
    """A new concept."""
    with unit_of_work() as uow:
        concept_id = create_concept(uow, body["concept"])
    return reply({"concept": one_concept(concept_id)}, status=201)


@concepts.route("/<concept_id>")
@policy("learning.edit_content")
@concepts.response(200, AdminConceptReply)
@concepts.raises(ConceptNotFound)
def concept_show(concept_id: str) -> Reply:
    """One concept."""
    return reply({"concept": one_concept(row_id(concept_id, ConceptNotFound))})


@concepts.route("/<concept_id>", methods=["PATCH", "PUT"])
@policy("learning.edit_content")
@concepts.arguments(ChangedConceptBody)
@concepts.response(200, AdminConceptReply)
@concepts.raises(ConceptNotFound, ValidationFailed)
def concept_update(body: dict[str, Any], concept_id: str) -> Reply:
    """Changes a concept; its former slug goes on finding it."""
    wanted = row_id(concept_id, ConceptNotFound)
    with unit_of_work() as uow:
        change_concept(uow, wanted, body["concept"])
    return reply({"concept": one_concept(wanted)})


@concepts.route("/<concept_id>", methods=["DELETE"])
@policy("learning.edit_content")
@concepts.response(204)
@concepts.raises(ConceptNotFound)
def concept_delete(concept_id: str) -> Reply:
    """Deletes a concept."""
    with unit_of_work() as uow:
        delete_concept(uow, row_id(concept_id, ConceptNotFound))
    return no_content()


@challenges.route("")
@policy("learning.edit_content")
@challenges.arguments(SearchPageQuery, location="query")
@challenges.response(200, AdminChallengePageReply)
def challenge_index(query: dict[str, Any]) -> Reply:
    """Challenges by part of their slug."""
    page = challenge_page(query)
    return reply_page(page, page.items)


@challenges.route("", methods=["POST"])
@policy("learning.edit_content")
@challenges.arguments(NewChallengeBody)
@challenges.response(201, AdminChallengeReply)
@challenges.raises(ValidationFailed)
def challenge_create(body: dict[str, Any]) -> Reply:
    """A new challenge."""
    with unit_of_work() as uow:
        challenge_id = create_challenge(uow, body["challenge"])
    return reply({"challenge": one_challenge(challenge_id)}, status=201)


@challenges.route("/<challenge_id>")
@policy("learning.edit_content")
@challenges.response(200, AdminChallengeReply)
@challenges.raises(ChallengeNotFound)
def challenge_show(challenge_id: str) -> Reply:
    """One challenge."""
    return reply({"challenge": one_challenge(row_id(challenge_id, ChallengeNotFound))})


@challenges.route("/<challenge_id>", methods=["PATCH", "PUT"])
@policy("learning.edit_content")
@challenges.arguments(ChangedChallengeBody)
@challenges.response(200, AdminChallengeReply)
@challenges.raises(ChallengeNotFound, ValidationFailed)
def challenge_update(body: dict[str, Any], challenge_id: str) -> Reply:
    """Changes a challenge."""
    wanted = row_id(challenge_id, ChallengeNotFound)
    with unit_of_work() as uow:
        change_challenge(uow, wanted, body["challenge"])
    return reply({"challenge": one_challenge(wanted)})


@challenges.route("/<challenge_id>", methods=["DELETE"])
@policy("learning.edit_content")
@challenges.response(204)
@challenges.raises(ChallengeNotFound)
def challenge_delete(challenge_id: str) -> Reply:
    """Deletes a challenge with learners' progress in it."""
    with unit_of_work() as uow:
        delete_challenge(uow, row_id(challenge_id, ChallengeNotFound))
    return no_content()
