import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autoqa.api import AutoqaError, MadeTexts, ProgressCallback


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_made_is_not_made_again(cache: Path) -> None:
    store = MadeTexts("paraphrases", "k")
    said: list[tuple[int, int]] = []
    assert store.of(["b", "a", "b"], _shout, lambda *done: said.append(done)) == {
        "a": ["A"],
        "b": ["B"],
    }
    assert store.of(["a", "c"], _shout, lambda *done: said.append(done))["c"] == ["C"]
    assert said == [(1, 2), (2, 2), (1, 1)]
    assert store.of([], _shout) == {}
    assert MadeTexts("paraphrases", "other").of(["a"], lambda *_: [("a", [])]) == {"a": []}


def _shout(texts: Sequence[str], progress: ProgressCallback) -> Iterator[tuple[str, list[str]]]:
    for done, text in enumerate(texts, start=1):
        yield text, [text.upper()]
        progress(done, len(texts))


def _count(cache: str, results: Any) -> None:
    made: list[str] = []

    def make(texts: Sequence[str], progress: ProgressCallback) -> Iterator[tuple[str, list[str]]]:
        for text, others in _shout(texts, progress):
            made.append(text)
            yield text, others

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_CACHE", cache)
        found = MadeTexts("paraphrases", "k").of(
            [f"q{n}" for n in range(200)], make, lambda *_: None
        )
    results.put((len(found), len(made)))


def test_two_processes_make_each_paraphrase_once(cache: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    both = [context.Process(target=_count, args=(str(cache), results)) for _ in range(2)]
    for each in both:
        each.start()
    counts = [results.get(timeout=120) for _ in both]
    for each in both:
        each.join()
    assert [found for found, _ in counts] == [200, 200]
    assert sum(made for _, made in counts) == 200


def test_a_damaged_store_is_named_with_the_way_out(cache: Path) -> None:
    store = MadeTexts("paraphrases", "k")
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(b"no database" * 100)
    with pytest.raises(AutoqaError, match=r"k.sqlite cannot be used, .* remove the file"):
        store.of(["who?"], _shout, lambda *_: None)
