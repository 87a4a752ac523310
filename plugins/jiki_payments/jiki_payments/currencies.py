"""How Stripe counts money: which currencies it charges in and how many minor units make one major unit.

Stripe's own table, not ISO 4217's: taking the wrong one is a hundredfold mistake (contract.md 3.11).
"""

from __future__ import annotations

_PRESENTMENT = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad
    cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd
    hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl
    mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg
    qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah
    ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""

STRIPE_CURRENCIES: frozenset[str] = frozenset(_PRESENTMENT.split())
"""Presentment currencies of card payments, in Stripe's lower case."""

ZERO_DECIMAL: frozenset[str] = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
"""The amount is the number of major units. UGX is not here: see `WHOLE_MAJOR_UNITS`."""

THREE_DECIMAL: frozenset[str] = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
"""A thousand minor units to the major one; Stripe wants the last digit to be 0."""

WHOLE_MAJOR_UNITS: frozenset[str] = frozenset({"isk", "ugx"})
"""No decimals in life, two in the API for compatibility: 5 UGX is 500, and an amount must be a multiple of
100.
"""

LARGEST_AMOUNT = 99_999_999
"""Stripe takes eight digits in any currency; the few that may have more are not worth an exception."""


def minor_units_per_major(currency: str) -> int:
    """1, 100 or 1000: what a major amount is multiplied by to become a Stripe amount."""
    if currency in ZERO_DECIMAL:
        return 1
    return 1000 if currency in THREE_DECIMAL else 100


def amount_mistake(currency: str, amount: int) -> str | None:
    """Why Stripe would refuse `amount` minor units of `currency` as a price, or None when it takes it."""
    if currency not in STRIPE_CURRENCIES:
        return f"{currency} is not a currency Stripe charges in (three lower-case letters)"
    if amount <= 0:
        return f"{amount} is not above 0"
    if amount > LARGEST_AMOUNT:
        return f"{amount} is over {LARGEST_AMOUNT}, the largest amount Stripe takes"
    if currency in THREE_DECIMAL and amount % 10:
        return f"{amount} must end in 0: Stripe takes three-decimal currencies in steps of ten"
    if currency in WHOLE_MAJOR_UNITS and amount % 100:
        return f"{amount} must be a multiple of 100: {currency} has no decimals, but two in the API"
    return None
