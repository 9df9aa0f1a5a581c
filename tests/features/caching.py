"""What the processes of a cache test run; imports little, so that they start quickly."""

import time
from pathlib import Path
from typing import Any

import autoqa.features.cache as cache_module
from autoqa.features.activations import ActivationRows
from autoqa.features.cache import FeatureCache
from autoqa.features.encode import Encoded, encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import Example


def work(
    folder: Path, tokenizer_folder: Path, examples: list[Example], log: Path, ready: Any, go: Any
) -> None:
    """Asks the cache when told to go; each encoding takes its time and leaves a line in the log."""

    def slow(tokenizer: QATokenizer, examples: list[Example]) -> Encoded:
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.3)
        return encode(tokenizer, examples)

    cache_module.encode = slow  # type: ignore[attr-defined]
    tokenizer = QATokenizer.from_folder(tokenizer_folder)
    ready.release()
    go.wait(60)
    assert len(FeatureCache(folder).encoded(tokenizer, examples)) == len(examples)


def keep(folder: Path, key: str, made: dict[bytes, ActivationRows], ready: Any, go: Any) -> None:
    """Adds windows one by one when told to go, and finds each."""
    width = next(iter(made.values())).shape[1]
    store = FeatureCache(folder).activations(key, width)
    ready.release()
    go.wait(60)
    for name, rows in made.items():
        if store.get(name) is None:
            store.add({name: rows})
        found = store.get(name)
        assert found is not None
        assert (found == rows).all()
