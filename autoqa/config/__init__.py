"""A TOML study file becomes one frozen, checked value."""
