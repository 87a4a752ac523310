"""Whether an address hides its user, asked of services that speak one of two public formats (libraries.md 11).

Asked in the configured order until one knows. A verdict is kept for a day, questions are counted against a daily budget,
and a service that fails or is too slow is left alone for a while. Who cannot be asked knows nothing: the policy for that is
in price_rules.py. Answers `NetworkReputation`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
import redis

from jiki_core.cache import recall, remember
from jiki_core.contracts import Verdict
from jiki_core.db.unit_of_work import refuse_inside_unit
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime
from jiki_payments.breaker import Breaker, CircuitOpen
from jiki_payments.settings import PaymentsSettings

log = get_logger(__name__)
LARGEST_ANSWER_BYTES = 65_536
_BUDGET_KEY = "jiki:payments:reputation:{day}"
_BUDGET_TTL_SECONDS = 2 * 86_400
_questions = counter("jiki_payments_reputation_total", "Questions about addresses", ["service", "outcome"])


class UnreadableAnswer(ValueError):
    """A service answered something that is not its format."""


@dataclass(frozen=True)
class Service:
    """One service: its name, the address to ask for an IP address, and how to read its answer."""

    name: str
    url_for: Callable[[str], str]
    read: Callable[[Mapping[str, Any], str], Verdict]


def read_proxycheck(answer: Mapping[str, Any], ip: str) -> Verdict:
    """proxycheck.io v2: `{"status": "ok", "<ip>": {"proxy": "yes|no", "type": "VPN|TOR|…", "provider": …}}`."""
    facts = answer.get(ip)
    if answer.get("status") not in ("ok", "warning") or not isinstance(facts, Mapping):
        raise UnreadableAnswer(f"status {answer.get('status')!r}")
    is_proxy = facts.get("proxy") == "yes"
    kind = str(facts.get("type") or "").upper()
    return Verdict(
        vpn=is_proxy and kind == "VPN",
        proxy=is_proxy and kind not in ("VPN", "TOR"),
        tor=is_proxy and kind == "TOR",
        hosting=kind == "HOSTING" if kind else None,
        provider=facts.get("provider") or None,
    )


def read_ipqualityscore(answer: Mapping[str, Any], ip: str) -> Verdict:
    """IPQualityScore: `{"success": true, "vpn": …, "active_vpn": …, "proxy": …, "tor": …, "ISP": …}`.

    Its `proxy` is true for VPNs and Tor as well.
    """
    if answer.get("success") is not True:
        raise UnreadableAnswer("success is not true")
    vpn = _flag(answer, "vpn") or _flag(answer, "active_vpn")
    return Verdict(
        vpn=vpn,
        proxy=_flag(answer, "proxy"),
        tor=_flag(answer, "tor"),
        hosting=answer["connection_type"] == "Data Center" if answer.get("connection_type") else None,
        provider=answer.get("ISP") or None,
    )


def services_of(settings: PaymentsSettings) -> list[Service]:
    """The configured services, in order."""
    proxycheck, ipqualityscore = settings.proxycheck_url.rstrip("/"), settings.ipqualityscore_url.rstrip("/")
    known = {
        "proxycheck": Service(
            "proxycheck",
            lambda ip: f"{proxycheck}/v2/{quote(ip)}?vpn=1&asn=1&key={quote(settings.proxycheck_key.reveal())}",
            read_proxycheck,
        ),
        "ipqualityscore": Service(
            "ipqualityscore",
            lambda ip: (
                f"{ipqualityscore}/api/json/ip/{quote(settings.ipqualityscore_key.reveal())}/{quote(ip)}?strictness=1"
            ),
            read_ipqualityscore,
        ),
    }
    return [known[name] for name in settings.reputation_services]


class ReputationServices:
    """Answers `NetworkReputation`; made once per app."""

    def __init__(self, settings: PaymentsSettings) -> None:
        self._settings = settings
        self._services: Sequence[tuple[Service, Breaker]] = [
            (service, Breaker(settings.breaker_failures, settings.breaker_seconds)) for service in services_of(settings)
        ]

    def judge(self, ip: str) -> Verdict:
        """What the first service that knows says; nothing known when none does, or for a private address."""
        if not self._services or not _is_public(ip):
            return Verdict()
        for service, breaker in self._services:
            key = f"payments:reputation:{service.name}:{ip}"
            if (kept := recall(key)) is not None:
                _questions.labels(service.name, "cached").inc()
                return Verdict(**orjson.loads(kept))
            verdict = self._ask(service, breaker, ip)
            if verdict is not None:
                remember(key, orjson.dumps(asdict(verdict)), self._settings.reputation_cache_hours * 3_600)
                return verdict
        return Verdict()

    def _ask(self, service: Service, breaker: Breaker, ip: str) -> Verdict | None:
        refuse_inside_unit(f"asking {service.name}")
        try:
            breaker.check()
            if not self._may_spend():
                _questions.labels(service.name, "over_budget").inc()
                return None
            verdict = service.read(self._fetch(service.url_for(ip)), ip)
        except CircuitOpen:
            _questions.labels(service.name, "left_alone").inc()
            return None
        except (OSError, ValueError) as error:
            breaker.failed()
            _questions.labels(service.name, "failed").inc()
            # the error's text may hold the address asked, and with it the key
            log.warning("reputation_unavailable", service=service.name, error=type(error).__name__)
            return None
        breaker.succeeded()
        _questions.labels(service.name, "suspect" if verdict.is_suspect else "clean").inc()
        return verdict

    def _fetch(self, url: str) -> Mapping[str, Any]:
        """Raises OSError, as `requests` has it for all that may go wrong on the way, and UnreadableAnswer."""
        import requests  # late: with urllib3 it is a thirtieth of a boot, and most apps ask no such service
        from urllib3.exceptions import HTTPError

        with requests.get(
            url, timeout=self._settings.reputation_timeout_seconds, allow_redirects=False, stream=True
        ) as response:
            if response.status_code != 200:
                raise UnreadableAnswer(f"status {response.status_code}")
            try:
                body = response.raw.read(LARGEST_ANSWER_BYTES, decode_content=True)
            except HTTPError as error:  # the body came broken or too late; here `requests` does not translate
                raise UnreadableAnswer(type(error).__name__) from error
        answer = orjson.loads(body)
        if not isinstance(answer, dict):
            raise UnreadableAnswer("no object")
        return answer

    def _may_spend(self) -> bool:
        """Counts a question against the day's budget; without Valkey nobody is asked, so that a bill stays bounded."""
        key = _BUDGET_KEY.format(day=f"{datetime.now(UTC):%Y-%m-%d}")
        try:
            with runtime().redis.pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, _BUDGET_TTL_SECONDS)
                spent, _ = pipe.execute()
        except redis.RedisError:
            return False
        return int(spent) <= self._settings.reputation_daily_budget


def _flag(answer: Mapping[str, Any], name: str) -> bool | None:
    value = answer.get(name)
    return value if isinstance(value, bool) else None


def _is_public(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_global
    except ValueError:
        return False
