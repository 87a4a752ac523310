"""The REST door: mounts, policies, one request parser, one envelope, one pagination, ETags and the OpenAPI document."""

from jiki_core.http import fields
from jiki_core.http.addresses import client_address, trusted_header
from jiki_core.http.blueprint import Blueprint, policy
from jiki_core.http.caching import cache_publicly, never_cache
from jiki_core.http.mounts import Mount
from jiki_core.http.pagination import Page, PageQuery, paginate
from jiki_core.http.parsing import json_body, read_body, strict_json
from jiki_core.http.rate_limits import Attempt, Limit, network_of, rate_class, rate_limiter
from jiki_core.http.replies import Reply, no_content, reply, reply_page, timestamp
from jiki_core.http.schema import Schema, root

__all__ = [
    "Attempt",
    "Blueprint",
    "Limit",
    "Mount",
    "Page",
    "PageQuery",
    "Reply",
    "Schema",
    "cache_publicly",
    "client_address",
    "fields",
    "json_body",
    "network_of",
    "never_cache",
    "no_content",
    "paginate",
    "policy",
    "rate_class",
    "rate_limiter",
    "read_body",
    "reply",
    "reply_page",
    "root",
    "strict_json",
    "timestamp",
    "trusted_header",
]
