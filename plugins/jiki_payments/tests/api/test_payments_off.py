"""A school without payments is free (architecture.md 2.4)."""

from __future__ import annotations

from jiki_core.contracts import AccountFields, Entitlements, NetworkReputation, Verdict, ask


def test_without_payments_everything_is_granted(make_app):
    with make_app(plugins=("auth",)).app_context():
        assert ask(Entitlements).check(1, "premium")
        assert ask(Entitlements).check_many("premium", [1, 2]) == {1: True, 2: True}
        assert ask(AccountFields).fields("user", [1]) == []
        assert ask(NetworkReputation).judge("203.0.113.9") == Verdict()
