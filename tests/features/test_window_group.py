import pytest

from autoqa.errors import DataError
from autoqa.features.window_group import WindowGroup
from autoqa.store.candidate_record import generates_alone, group_alone, windows_key


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


def test_the_group_of_one_that_votes_alone_has_the_windows_of_others() -> None:
    windows = "0123456789ab-384-128"
    alone = group_alone(windows, "soup-mt5-0123ab")
    assert WindowGroup.parse(alone) == WindowGroup.parse(windows)
    assert windows_key(alone) == windows_key(windows) == windows
    assert generates_alone(alone)
    assert not generates_alone(windows)
