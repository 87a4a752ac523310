"""Reads of i18n."""
