"""Refusals of i18n."""

from __future__ import annotations

from collections.abc import Sequence

from jiki_core.errors import DomainError
from jiki_i18n.messages import Problem


class LocaleNotFound(DomainError):
    """No locale of ours, or one that is not served here."""

    symbol = "locale_not_found"
    status = 404


class NamespaceNotFound(DomainError):
    symbol = "namespace_not_found"
    status = 404


class CatalogueNotFound(DomainError):
    """Nothing is published under this name."""

    symbol = "catalogue_not_found"
    status = 404


class MessageNotFound(DomainError):
    symbol = "message_not_found"
    status = 404


class TranslationNotFound(DomainError):
    symbol = "translation_not_found"
    status = 404


class PublicationNotFound(DomainError):
    symbol = "publication_not_found"
    status = 404


class LocaleNotGranted(DomainError):
    """A translator's hand in a language that is not theirs."""

    symbol = "locale_not_granted"
    status = 403


class VersionConflict(DomainError):
    """Somebody else was faster; the extras say what is stored now."""

    symbol = "version_conflict"
    status = 409


class InvalidMessage(DomainError):
    """A text that is no message, or no translation of its source; `problems` says all of them."""

    symbol = "invalid_message"
    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            problems=[{"code": one.code, "detail": one.detail, "position": one.position} for one in problems]
        )
        self.problems = tuple(problems)


class LocaleIncomplete(DomainError):
    """Too little is reviewed for the locale to go live; the extras say how much there is."""

    symbol = "locale_incomplete"
    status = 422


class PublicationNotComplete(DomainError):
    """It never was complete, or its files were collected: it cannot become current."""

    symbol = "publication_not_complete"
    status = 422


class NothingToPublish(DomainError):
    """No namespace or no locale is in the scope."""

    symbol = "nothing_to_publish"
    status = 422


class ImportRefused(DomainError):
    """A document that cannot be read, or one whose conflicts the policy refuses."""

    symbol = "import_refused"
    status = 422


class ExportRefused(DomainError):
    """The format cannot say what is stored; `faults` names each key."""

    symbol = "export_refused"
    status = 422


class OwnTranslation(DomainError):
    """A translator may not approve what they wrote themselves."""

    symbol = "own_translation"
    status = 403


class EngineUnavailable(DomainError):
    """The machine translation service does not answer, or not what was asked."""

    symbol = "translation_engine_unavailable"
    status = 503


class TranslatorNotFound(DomainError):
    """This user has no grant for this locale."""

    symbol = "translator_not_found"
    status = 404
