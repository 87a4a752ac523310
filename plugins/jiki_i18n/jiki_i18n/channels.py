"""Sockets that hear of new publications, so that an open page can load the new texts."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.cable import Channel

PUBLICATIONS_STREAM = "i18n/publications"


@dataclass(frozen=True)
class PublicationMessage:
    """A publication became current."""

    type: str
    publication: int
    locales: list[str]
    namespaces: list[str]


class PublicationsChannel(Channel):
    """For everybody who is signed in; reload `external/i18n/{locale}` to see which files are new."""

    truth = "GET /api/v1/external/i18n/{locale}"
    sends = {"published": PublicationMessage}

    def subscribed(self) -> None:
        self.stream_from(PUBLICATIONS_STREAM)
