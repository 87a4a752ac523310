"""Tables of payments, in the schema `payments`."""

from jiki_payments.models.base import PaymentsModel
from jiki_payments.models.entitlement import GIVEN_BY_HAND, PREMIUM, Entitlement, Source
from jiki_payments.models.member import Member
from jiki_payments.models.payment import Dispute, Payment, Refund
from jiki_payments.models.price_decision import MoveState, Occasion, PriceDecision, PriceMove
from jiki_payments.models.price_table import PriceTableVersion, StripePrice
from jiki_payments.models.stripe_notice import NoticeState, StripeNotice
from jiki_payments.models.subscription import Subscription

ALL_MODELS: tuple[type[PaymentsModel], ...] = (
    Member,
    Entitlement,
    Subscription,
    Payment,
    Refund,
    Dispute,
    StripeNotice,
    PriceTableVersion,
    StripePrice,
    PriceDecision,
    PriceMove,
)

__all__ = [
    "ALL_MODELS",
    "GIVEN_BY_HAND",
    "PREMIUM",
    "Dispute",
    "Entitlement",
    "Member",
    "MoveState",
    "NoticeState",
    "Occasion",
    "Payment",
    "PaymentsModel",
    "PriceDecision",
    "PriceMove",
    "PriceTableVersion",
    "Refund",
    "Source",
    "StripeNotice",
    "StripePrice",
    "Subscription",
]
