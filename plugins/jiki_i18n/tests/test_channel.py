"""Sockets hear of publications."""

from __future__ import annotations

from jiki_core.cable.channel import Effects
from jiki_core.runtime import runtime_of
from jiki_core.security import Identity
from jiki_i18n.channels import PUBLICATIONS_STREAM, PublicationsChannel


def test_everybody_who_is_signed_in_hears_of_publications(app):
    plugin, channel = runtime_of(app).channels["PublicationsChannel"]
    assert (plugin, channel.permission) == ("i18n", None)
    subscription = PublicationsChannel(Identity(7, "session"), "sid", PublicationsChannel.Params(), is_restored=False)
    effects: Effects = subscription.run(None, subscription.subscribed)
    assert list(effects.streams) == [PUBLICATIONS_STREAM]
