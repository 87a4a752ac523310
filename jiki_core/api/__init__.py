"""The core's own REST routes, in the anatomy of plugins."""
