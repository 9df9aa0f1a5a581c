"""The bundle of tests/bundle, for what is written and converted."""

from tests.bundle.conftest import bundle, plan  # noqa: F401
