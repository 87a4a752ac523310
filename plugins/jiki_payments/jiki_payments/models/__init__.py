"""Tables of payments, in the schema `payments`."""

from jiki_payments.models.base import PaymentsModel
from jiki_payments.models.entitlement import GIVEN_BY_HAND, PREMIUM, Entitlement, Source
from jiki_payments.models.member import Member

ALL_MODELS: tuple[type[PaymentsModel], ...] = (Member, Entitlement)

__all__ = ["ALL_MODELS", "GIVEN_BY_HAND", "PREMIUM", "Entitlement", "Member", "PaymentsModel", "Source"]
