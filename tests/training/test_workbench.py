from collections.abc import Callable

import pytest

import autoqa.features.cache as cache_module
from autoqa.errors import ConfigError
from autoqa.features.encode import Encoded
from autoqa.training.workbench import Workbench
from tests.features.practice import assert_same

Bench = Callable[[str], Workbench]


def test_other_workers_and_studies_encode_nothing_again(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_bench("first")
    encoded = first.encoded("toy", "train")
    assert first.encoded("toy", "train") is encoded
    assert len(encoded) == len(first.data.train["train"])

    def never(*_: object) -> Encoded:
        raise AssertionError("encoded again")

    monkeypatch.setattr(cache_module, "encode", never)
    second = make_bench("second")
    assert second.encoded("toy", "train").names == encoded.names
    for part in ("public", "private"):
        ours, theirs = (getattr(bench.backbone("toy"), part) for bench in (first, second))
        assert_same(ours, theirs)


def test_a_cache_of_no_size_is_refused(make_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_CACHE_GIB", "plenty")
    with pytest.raises(ConfigError, match="AUTOQA_CACHE_GIB is 'plenty'"):
        make_bench("none")
