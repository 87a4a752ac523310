"""Questions that auth asks, and questions of others that auth answers. Plugins that require auth may import them."""

from __future__ import annotations

from collections.abc import Sequence

from jiki_core.contracts import Cardinality, Contract, question


class AccountDeletion(Contract):
    """What must succeed outside before an account may go, such as cancelling a subscription (contract.md 3.13).

    Asked with no unit of work open, so that a provider may call out. A provider that fails keeps the account.
    """

    cardinality = Cardinality.MANY
    budget_ms = 20_000

    @question(absent=None, failing=False)
    def prepare_deletion(self, user_id: int) -> bool:
        """Idempotent; True when the account may be deleted."""
        raise AssertionError("answered by a provider")


class MailConsent(Contract):
    """Whether a user wants a kind of mail. Answered by auth."""

    @question(absent=False, failing=False)
    def allows(self, user_id: int, preference: str) -> bool:
        """`preference` is newsletters, event_emails, milestone_emails, activity_emails or onboarding_emails."""
        raise AssertionError("answered by a provider")

    @question(absent=dict, failing=dict)
    def unsubscribe_headers(self, user_id: int, preference: str) -> dict[str, str]:
        """`List-Unsubscribe` and `List-Unsubscribe-Post` of RFC 8058."""
        raise AssertionError("answered by a provider")

    @question(absent="", failing="")
    def unsubscribe_url(self, user_id: int, preference: str) -> str:
        """The web client's page that turns the preference off."""
        raise AssertionError("answered by a provider")


class StreakWishes(Contract):
    """Who wants to keep a streak (`streaks_enabled` of contract.md 2.5). Answered by auth."""

    @question(absent=lambda user_ids: [], failing=lambda user_ids: [])
    def wanting(self, user_ids: Sequence[int]) -> list[int]:
        """Those of `user_ids` who do, in no order."""
        raise AssertionError("answered by a provider")


class HumanCheck(Contract):
    """Whether a captcha's answer came from a person (contract.md 3.6). Answered by auth; calls out, hence no unit open."""

    budget_ms = 6_000

    @question(absent=True, failing=True)
    def is_human(self, answer: str | None, address: str) -> bool:
        """True without a configured secret, and when the verifier is away."""
        raise AssertionError("answered by a provider")
