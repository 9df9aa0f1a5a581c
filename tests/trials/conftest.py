from tests.searching.conftest import home

__all__ = ["home"]
