"""The base that names the plugin."""

from __future__ import annotations

from jiki_core.db import Model


class PaymentsModel(Model):
    __abstract__ = True
    __plugin__ = "payments"
