"""Country codes: the ISO 3166-1 list prices are total over, and the reading of a code that a header or GeoIP
gave us.

Pure. Babel proves the list in the tests; at run time nothing but this module is needed.
"""

from __future__ import annotations

_ASSIGNED = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES
    ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE
    IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY
    MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU
    NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM
    SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE
    VG VI VN VU WF WS YE YT ZA ZM ZW
"""

ISO_3166: frozenset[str] = frozenset(_ASSIGNED.split())
"""The 249 officially assigned alpha-2 codes of ISO 3166-1."""

USER_ASSIGNED: frozenset[str] = frozenset({"XK"})
"""Codes outside ISO 3166-1 that CDNs and card networks send for a real place: Kosovo."""

KNOWN_COUNTRIES: frozenset[str] = ISO_3166 | USER_ASSIGNED
"""Every code a price table has to answer for."""


def known_country(code: str | None) -> str | None:
    """The alpha-2 code meant by `code`, in upper case, or None when it names no country.

    None, blank, `XX` (unknown to the CDN), `T1` (Tor) and anything unassigned are no country (contract.md
    3.11, 7.13).
    """
    if code is None:
        return None
    candidate = code.strip().upper()
    return candidate if candidate in KNOWN_COUNTRIES else None
