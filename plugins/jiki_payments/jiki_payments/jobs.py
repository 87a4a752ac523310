"""Jobs of payments. Their names are stored and are public API.

Each imports what it calls when it runs: commands ask for these jobs, and jobs run commands.
"""

from __future__ import annotations

from dataclasses import asdict

from jiki_core.db import UnitOfWork
from jiki_core.jobs import Job, JobRun, Retry, Schedule


def handle_stripe_notice(run: JobRun, event_id: str) -> None:
    """One notice of the inbox. Stripe away: tried again for some hours, then by the sweep."""
    from jiki_payments.commands.handle_notice import handle_notice
    from jiki_payments.stripe_gateway import stripe_gateway

    handle_notice(stripe_gateway(), event_id, run.unit_of_work)


def move_to_standard_price(run: JobRun, subscription_id: str) -> None:
    """A subscription whose card was issued elsewhere."""
    from jiki_payments.commands.move_subscription import move_subscription
    from jiki_payments.stripe_gateway import stripe_gateway

    run.result = str(move_subscription(stripe_gateway(), subscription_id))


def push_stripe_prices(run: JobRun) -> None:
    """The prices of a table that was published, so that the first checkout need not wait for them."""
    from jiki_payments.commands.ensure_stripe_prices import ensure_stripe_prices
    from jiki_payments.queries.prices import current_table
    from jiki_payments.stripe_gateway import stripe_gateway

    ensure_stripe_prices(stripe_gateway(), current_table())


def sweep_stripe(run: JobRun) -> None:
    """Nightly: what no notice told us."""
    from jiki_payments.commands.sweep import sweep
    from jiki_payments.settings import payments_settings
    from jiki_payments.stripe_gateway import stripe_gateway

    if payments_settings().stripe_secret_key:
        run.result = asdict(sweep(stripe_gateway()))


def end_memberships(uow: UnitOfWork) -> int:
    """Every minute: entitlements that expired."""
    from jiki_payments.commands.end_memberships import end_memberships as end

    return end(uow)


def remind_of_failed_payments(uow: UnitOfWork) -> int:
    """Hourly: the mails that follow the first one."""
    from jiki_payments.commands.end_memberships import remind_of_failed_payments as remind

    return remind(uow)


#: about a day of attempts; what lies longer is the sweep's
_PATIENT = Retry(limit=12, longest_delay_seconds=14_400)

JOBS = (
    Job(handle_stripe_notice, retry=_PATIENT, timeout_seconds=120),
    Job(move_to_standard_price, retry=_PATIENT, timeout_seconds=180),
    Job(push_stripe_prices, retry=_PATIENT, timeout_seconds=120, unique=True),
    Job(sweep_stripe, queue="heavy", timeout_seconds=7_200, schedule=Schedule("17 3 * * *"), unique=True),
    Job(end_memberships, schedule=Schedule("* * * * *"), unique=True),
    Job(remind_of_failed_payments, schedule=Schedule("23 * * * *"), unique=True),
)
