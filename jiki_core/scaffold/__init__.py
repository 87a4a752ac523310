"""The template of `flask plugins new`: a complete distribution of a plugin, filled in by copier."""
