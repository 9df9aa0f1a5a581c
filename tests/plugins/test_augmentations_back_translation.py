"""Paraphrases of questions: from tables, and from models of random weights with real tokenizers."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autoqa_augmentations.back_translation import SPEC, BackTranslationOptions
from hub_mirror import hub_environment, run_elsewhere, serving
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from translation_kit import write_marian, write_nllb

from autoqa.api import (
    Answer,
    ConfigError,
    DataError,
    Example,
    MissingAssetError,
    ModelFiles,
    ProgressCallback,
    TrainingRows,
)

RNG = np.random.default_rng


def row(question: str, language: str = "en") -> Example:
    return Example(question, question, "It is here.", (Answer("here", 6),), language, "d", "s")


ROWS = (row("who is it?"), row("what?"), row("unknown?"), row("who is it?", "hi"))


def augmented(
    rows: Sequence[Example],
    seed: int = 0,
    *,
    progress: ProgressCallback = lambda *_: None,
    **own: Any,
) -> list[Example]:
    options = BackTranslationOptions(**({"share": 1.0} | own))
    asked = TrainingRows(examples=rows, source=lambda _: rows, progress=progress)
    return list(SPEC.build(options).rows(asked, RNG(seed)))


def questions(rows: Sequence[Example]) -> list[str]:
    return [each.question for each in rows]


# -- tables ----------------------------------------------------------------------------------------

CSV = "question,paraphrase\nwho is it?,who is that?\nwho is it?,which one?\nwhat?,what?\n"
JSONL = (
    '{"question": "who is it?", "paraphrase": ["who is that?", "which one?", "who is it?"]}\n'
    '{"question": "what?", "paraphrase": "what?"}\n'
)


@pytest.mark.parametrize("name, text", [("t.csv", CSV), ("t.jsonl", JSONL)])
def test_a_table_lends_its_words(tmp_path: Path, name: str, text: str) -> None:
    table = tmp_path / name
    table.write_text(text)
    seen = set()
    for seed in range(20):
        made = augmented(ROWS, seed, table=str(table))
        assert made[1] is ROWS[1]
        assert made[2] is ROWS[2]
        assert made[0].context == "It is here."
        assert made[0].answers == ROWS[0].answers
        assert made == augmented(ROWS, seed, table=str(table))
        seen |= {made[0].question}
    assert seen == {"who is that?", "which one?"}
    only = augmented(ROWS, table=str(table), language="hi")
    assert [each is before for each, before in zip(only, ROWS, strict=True)] == [True] * 3 + [False]


@given(st.floats(0, 1), st.integers(0, 99))
def test_the_share_is_that_of_questions_with_a_paraphrase(share: float, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "autoqa_augmentations.back_translation.read_table", lambda _: {"what?": ["which?"]}
        )
        made = augmented([ROWS[1]] * 400, seed, table="t", share=share)
    changed = sum(each.question == "which?" for each in made)
    assert changed == pytest.approx(400 * share, abs=60)


def test_keys_are_the_tables_content(tmp_path: Path) -> None:
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text(CSV)
    other.write_text(CSV)
    keys = [SPEC.key(BackTranslationOptions(table=str(path))) for path in (one, other)]
    assert keys[0] == keys[1]
    one.write_text(CSV.replace("that", "this"))
    assert SPEC.key(BackTranslationOptions(table=str(one))) != keys[0]


@pytest.mark.parametrize(
    "text, sentence",
    [
        (
            "question,other\nwho?,x\n",
            "t.csv:1: no column 'paraphrase' .* has the columns question and paraphrase",
        ),
        ("q,paraphrase\nwho?,x\n", "t.csv:1: no column 'question' .* question and paraphrase"),
        ("question,paraphrase\n", "t.csv: the table has no rows"),
        ("", "t.csv: it is empty"),
        (
            "question,paraphrase\nwho?,\n",
            "t.csv:2: a question or its paraphrase is empty",
        ),
        (
            "question,paraphrase\nwho?,who?\n",
            "no paraphrase differs from its question",
        ),
    ],
)
def test_tables_that_lend_nothing_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        augmented(ROWS, table=str(tmp_path / "t.csv"))
    with pytest.raises(DataError, match=sentence):  # before anything is trained
        SPEC.key(BackTranslationOptions(table=str(tmp_path / "t.csv")))


def test_a_missing_table_is_said(tmp_path: Path) -> None:
    options = BackTranslationOptions(table=str(tmp_path / "none.csv"))
    assert "there is no table" in str(SPEC.missing(options))
    assert "there is no table" in str(SPEC.missing(BackTranslationOptions(table=str(tmp_path))))
    with pytest.raises(MissingAssetError):
        SPEC.build(options)
    with pytest.raises(MissingAssetError):
        SPEC.key(options)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({}, "give table, or else forward"),
        ({"table": "t", "forward": "m", "language": "en"}, "give table, or else forward"),
        ({"forward": "m"}, "give language"),
        ({"forward": "m", "language": "en", "paraphrases": 5}, "5 paraphrases need as many beams"),
    ],
)
def test_options_are_a_table_or_models(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        BackTranslationOptions(**options)


# -- models ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = write_nllb(tmp_path_factory.mktemp("nllb") / "model")
    return {
        "forward": str(folder),
        "language": "en",
        "source_language": "eng_Latn",
        "pivot_language": "hin_Deva",
        "beams": 2,
    }


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_models_translate_there_and_back_once(
    nllb: dict[str, Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[int, int]] = []
    made = augmented(ROWS, progress=lambda *done: said.append(done), batch_size=2, **nllb)
    assert made[0].question != "who is it?"
    assert made[3] is ROWS[3]
    assert said == [(2, 3), (3, 3)]
    # From now on nothing is translated.
    monkeypatch.setattr("autoqa_augmentations.translation_models.TranslationModel", None)
    assert augmented(ROWS, batch_size=2, **nllb) == made
    (table,) = (cache / "paraphrases").glob("*.sqlite")
    rows = dict(sqlite3.connect(table).execute("SELECT text, made FROM texts"))
    assert set(rows) == set(questions(ROWS))


def test_languages_and_counts_reach_the_model(nllb: dict[str, Any]) -> None:
    hindi = questions(augmented(ROWS, **nllb))
    tamil = questions(augmented(ROWS, **nllb | {"pivot_language": "tam_Taml"}))
    assert hindi[:3] != tamil[:3]
    own = nllb | {"beams": 3, "paraphrases": 3}
    assert len({augmented(ROWS, seed, **own)[0].question for seed in range(30)}) > 1
    with pytest.raises(ConfigError, match="no language 'hi'; its page lists"):
        augmented(ROWS, **nllb | {"pivot_language": "hi"})
    with pytest.raises(ConfigError, match="say by source_language and pivot_language"):
        augmented(ROWS, **nllb | {"pivot_language": ""})


def test_models_of_one_direction_each(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    there, back = write_marian(tmp_path / "there", 1), write_marian(tmp_path / "back", 2)
    own: dict[str, Any] = {
        "forward": str(there),
        "backward": str(back),
        "language": "en",
        "beams": 1,
    }
    made = questions(augmented(ROWS, **own))
    turned = questions(augmented(ROWS, **own | {"forward": str(back), "backward": str(there)}))
    assert made[:2] != questions(ROWS)[:2]
    assert made != turned


def test_an_interrupted_translation_goes_on(nllb: dict[str, Any]) -> None:
    rows = [row(f"{letter} is it?") for letter in "abcdefghijklmnopqrstuvwx"]

    class StopError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 20:
            raise StopError

    with pytest.raises(StopError):
        augmented(rows, progress=stop, batch_size=4, **nllb)
    said: list[tuple[int, int]] = []
    augmented(rows, progress=lambda *done: said.append(done), batch_size=4, **nllb)
    assert said[-1] == (8, 8)


def test_a_model_that_is_none_is_named(tmp_path: Path, nllb: dict[str, Any]) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot be loaded as a translation model"):
        augmented(ROWS, **nllb | {"forward": str(tmp_path)})


def test_what_models_lack_is_said(tmp_path: Path, nllb: dict[str, Any]) -> None:
    def said(model: Path, **more: Any) -> str | None:
        return SPEC.missing(BackTranslationOptions(**nllb | {"forward": str(model)} | more))

    assert said(Path(nllb["forward"])) is None
    assert "does not exist; put the model there" in str(said(tmp_path / "none"))
    assert "has no config.json" in str(said(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert "has no model*.safetensors; put there what" in str(said(tmp_path))
    (tmp_path / "pytorch_model.bin").write_text("")
    assert "which pickled = true reads" in str(said(tmp_path))
    assert said(tmp_path, pickled=True) is None


def test_a_models_key_is_its_content(tmp_path: Path) -> None:
    one, same = write_nllb(tmp_path / "one"), write_nllb(tmp_path / "same")
    other = write_nllb(tmp_path / "other", seed=1)
    keys = [ModelFiles(str(folder)).key() for folder in (one, one, other)]
    assert keys[0] == keys[1] != keys[2]
    content = (same / "model.safetensors").read_bytes()
    (same / "model.safetensors").write_bytes(content[:-1] + b"!")
    before = ModelFiles(str(same)).key()
    (same / "model.safetensors").write_bytes(content)
    assert ModelFiles(str(same)).key() != before


CODE = """
import sys
from autoqa_augmentations.back_translation import SPEC, BackTranslationOptions
options = BackTranslationOptions(forward="someone/nllb", language="en")
print(SPEC.missing(options))
before = SPEC.key(options)
for each in SPEC.downloads(options):
    print(each.name, each.size)
    each.fetch(lambda received: None)
print(SPEC.missing(options), len(SPEC.downloads(options)), SPEC.key(options) != before)
print(options.models[0].folder())
"""


def test_models_of_the_hub_are_fetched(tmp_path: Path) -> None:
    with serving(tmp_path / "served") as mirror:
        folder = write_nllb(mirror.repository("models", "someone/nllb"))
        (folder / "pytorch_model.bin").write_bytes(b"pickled")
        environment = hub_environment(mirror.address, tmp_path / "home")
        done = run_elsewhere(CODE, environment=environment)
        assert done.returncode == 0, done.stderr
        lacking, name, after, path = done.stdout.splitlines()
        assert lacking.startswith("the model someone/nllb (revision main) is not in the local")
        size = sum(f.stat().st_size for f in folder.iterdir() if f.suffix != ".bin")
        assert name == f"the model someone/nllb (revision main) {size}"
        assert after == "None 0 True"
        assert "pytorch_model.bin" not in mirror.fetched()
        assert path.startswith(str(tmp_path / "home"))
