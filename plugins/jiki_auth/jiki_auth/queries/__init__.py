"""Reads of auth."""
