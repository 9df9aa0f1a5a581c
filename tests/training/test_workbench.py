from collections.abc import Callable
from dataclasses import replace

import pytest

import autoqa.features.cache as cache_module
from autoqa.errors import ConfigError
from autoqa.features.encode import Encoded
from autoqa.features.files import keep_windows, kept_limits
from autoqa.store.run_folder import PARTS, RunFolder
from autoqa.training.workbench import ReadyBackbone, Workbench
from autoqa.types import Answer, Example
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


def with_long_answers(bench: Workbench, part: str) -> Workbench:
    """A workbench with an answer of 60 words, which are tokens, in a part of its data."""
    context = "near " * 60
    row = Example("long", "Where ?", context, (Answer(context.strip(), 0),), "en", "long")
    if part == "train":
        bench.data = replace(bench.data, train={**bench.data.train, "train": (row,)})
    else:
        bench.data = replace(bench.data, **{part: (*getattr(bench.data, part), row)})
    protocol = bench.bound.backbones["toy"].protocol.model_copy(update={"length": 256})
    bound = replace(bench.bound.backbones["toy"], protocol=protocol)
    bench.bound = replace(bench.bound, backbones={"toy": bound})
    return bench


def limit_of(ready: ReadyBackbone) -> int:
    assert ready.public.max_answer_tokens == ready.private.max_answer_tokens
    return ready.public.max_answer_tokens


@pytest.mark.parametrize(("part", "limit"), [("train", 64), ("public", 64), ("private", 48)])
def test_answers_may_be_as_long_as_known_ones_are(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch, part: str, limit: int
) -> None:
    """The private part has no say."""
    monkeypatch.setattr("autoqa.training.workbench.check_length", lambda *_: None)
    bench = with_long_answers(make_bench("first"), part)
    ready = bench.backbone("toy")
    assert limit_of(ready) == limit
    folder, group = RunFolder(bench.run_folder), str(ready.group)
    assert kept_limits(folder, [group]) == {group: limit}
    again = with_long_answers(make_bench("refitted"), part)
    again.data = replace(again.data, train={**again.data.train, "exam": ()})
    refitted = again.with_validation_rows(())
    assert bool({"long"} & {row.id for row in refitted.data.train["exam"]}) == (part != "train")
    assert limit_of(refitted.backbone("toy")) == limit, "though private rows are trained on"


def test_the_limit_stays_what_the_study_began_with(make_bench: Bench) -> None:
    bench = make_bench("old")
    ready = bench.backbone("toy")
    assert limit_of(ready) == 48
    folder = RunFolder(bench.run_folder)
    for part in PARTS:
        windows = replace(getattr(ready, part), max_answer_tokens=9)
        keep_windows(folder.windows_path(str(ready.group), part), windows)
    assert limit_of(make_bench("old").backbone("toy")) == 9
    assert limit_of(make_bench("new").backbone("toy")) == 48


def test_the_limit_can_be_set(make_bench: Bench) -> None:
    bench = make_bench("set")
    table = bench.bound.study.validation.model_copy(update={"max_answer_tokens": 20})
    study = bench.bound.study.model_copy(update={"validation": table})
    bench.bound = replace(bench.bound, study=study)
    assert limit_of(bench.backbone("toy")) == 20
