import pytest

from autoqa.errors import DataError
from autoqa.features.window_group import WindowGroup


def test_a_group_is_its_key_and_back() -> None:
    group = WindowGroup("0123456789ab", 384, 128)
    assert str(group) == "0123456789ab-384-128"
    assert WindowGroup.parse(str(group)) == group


@pytest.mark.parametrize(
    "key", ["", "0123456789ab", "0123456789ab-384", "123-384-128", "0123456789ab-384-128-1"]
)
def test_keys_of_other_versions_are_refused(key: str) -> None:
    with pytest.raises(DataError, match="does not say its window length and stride"):
        WindowGroup.parse(key)
