"""The SES v2 transport (extra `aws`): the message goes as it is, under the category's configuration set."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

from jiki_core.configuration import CoreSettings
from jiki_core.mail.templates import Category
from jiki_core.mail.transport import NotAccepted, OutcomeUnknown

CATEGORY_ORDER: tuple[Category, ...] = ("transactional", "notifications", "marketing")
_TIMEOUT_SECONDS = 15


def send_by_ses(settings: CoreSettings, category: Category, message: EmailMessage) -> None:
    """Raises NotAccepted or OutcomeUnknown: SES tells of addresses that do not exist later, by a bounce."""
    request: dict[str, Any] = {
        "FromEmailAddress": str(message["From"]),
        "Destination": {"ToAddresses": [parseaddr(str(message["To"]))[1]]},
        "Content": {"Raw": {"Data": message.as_bytes()}},
        "EmailTags": [{"Name": "category", "Value": category}],
    }
    if settings.ses_configuration_sets:
        request["ConfigurationSetName"] = settings.ses_configuration_sets[CATEGORY_ORDER.index(category)]
    try:
        _client(settings).send_email(**request)
    except ClientError as error:
        raise NotAccepted(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}") from error
    except (ReadTimeoutError, ConnectionClosedError) as error:
        raise OutcomeUnknown(type(error).__name__) from error
    except BotoCoreError as error:
        raise NotAccepted(f"{type(error).__name__}: {error}") from error


def _client(settings: CoreSettings) -> Any:
    """A client that does not repeat by itself: whether a message may go twice is decided in one place, by the job."""
    return boto3.client(
        "sesv2",
        region_name=settings.ses_region or None,
        endpoint_url=settings.ses_endpoint_url or None,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=_TIMEOUT_SECONDS,
        ),
    )
