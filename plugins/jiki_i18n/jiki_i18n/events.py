"""What i18n tells other plugins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jiki_core.events import Event


@dataclass(frozen=True)
class CataloguesPublished(Event):
    """Emitted when a publication becomes current, by a publication or a rollback, in the transaction that makes it so.

    Listeners may assume that `external/i18n` serves it; the pointers in the storage follow at once, but later.
    """

    name: ClassVar[str] = "i18n.catalogues_published"
    publication_id: int
    #: what this publication made anew; a rollback names all it holds
    locales: tuple[str, ...]
    namespaces: tuple[str, ...]
    is_rollback: bool = False
