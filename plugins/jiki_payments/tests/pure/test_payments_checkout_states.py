"""payment_state and decline_code of verify_checkout."""

from __future__ import annotations

import pytest

from jiki_payments.checkout_states import PaymentState, payment_state, shown_decline_code


@pytest.mark.parametrize(
    ("session", "intent", "has_error", "state"),
    [
        ("paid", None, False, "paid"),
        ("no_payment_required", None, False, "paid"),
        ("unpaid", "succeeded", False, "paid"),
        ("unpaid", "requires_payment_method", True, "failed"),
        ("unpaid", "canceled", False, "failed"),
        ("unpaid", "processing", False, "processing"),
        ("unpaid", "requires_action", True, "processing"),
        ("unpaid", "requires_confirmation", False, "processing"),
        ("unpaid", None, False, "processing"),
        ("unpaid", "requires_capture", True, "failed"),
        ("unpaid", "requires_capture", False, "processing"),
    ],
)
def test_the_payment_state_comes_from_the_session_or_the_first_payment(
    session: str, intent: str | None, has_error: bool, state: str
) -> None:
    assert payment_state(session, intent, has_error) == state


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [
        ("failed", "insufficient_funds", "insufficient_funds"),
        ("failed", "stolen_card", "card_declined"),
        ("failed", "fraudulent", "card_declined"),
        ("failed", None, None),
        ("paid", "insufficient_funds", None),
        ("processing", "insufficient_funds", None),
    ],
)
def test_a_decline_code_is_shown_only_of_a_failure_and_never_warns_a_thief(
    state: str, code: str | None, shown: str | None
) -> None:
    assert shown_decline_code(PaymentState(state), code) == shown
