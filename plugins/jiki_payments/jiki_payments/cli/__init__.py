"""`flask payments …`, one module for each family of commands."""
