"""`external/i18n`: the catalogues of front-ends, for environments without a CDN in front of the storage."""

from __future__ import annotations

from typing import cast

from flask import Response, request

from jiki_core.http import Blueprint, Reply, reply
from jiki_core.runtime import runtime
from jiki_core.storage import IMMUTABLE
from jiki_i18n.errors import CatalogueNotFound, LocaleNotFound
from jiki_i18n.locales import LOCALES
from jiki_i18n.pseudo import PseudoLocale
from jiki_i18n.queries.catalogues import ServedCatalogue, current_files, published_file, served_catalogue
from jiki_i18n.queries.locales import served_locale, served_locales
from jiki_i18n.schemas import CatalogueReply, PointerReply, ServedLocalesReply
from jiki_i18n.settings import I18nSettings
from jiki_i18n.storage import CONTENT_TYPE

blp = Blueprint("catalogues", __name__, url_prefix="/i18n", description="Published translations")


@blp.route("")
@blp.response(200, ServedLocalesReply)
def locales() -> Reply:
    """The locales served here, with their names and writing directions."""
    found = [LOCALES[tag] for tag in served_locales()]
    shapes = [{"tag": one.tag, "name": one.name, "own_name": one.own_name, "direction": one.direction} for one in found]
    return _publicly(reply({"locales": shapes}))


@blp.route("/<locale>")
@blp.response(200, PointerReply)
@blp.raises(LocaleNotFound)
def pointer(locale: str) -> Reply:
    """Which content-hashed file each namespace of a locale has in the current publication."""
    tag = served_locale(locale)
    return _publicly(reply({"locale": tag, "catalogues": current_files(tag)}))


@blp.route("/<locale>/<namespace>")
@blp.response(200, CatalogueReply)
@blp.raises(LocaleNotFound, CatalogueNotFound)
def catalogue(locale: str, namespace: str) -> Response:
    """The current catalogue, missing messages filled along the fallback chain. `hu-HU` gets `hu`."""
    tag = locale if locale in list(PseudoLocale) else served_locale(locale)
    return _publicly(_body(served_catalogue(tag, namespace)))


@blp.route("/<locale>/files/<file_name>")
@blp.response(200, CatalogueReply)
@blp.raises(CatalogueNotFound)
def file(locale: str, file_name: str) -> Response:
    """A content-hashed file, as a CDN would serve it: it never changes."""
    response = _body(published_file(locale, file_name))
    response.headers["Cache-Control"] = IMMUTABLE
    return response


def _body(served: ServedCatalogue) -> Response:
    """The bytes, compressed when the caller can read that; each form has its own strong entity tag (RFC 9110 8.8.3.3)."""
    tag = served.digest[:20]
    is_compressed = served.gzipped is not None and request.accept_encodings["gzip"] > 0
    response = Response(served.gzipped if is_compressed else served.body, content_type=CONTENT_TYPE)
    response.set_etag(f"{tag}-gz" if is_compressed else tag)
    response.headers.add("Vary", "Accept-Encoding")
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _publicly(response: Response) -> Response:
    settings = cast(I18nSettings, runtime().plugin_settings["i18n"])
    response.headers["Cache-Control"] = (
        f"public, max-age={settings.catalogue_max_age_seconds}, "
        f"stale-while-revalidate={settings.catalogue_stale_seconds}"
    )
    return response
