"""Amazon SNS notices: the signature over the canonical text, by a certificate from one of SNS's own hosts."""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from flask import Request, current_app

from jiki_auth.errors import InvalidSignature
from jiki_auth.outbound import OutsideRefused, OutsideUnavailable, fetch
from jiki_auth.settings import AuthSettings, auth_settings
from jiki_core.errors import BadRequest
from jiki_core.http import read_body, strict_json
from jiki_core.observability import get_logger

log = get_logger(__name__)
#: what is signed, in this order, per kind of notice (SNS developer guide, "verifying signatures")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
MAXIMUM_CERTIFICATES = 16


def verify_sns(request: Request) -> None:
    """The policy of the route: raises InvalidSignature unless the notice is signed by SNS and from one of our topics."""
    settings = auth_settings()
    notice = notice_of(request)
    try:
        if notice["TopicArn"] not in settings.ses_topic_arns:
            raise InvalidSignature()
        public_key = _certificate(notice["SigningCertURL"], settings).public_key()
        if not isinstance(public_key, rsa.RSAPublicKey):
            raise InvalidSignature()
        public_key.verify(
            base64.b64decode(notice["Signature"], validate=True),
            canonical_text(notice).encode(),
            padding.PKCS1v15(),
            _HASHES[notice.get("SignatureVersion", "1")](),
        )
    except (KeyError, TypeError, ValueError, BadSignature, binascii.Error, OutsideRefused, OutsideUnavailable) as error:
        log.warning("sns_notice_refused", error=type(error).__name__)
        raise InvalidSignature() from None


def notice_of(request: Request) -> dict[str, Any]:
    """The body, whatever its content type says: SNS sends text/plain. Raises InvalidSignature for what is no object."""
    try:
        notice = strict_json(read_body(request))
    except BadRequest:
        raise InvalidSignature() from None
    if not isinstance(notice, dict) or not all(isinstance(value, str) for value in notice.values()):
        raise InvalidSignature()
    return notice


def canonical_text(notice: Mapping[str, Any]) -> str:
    """Names and values, each on a line. Raises KeyError for a kind or member that is missing."""
    return "".join(
        f"{name}\n{notice[name]}\n" for name in _SIGNED[notice["Type"]] if name != "Subject" or name in notice
    )


def is_sns_url(url: str, settings: AuthSettings) -> bool:
    """https, no credentials, and a host of the allow-list; `*` there is one label, so no bucket name can pass."""
    parts = urlsplit(url)
    try:
        host = parts.hostname if parts.port in (None, 443) else f"{parts.hostname}:{parts.port}"
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        and "@" not in parts.netloc
        and any(re.fullmatch(_pattern(allowed), host or "") for allowed in settings.sns_certificate_hosts)
    )


def _pattern(allowed: str) -> str:
    return re.escape(allowed).replace(r"\*", "[a-z0-9-]+")


def _certificate(url: str, settings: AuthSettings) -> x509.Certificate:
    """Fetched over verified TLS and kept; raises ValueError for another host, or outside its validity."""
    if not is_sns_url(url, settings) or not urlsplit(url).path.endswith(".pem"):
        raise ValueError("not a certificate of SNS")
    kept: OrderedDict[str, x509.Certificate] = current_app.extensions.setdefault(
        "jiki_auth.sns_certificates", OrderedDict()
    )
    if url not in kept:
        kept[url] = x509.load_pem_x509_certificate(fetch(url, ca_file=settings.sns_ca_file))
        while len(kept) > MAXIMUM_CERTIFICATES:
            kept.popitem(last=False)
    certificate = kept[url]
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        del kept[url]
        raise ValueError("the certificate is not valid now")
    return certificate
