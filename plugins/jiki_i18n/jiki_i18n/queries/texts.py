"""Published texts by key, for mails and other texts that the server itself writes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson

from jiki_i18n.catalogues import Layout
from jiki_i18n.errors import CatalogueNotFound
from jiki_i18n.exchange import FORMATS
from jiki_i18n.keys import flatten
from jiki_i18n.locales import ALL_LOCALES, SOURCE_LOCALE, map_tag
from jiki_i18n.queries.catalogues import ServedCatalogue, served_catalogue


def published_texts(locale: str, namespace: str) -> Mapping[str, str]:
    """Key → ICU text of what `external/i18n/{locale}/{namespace}` serves; empty when nothing is served."""
    tag = map_tag(locale, ALL_LOCALES) or SOURCE_LOCALE
    try:
        return _texts(served_catalogue(tag, namespace), tag, namespace)
    except CatalogueNotFound:
        return {}


@lru_cache(maxsize=32)
def _texts(served: ServedCatalogue, locale: str, namespace: str) -> Mapping[str, str]:
    if served.layout is Layout.I18NEXT:
        return FORMATS["i18next"].read(served.body, locale=locale, namespace=namespace).texts()
    document = orjson.loads(served.body)
    texts: Mapping[str, str] = document if served.layout is Layout.FLAT else flatten(document)
    return texts
