"""Bounces and complaints by SNS: certificates, signatures, and what they do (contract.md 2.7, 3.14)."""

from __future__ import annotations

import base64
import json
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jiki_auth.settings import AuthSettings
from jiki_auth.sns import canonical_text, is_sns_url
from jiki_auth.testing import make_user
from jiki_core.contracts import Accounts, ask
from jiki_core.db import reading
from jiki_core.mail import causes_of
from jiki_core.testing import ApiClient, drain_outbox

from .outside_world import serving

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses"


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(name, key, *, issuer=None, issuer_key=None, is_ca=False, until=None):
    """A certificate, by itself or by `issuer`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(until or now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if is_ca:
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer_key or key).public_key())
        builder = builder.add_extension(authority, critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


class Sns:
    """SNS as far as we see it: a host with certificates behind real TLS, and a key that signs notices."""

    def __init__(self, folder):
        self.key, ca_key, tls_key = new_key(), new_key(), new_key()
        ca = certificate("Test authority", ca_key, is_ca=True)
        tls = certificate("localhost", tls_key, issuer=ca, issuer_key=ca_key)
        self.pages = {
            "/signing.pem": certificate("sns.amazonaws.com", self.key, issuer=ca, issuer_key=ca_key).public_bytes(
                Encoding.PEM
            ),
            "/expired.pem": certificate(
                "sns.amazonaws.com", self.key, until=datetime.now(UTC) - timedelta(days=1)
            ).public_bytes(Encoding.PEM),
            "/junk.pem": b"junk",
        }
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
        served = folder / "tls.pem"
        served.write_bytes(
            tls.public_bytes(Encoding.PEM) + tls_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(served)
        self.fetched: list[str] = []
        self.port = 0

    def answer(self, path, _form):
        self.fetched.append(path)
        if path in self.pages:
            return 200, "application/x-pem-file", self.pages[path]
        return (200, "text/plain", b"") if path.startswith("/?") else (404, "text/plain", b"")

    @property
    def origin(self):
        return f"https://localhost:{self.port}"

    def notice(self, message, *, version="2", page="signing.pem", **members):
        body = {
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": TOPIC,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": "2026-11-22T12:00:00.000Z",
            "SignatureVersion": version,
            "SigningCertURL": f"{self.origin}/{page}",
            **members,
        }
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = self.key.sign(canonical_text(body).encode(), padding.PKCS1v15(), algorithm)
        return {**body, "Signature": base64.b64encode(signature).decode()}


@pytest.fixture(scope="session")
def sns(tmp_path_factory):
    made = Sns(tmp_path_factory.mktemp("sns"))
    with serving(made.answer, context=made.context) as made.port:
        yield made


@pytest.fixture
def school(app_with, sns):
    return app_with(
        JIKI_AUTH_SES_TOPIC_ARNS=TOPIC,
        JIKI_AUTH_SNS_CERTIFICATE_HOSTS=f"localhost:{sns.port}",
        JIKI_AUTH_SNS_CA_FILE=str(sns.ca_file),
    )


def deliver(app, notice):
    body = notice if isinstance(notice, (str, bytes)) else json.dumps(notice)
    headers = {"x-amz-sns-message-type": "Notification"}
    return ApiClient(app).call(
        "POST", "webhooks/ses", data=body, content_type="text/plain; charset=UTF-8", headers=headers
    )


def bounce(email, kind="Permanent"):
    recipient = {"emailAddress": email.upper(), "diagnosticCode": "550 no such user"}
    return {"eventType": "Bounce", "bounce": {"bounceType": kind, "bouncedRecipients": [recipient]}}


def complaint(email):
    told = {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": email}]}
    return {"notificationType": "Complaint", "complaint": told}


def causes(app, email):
    drain_outbox(app)
    with app.app_context():
        return causes_of(reading(), email)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_hard_bounce_stops_mail_to_the_address(school, sns, version):
    user = make_user(school)
    answer = deliver(school, sns.notice(bounce(user.email), version=version)).expect(200)
    assert not answer.response.data
    assert causes(school, user.email) == {"bounce"}


def test_a_complaint_stops_notifications_and_marketing(school, sns):
    user = make_user(school)
    deliver(school, sns.notice(complaint(user.email), Subject="Complaint")).expect(200)
    assert causes(school, user.email) == {"complaint"}
    with school.app_context():
        assert ask(Accounts).get_many([user.id])[0].may_receive is False


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "Delivery"},
        "this is SNS saying hello",
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [7, {}]}},
        bounce("nobody@example.test"),
    ],
)
def test_everything_signed_is_200(school, sns, event):
    deliver(school, sns.notice(event)).expect(200)


def test_a_transient_bounce_stops_nothing(school, sns):
    user = make_user(school)
    deliver(school, sns.notice(bounce(user.email, "Transient"))).expect(200)
    assert causes(school, user.email) == frozenset()


def test_a_subscription_is_confirmed_by_its_link(school, sns):
    notice = sns.notice(
        "You have chosen to subscribe",
        Type="SubscriptionConfirmation",
        Token="t",
        SubscribeURL=f"{sns.origin}/?Action=ConfirmSubscription",
    )
    deliver(school, notice).expect(200)
    drain_outbox(school)
    assert "/?Action=ConfirmSubscription" in sns.fetched


def test_a_subscription_link_to_another_host_is_not_followed(school, sns):
    notice = sns.notice(
        "x", Type="SubscriptionConfirmation", Token="t", SubscribeURL="https://evil.example/?Action=ConfirmSubscription"
    )
    deliver(school, notice).expect(200)
    assert drain_outbox(school) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "changed"},
        {"Signature": "AAAA"},
        {"Signature": "not base64"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": "1"},
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:other"},
        {"Type": "SubscriptionConfirmation"},
        {"Type": "Nonsense"},
        {"SigningCertURL": "https://evil.example/signing.pem"},
        {"SigningCertURL": "ftp://localhost/signing.pem"},
        {"SigningCertURL": ""},
    ],
)
def test_what_is_not_signed_by_sns_is_401_and_does_nothing(school, sns, change):
    user = make_user(school)
    deliver(school, {**sns.notice(bounce(user.email)), **change}).expect(401, "invalid_signature")
    assert causes(school, user.email) == frozenset()


def test_a_topic_of_somebody_else_is_refused_although_sns_signed_it(school, sns):
    notice = sns.notice(bounce("a@example.test"), TopicArn="arn:aws:sns:eu-west-1:999999999999:other")
    deliver(school, notice).expect(401, "invalid_signature")


@pytest.mark.parametrize("page", ["expired.pem", "junk.pem", "missing.pem", "signing.txt"])
def test_a_certificate_that_will_not_do(school, sns, page):
    deliver(school, sns.notice(bounce("a@example.test"), page=page)).expect(401, "invalid_signature")


def test_a_host_that_our_authorities_do_not_vouch_for(app_with, sns):
    app = app_with(JIKI_AUTH_SES_TOPIC_ARNS=TOPIC, JIKI_AUTH_SNS_CERTIFICATE_HOSTS=f"localhost:{sns.port}")
    deliver(app, sns.notice(bounce("a@example.test"))).expect(401, "invalid_signature")


@pytest.mark.parametrize("body", ["", "junk", "[]", '{"Type": 7}', b"\xff", "{}"])
def test_junk_is_401(school, body):
    deliver(school, body).expect(401, "invalid_signature")


def test_without_a_topic_nothing_is_believed(db, sns):
    deliver(db, sns.notice(bounce("a@example.test"))).expect(401, "invalid_signature")


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://sns.eu-west-1.amazonaws.com/x.pem", True),
        ("https://sns.cn-north-1.amazonaws.com.cn/x.pem", True),
        ("http://sns.eu-west-1.amazonaws.com/x.pem", False),
        ("https://sns.bucket.s3.amazonaws.com/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com.evil.example/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com@evil.example/x.pem", False),
        ("https://evil.example/sns.eu-west-1.amazonaws.com", False),
        ("https://sns.eu-west-1.amazonaws.com:8443/x.pem", False),
        ("https://sns..amazonaws.com/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com:junk/x.pem", False),
    ],
)
def test_hosts_of_certificates(url, is_allowed):
    assert is_sns_url(url, AuthSettings()) is is_allowed
