"""What every plugin, and every provider of the core's contracts, should hold to: i18n does."""

from __future__ import annotations

from jiki_core.testing import PluginConformance, TranslatorConformance
from jiki_i18n.plugin import plugin


class TestI18n(PluginConformance):
    plugin = plugin


class TestTranslator(TranslatorConformance):
    plugin = "i18n"
