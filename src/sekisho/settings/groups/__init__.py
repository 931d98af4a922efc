"""The settings by group: one module each, named like the group in its variables."""
