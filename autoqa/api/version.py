"""The version of what plugins and autoqa expect of each other."""

API_VERSION = 1
"""Version of these contracts; a plugin states the one it was written for."""
