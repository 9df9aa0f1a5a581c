"""A study file meets the plugins that it names."""

from pathlib import Path

import numpy as np
import pytest

from autoqa.api import TokenBatch
from autoqa.config import StudyFile
from autoqa.errors import ConfigError, MissingAssetError, PluginError
from autoqa.recipes import AugmentationUse, Portion, Stage
from autoqa.registry import bind, discover, open_study

TEXT = """
name = "tiny"
[sources.rows]
type = "example-lines"
lines = ["who?|it was Ada|Ada"]
[backbones.own]
type = "example-encoder"
folder = "{folder}"
frozen = true
[backbones.own.protocol]
epochs = 2
length = 64
stride = 16
[recipe]
[[recipe.portions]]
source = "rows"
[[recipe.augmentations]]
type = "example-blank"
rate = 1
[validation]
source = "rows"
share = 0.5
"""

pytestmark = pytest.mark.usefixtures("example")


@pytest.fixture
def study(tmp_path: Path):
    def study(old: str = "", new: str = "", *more: str):
        path = tmp_path / "tiny.toml"
        text = TEXT.replace("{folder}", str(tmp_path))
        for before, after in zip((old, *more[::2]), (new, *more[1::2]), strict=True):
            assert before in text
            text = text.replace(before, after, 1) if before else text
        path.write_text(text)
        return path

    return study


def test_options_become_the_plugins_models(study, tmp_path):
    bound = open_study(study())
    own = bound.backbones["own"]
    assert (own.name, own.spec.name, own.options.folder) == ("own", "example-encoder", tmp_path)
    (example,) = bound.sources["rows"].spec.load(bound.sources["rows"].options)
    assert example.answers[0].text == "Ada"
    assert bound.study.recipe.augmentations[0].options == {"rate": 1}


def test_a_protocol_is_the_plugins_own_with_the_studys_changes(study):
    protocol = open_study(study()).backbones["own"].protocol
    assert (protocol.learning_rate, protocol.freeze_embeddings) == (5e-5, True)
    assert (protocol.epochs, protocol.length, protocol.stride) == (2.0, 64, 16)
    assert protocol.batch_size == 32


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("frozen = true", "frozne = true", "own.frozne: unknown key; did you mean 'frozen'?"),
        ("frozen = true", "frozen = 1", "backbones.own.frozen: should be true or false, not 1"),
        ("frozen = true", "epochs = 3", "own.epochs: unknown key; it belongs to the training prot"),
        ("rate = 1", "rate = 1.5", "recipe.augmentations[0].rate: should be at most 1, not 1.5"),
        ("epochs = 2", "epohcs = 2", "protocol.epohcs: unknown key; did you mean 'epochs'?"),
        ("epochs = 2", 'epochs = "2"', 'own.protocol.epochs: should be a number, not "2"'),
        ("stride = 16", "stride = 64", "own.protocol: stride 64 must be below length 64"),
        ("|Ada", "", "sources.rows.lines: 'who?|it was Ada' is not question|context|answer"),
        ("who?|it was Ada|Ada", '", "', "sources.rows.lines: '' is not question|context|answer"),
    ],
)
def test_wrong_options_are_named_with_file_and_path(study, old, new, problem):
    path = study(old, new)
    with pytest.raises(ConfigError) as caught:
        open_study(path)
    (found,) = caught.value.problems
    assert found.startswith(f"{path}: ")
    assert problem in found


def test_all_problems_of_all_plugins_at_once_and_the_plugins_decide_the_exit_code(study):
    path = study(
        *("frozen = true", "frozen = 1", 'type = "example-lines"', 'type = "exmaple-lines"'),
        *("rate = 1", "rate = 2", 'type = "example-blank"', 'type = "example-lines"'),
    )
    with pytest.raises(PluginError) as caught:
        open_study(path)
    assert caught.value.exit_code == 3
    assert [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()] == [
        "sources.rows.type: no source plugin is named 'exmaple-lines'; did you mean "
        "'example-lines'? there are: example-broken, example-lines",
        "recipe.augmentations[0].type: no augmentation plugin is named 'example-lines'; "
        "'example-lines' is the name of a plugin of another kind (source); "
        "there are: example-blank",
        "backbones.own.frozen: should be true or false, not 1",
    ]


def test_without_a_file_name_the_path_leads(study, tmp_path):
    from autoqa.config import load_study

    with pytest.raises(ConfigError) as caught:
        bind(load_study(study("frozen = true", "frozen = 1")), discover())
    assert caught.value.problems[0].startswith("backbones.own.frozen: ")


def test_what_is_not_there_is_listed_not_raised(study, tmp_path):
    assert open_study(study()).missing() == []
    bound = open_study(study(str(tmp_path), "/nowhere/model"))
    assert bound.missing() == [
        "backbones.own: there is no folder /nowhere/model; copy the model there"
    ]


def test_a_stages_augmentations_are_built(study):
    bound = open_study(study())
    uses = (AugmentationUse("example-blank", (("rate", 1.0),)), AugmentationUse("example-blank"))
    stage = Stage((Portion("rows"),), length=64, stride=16, augmentations=uses)
    all_of_it, a_tenth = bound.augmentations(stage)
    ids, context = np.arange(6, dtype=np.int32), np.array([0, 0, 1, 1, 1, 0], dtype=bool)
    batch = TokenBatch(
        input_ids=ids, is_context=context, is_answer=~context, starts_word=context, mask_id=99
    )
    masked = all_of_it.mask(batch, np.random.default_rng(0))
    assert masked.tolist() == [0, 1, 99, 99, 99, 5]
    assert a_tenth.rate == 0.1

    wrong = AugmentationUse("example-blank", (("rate", 7),))
    with pytest.raises(ConfigError, match="augmentation 'example-blank': rate: should be at most"):
        bound.augmentations(Stage((Portion("rows"),), 64, 16, (wrong,)))
    with pytest.raises(PluginError, match="augmentation 'blank': no augmentation plugin is named"):
        bound.augmentations(Stage((Portion("rows"),), 64, 16, (AugmentationUse("blank"),)))


BACKBONE = """
from autoqa.api import *
def fail(options):
    raise {error}
def protocol(options):
    {protocol}
spec = BackboneSpec(name="frail", summary="", options=Options, protocol=protocol,
                    prepare=lambda o, c: c, missing=fail, licence=lambda o: "MIT", api_version=1)
"""


def frail_study() -> StudyFile:
    return StudyFile.model_validate(
        {
            "name": "tiny",
            "sources": {"rows": {"type": "plain"}},
            "backbones": {"frail": {"type": "frail"}},
            "recipe": {"portions": [{"source": "rows"}]},
            "validation": {"source": "rows", "share": 0.5},
        }
    )


@pytest.mark.parametrize(
    "protocol, problem",
    [
        ("return options.no", "backbones.frail: the plugin 'frail' failed: AttributeError: "),
        ("return None", "backbones.frail: the plugin 'frail' failed: its protocol is None, not a"),
        ("return TrainingProtocol(epochs=-1)", "the plugin 'frail' failed: ValidationError: 1 val"),
    ],
)
def test_a_plugin_that_breaks_while_bound_is_named(install, protocol, problem):
    install("test-plain", "plain")
    code = BACKBONE.format(error="OSError('disk')", protocol=protocol)
    install("test-frail", "frail", code, group="backbones")
    with pytest.raises(PluginError) as caught:
        bind(frail_study(), discover())
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "error, wanted, message",
    [
        ("OSError('disk')", PluginError, "backbones.frail: the plugin 'frail' failed: OSError: d"),
        ("MissingAssetError('gone')", MissingAssetError, "gone"),
    ],
)
def test_a_plugin_that_breaks_when_asked_is_named(install, error, wanted, message):
    install("test-plain", "plain")
    code = BACKBONE.format(error=error, protocol="return TrainingProtocol()")
    install("test-frail", "frail", code, group="backbones")
    with pytest.raises(wanted, match=message):
        bind(frail_study(), discover()).missing()


def test_faults_of_keys_names_options_and_protocols_are_said_together(study):
    path = study("epochs = 2", "epoch = 2", "rate = 1", "rat = 1", "share = 0.5", "share = 5")
    text = path.read_text().replace('[[recipe.portions]]\nsource = "rows"', "[[recipe.portions]]")
    path.write_text(text.replace("frozen = true", "frozen = 3"))
    with pytest.raises(ConfigError) as raised:
        open_study(path)
    told = [each.removeprefix(f"{path}: ").split(": ")[0] for each in raised.value.problems]
    assert told == [
        "recipe.portions[0].source",
        "validation.share",
        "backbones.own.frozen",
        "backbones.own.protocol.epoch",
        "recipe.augmentations[0].rat",
    ]


def test_a_plugin_that_is_not_there_is_said_beside_faults_of_keys(study):
    path = study("example-lines", "example-line", "share = 0.5", 'share = "half"')
    with pytest.raises(PluginError) as raised:
        open_study(path)
    assert "did you mean 'example-lines'?" in str(raised.value)
    assert 'validation.share: should be a number, not "half"' in str(raised.value)


@pytest.mark.parametrize(
    "text", ["sources = 3", "[sources]\nrows = 3", "[recipe]\naugmentations = 2"]
)
def test_tables_of_another_shape_are_faults_of_keys_only(tmp_path, text):
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="name: is missing"):
        open_study(path)
