"""Reads of learning: the catalogue, and what learners have reached."""
