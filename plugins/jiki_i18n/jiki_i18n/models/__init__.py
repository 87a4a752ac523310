"""Tables of i18n, in the schema `i18n`."""

from jiki_i18n.models.base import I18nModel
from jiki_i18n.models.locale import LocaleStanding, TranslatorGrant
from jiki_i18n.models.message import CatalogueRevision, Namespace, SourceMessage
from jiki_i18n.models.publication import CurrentPublication, Publication, PublicationState, PublishedCatalogue
from jiki_i18n.models.translation import Translation, TranslationComment, TranslationVersion

ALL_MODELS = (
    LocaleStanding,
    TranslatorGrant,
    Namespace,
    SourceMessage,
    CatalogueRevision,
    Translation,
    TranslationVersion,
    TranslationComment,
    Publication,
    PublishedCatalogue,
    CurrentPublication,
)

__all__ = [
    "ALL_MODELS",
    "CatalogueRevision",
    "CurrentPublication",
    "I18nModel",
    "LocaleStanding",
    "Namespace",
    "Publication",
    "PublicationState",
    "PublishedCatalogue",
    "SourceMessage",
    "Translation",
    "TranslationComment",
    "TranslationVersion",
    "TranslatorGrant",
]
