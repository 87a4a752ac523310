"""Valkey as a cache: short time-outs, and its absence is a miss, never an error."""

from jiki_core.cache.connection import connect
from jiki_core.cache.values import forget, recall, remember

__all__ = ["connect", "forget", "recall", "remember"]
