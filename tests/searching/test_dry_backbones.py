"""What would stop a backbone's first run is said before anything is loaded, all of it at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autoqa.cli.main import main
from autoqa.cli.search import search
from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from tests.conftest import Run
from tests.features.test_offset_check import letters_only
from tests.modeling.architectures import save_pretrained
from tests.toy_study import write_study


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return write_study(tmp_path)


def dry(study: Path) -> Result:
    return CliRunner().invoke(search, [str(study), "--dry-run"])


def refused(study: Path, kind: type[AutoqaError] = ConfigError) -> list[str]:
    result = dry(study)
    assert isinstance(result.exception, kind), result.output
    return str(result.exception).splitlines()


def set_config(study: Path, **changes: object) -> None:
    path = study.parent / "backbone" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def with_text(study: Path, old: str, new: str) -> None:
    text = study.read_text()
    assert old in text
    study.write_text(text.replace(old, new))


def test_what_is_right_passes(study: Path) -> None:
    result = dry(study)
    assert result.exception is None
    assert "problem" not in result.output


def test_windows_beyond_the_positions(study: Path) -> None:
    with_text(study, "length = 32", "length = 65")
    with_text(study, "[recipe]", "[recipe]\nlength = { low = 32, high = 96, step = 64 }")
    assert refused(study) == [
        f"{key}: windows of {length} tokens are beyond the 64 positions of the model of "
        "backbones.toy; set it to 64 or less, or take another backbone"
        for key, length in (("backbones.toy.protocol.length", 65), ("recipe.length", 96))
    ]


def test_roberta_like_models_have_two_positions_less(study: Path) -> None:
    """The same numbers as a loaded model says."""
    from autoqa.modeling.load import most_positions

    backbone = study.parent / "backbone"
    for name in ("config.json", "model.safetensors"):
        (backbone / name).unlink()
    save_pretrained(backbone, "longformer")
    with_text(study, "length = 32", "length = 95")
    assert "beyond the 94 positions" in refused(study)[0]
    assert most_positions(backbone) == 94


def test_windows_without_room(study: Path) -> None:
    with_text(study, "length = 32", "length = 12")
    with_text(study, "[recipe]", "[recipe]\nstride = 0.8")
    assert refused(study) == [
        f"{table}: length 12 leaves windows no room for a question and its context: 3 tokens are "
        f"special and {stride} shared by neighbours (stride); raise the length to {stride + 5} or "
        "more, or lower the stride."
        for table, stride in (("backbones.toy.protocol", 8), ("recipe", 10))
    ]


def test_a_tokenizer_that_loses_letters(study: Path) -> None:
    letters = letters_only("".join(map(chr, range(33, 96))))
    letters.save(str(study.parent / "backbone" / "tokenizer.json"))
    (sentence,) = refused(study)
    assert sentence.startswith("backbones.toy: ")
    assert "Amsterdam" in sentence


def test_several_problems_at_once(study: Path) -> None:
    set_config(study, model_type="gpt2")
    (study.parent / "backbone" / "tokenizer.json").write_text("{}")
    with_text(study, "length = 32", "length = 65")
    sentences = refused(study)
    assert [each.partition(" ")[0] for each in sentences] == [
        "backbones.toy:",
        "backbones.toy.protocol.length:",
        "backbones.toy:",
    ]
    assert "reads from left to right" in sentences[0]
    assert "cannot be read as a fast tokenizer" in sentences[2]


def test_problems_do_not_hide_what_is_missing(study: Path) -> None:
    other = study.parent / "other"
    other.mkdir()
    with_text(
        study,
        "[recipe]",
        f'[backbones.other]\ntype = "huggingface"\nmodel = "{other}"\n[recipe]',
    )
    assert refused(study, MissingAssetError) == [
        f"backbones.other: the folder {other} has no config.json; name a complete model"
    ]
    set_config(study, model_type="mine", auto_map={"AutoModel": "mine.Mine"})
    sentences = refused(study)
    assert "code of its own, which autoqa never runs" in sentences[0]
    assert "backbones.other: the folder" in sentences[1]


def test_weights_that_are_only_pickled(study: Path) -> None:
    backbone = study.parent / "backbone"
    (backbone / "model.safetensors").rename(backbone / "pytorch_model.bin")
    (sentence,) = refused(study, MissingAssetError)
    assert sentence.startswith("backbones.toy: the folder ")
    assert "set `convert = true`" in sentence
    with_text(study, "[backbones.toy.protocol]", "convert = true\n[backbones.toy.protocol]")
    result = dry(study)
    assert result.exception is None
    assert "note: backbones.toy: pytorch_model.bin is written as safetensors once" in result.output


def test_an_unreadable_configuration_or_file_of_weights(study: Path) -> None:
    backbone = study.parent / "backbone"
    (backbone / "model.safetensors").write_bytes(b"\xff" * 20)
    assert "cannot be read (model.safetensors is no safetensors file)" in refused(study)[0]
    (backbone / "config.json").write_text("{")
    (sentence,) = refused(study)
    assert sentence.startswith(f"{study}: backbones.toy: {backbone / 'config.json'} is no JSON")


def test_no_fast_tokenizer(study: Path) -> None:
    (study.parent / "backbone" / "tokenizer.json").unlink()
    (study.parent / "backbone" / "vocab.json").write_text("{}")
    set_config(study, model_type="canine")
    assert "whose tokenizer has no fast form" in refused(study)[0]


def test_the_exit_code_is_that_of_a_wrong_study(study: Path) -> None:
    with_text(study, "length = 32", "length = 65")
    with pytest.raises(SystemExit) as caught:
        main(["search", str(study), "--dry-run"])
    assert caught.value.code == 2


def test_it_stays_light(study: Path) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from autoqa.cli.search import search; "
        f"assert CliRunner().invoke(search, [{str(study)!r}, '--dry-run']).exit_code == 0; "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_languages_that_the_tokenizer_hardly_knows_are_told_before_training(
    study: Path, run: Run
) -> None:
    """Half of the toy study's questions are in Hindi, of which its vocabulary has few words."""
    sentence = "hi: 30% of the tokens are unknown to its tokenizer, so the model cannot read them"
    assert f"note: backbones.toy: {sentence}" in dry(study).output
    code, _, err = run("search", study, "--trials", "1")
    assert code == 0, err
    assert err.index(sentence) < err.index("trial 0 finished")


def test_a_table_that_an_augmentation_cannot_use(study: Path) -> None:
    (study.parent / "t.csv").write_text("q,p\nwho?,which?\n")
    table = f'{{ type = "back-translation", table = "{study.parent / "t.csv"}" }}'
    with_text(study, "[recipe]", f"[recipe]\naugmentations = [{table}]")
    (sentence,) = refused(study)
    assert sentence.startswith(f"recipe.augmentations[0]: {study.parent / 't.csv'}:1: no column")
    result = CliRunner().invoke(search, [str(study)])
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == sentence
    assert not (study.parent / "runs").exists()
    (study.parent / "t.csv").unlink()
    assert "there is no table" in refused(study, MissingAssetError)[0]
