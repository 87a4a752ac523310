"""The REST door: mounts, policies, one request parser, one envelope, one pagination, ETags and the OpenAPI document."""

from jiki_core.http import fields
from jiki_core.http.addresses import client_address, trusted_header
from jiki_core.http.blueprint import Blueprint, policy
from jiki_core.http.caching import cache_publicly, never_cache
from jiki_core.http.mounts import Mount
from jiki_core.http.pagination import Page, PageQuery, paginate
from jiki_core.http.replies import Reply, no_content, reply, reply_page, timestamp
from jiki_core.http.schema import Schema, root

__all__ = [
    "Blueprint",
    "Mount",
    "Page",
    "PageQuery",
    "Reply",
    "Schema",
    "cache_publicly",
    "client_address",
    "fields",
    "never_cache",
    "no_content",
    "paginate",
    "policy",
    "reply",
    "reply_page",
    "root",
    "timestamp",
    "trusted_header",
]
