"""What a study file may hold, and what is said when it does not."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoqa.config import load_study
from autoqa.errors import ConfigError

GOOD = """
name = "tiny"

[sources.squad]
type = "file"
path = "squad.jsonl"

[sources.chaii]
type = "file"
path = "chaii.csv"

[backbones.e5]
type = "e5-small"
[backbones.e5.protocol]
epochs = 2

[recipe]
length = { low = 256, high = 384, step = 128 }
[[recipe.portions]]
source = "squad"
share = [0.25, 1]
languages = "search"
[[recipe.portions]]
source = "chaii"
negatives = 0.5
include = "search"
position = 1

[validation]
source = "chaii"
share = 0.3
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "tiny.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_a_good_file_keeps_every_value(write):
    study = load_study(write(GOOD))
    assert study.sources["squad"].options == {"path": "squad.jsonl"}
    assert study.backbones["e5"].protocol == {"epochs": 2}
    assert study.recipe.length is not None
    assert (study.recipe.length.low, study.recipe.length.high) == (256, 384)
    squad, chaii = study.recipe.portions
    assert (squad.share, squad.languages, squad.slot) == ((0.25, 1.0), "search", "squad")
    assert (chaii.negatives, chaii.include, chaii.position) == (0.5, "search", 1.0)
    assert study.search.snapshots == (1.0,)


METHOD = GOOD.replace("[[recipe.portions]]", "[recipe.method]\nKEY\n[[recipe.portions]]", 1)


@pytest.mark.parametrize(
    "line, problem",
    [
        ('adversary = "wap"', "adversary: should be 'none', 'awp' or 'fgm' or a list, not \"wap\""),
        ("adversary_size = [0, 1]", "adversary_size[0]: should be above 0, not 0"),
        ("rdrop = -1", "rdrop: should be at least 0 or a list, not -1"),
        ("reinit_layers = 1.5", "reinit_layers: should be a whole number or a list, not 1.5"),
        ("mlm_epochs = [0, 0.0]", "mlm_epochs: 0.0 stands in the list more than once"),
        ('mlm_whole_words = "yes"', "mlm_whole_words: should be true or false or 'search', not"),
    ],
)
def test_a_wrong_way_of_training_is_named(write, line, problem):
    (found,) = problems(write(METHOD.replace("KEY", line)))
    assert found.startswith("recipe.method.")
    assert problem in found


def test_texts_of_the_target_must_be_there_to_learn_from(write):
    text = METHOD.replace("KEY", "mlm_epochs = [0, 2]")
    assert load_study(write(text)).recipe.method.mlm_epochs == (0.0, 2.0)
    held_out = text.replace('source = "chaii"\nneg', 'source = "squad"\nname = "b"\nneg')
    assert problems(write(held_out)) == [
        "recipe.method.mlm_epochs: no portion trains on 'chaii', so there are no texts to learn "
        "the target's language from; name a source that is trained on in recipe.target, or leave "
        "mlm_epochs out"
    ]
    named = held_out.replace("[recipe]\n", '[recipe]\ntarget = "squad"\n')
    assert load_study(write(named)).recipe.target == "squad"


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_study(path).name == "tiny"


def test_all_problems_are_named_at_once(write):
    text = GOOD.replace('source = "squad"', 'sorce = "squad"').replace("epochs", "epohcs")
    text += '\n[search]\ntrials = 2.5\nworkers = "al"\nsnapshots = [0, 2]\n[slection]\nseats = 3\n'
    assert problems(write(text)) == [
        "recipe.portions[0].sorce: unknown key; did you mean 'source'?",
        "search.trials: should be a whole number, not 2.5",
        "search.workers: should be a whole number or 'auto', not \"al\"",
        "search.snapshots[0]: should be above 0, not 0",
        "search.snapshots[1]: should be at most 1, not 2",
        "slection: unknown key; did you mean 'selection'?",
    ]


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('name = "tiny"', 'name = "My Study"', "name: should be of lower-case letters"),
        ('name = "tiny"', "", "name: is missing"),
        ('name = "tiny"', 'name = "tiny"\nseed = true', "seed: should be a whole number, not true"),
        ("[sources.squad]", '[sources."my squad"]', 'sources."my squad": a name should be of'),
        (
            'type = "file"',
            'type = "file"\nlicence = ""',
            "licence: should be a text that is not empty",
        ),
        (
            "[[recipe.portions]]",
            '[recipe.augmentations]\ntype = "cutout"\n[[recipe.portions]]',
            "recipe.augmentations: should be a list, not a table; write [[recipe.augmentations]]",
        ),
        ('type = "e5-small"', "type = 5", "backbones.e5.type: should be a string, not 5"),
        ('type = "e5-small"', 'typ = "e5-small"', "type: is missing; is it the key 'typ'?"),
        ("low = 256", "low = 300", "recipe.length: low 300 must reach high 384 in steps of 128"),
        ("share = 0.3", "share = 0", "validation.share: should be above 0, not 0"),
        ("share = 0.3", "share = nan", "validation.share: should be a finite number, not nan"),
        ("[0.25, 1]", "[0.25, inf]", "portions[0].share[1]: should be a finite number, not inf"),
        ("low = 256", "low = inf", "recipe.length.low: should be a finite number, not inf"),
        ("[0.25, 1]", '"half"', 'share: should be a number or a list, not "half"'),
        ("[0.25, 1]", "[0.25, -1]", "recipe.portions[0].share[1]: should be above 0, not -1"),
        ("[0.25, 1]", "[]", "recipe.portions[0].share: the list is empty"),
        ("[0.25, 1]", "[1, 1.0]", "share: 1.0 stands in the list more than once"),
        ('"search"\n[[', '"serach"\n[[', "not \"serach\"; did you mean 'search'?"),
        ('include = "search"', 'include = "yes"', "should be true or false or 'search', not"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(write, old, new, problem):
    assert old in GOOD
    found = problems(write(GOOD.replace(old, new, 1)))
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('source = "squad"', 'source = "squd"', "no [sources.squd]; did you mean 'squad'?"),
        ('source = "chaii"\nshare', 'source = "nq"\nshare', "no [sources.nq]; there are: chaii, s"),
        ("share = 0.3", "share = 1", "[1].source: validation overlaps training: all of 'chaii'"),
        ('source = "chaii"\nneg', 'source = "squad"\nneg', "portions[1].name: the slot 'squad' ex"),
        ("negatives", 'name = "a b"\nnegatives', "recipe.portions[1].name: should be of lower-"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(write, old, new, problem):
    assert old in GOOD
    found = problems(write(GOOD.replace(old, new, 1)))
    assert len(found) == 1
    assert problem in found[0]


def test_the_same_source_may_fill_two_named_slots(write):
    extra = '[[recipe.portions]]\nsource = "squad"\nname = "squad-again"\n[validation]'
    study = load_study(write(GOOD.replace("[validation]", extra)))
    assert [portion.slot for portion in study.recipe.portions] == ["squad", "chaii", "squad-again"]


def test_enqueued_points_name_a_backbone(write):
    points = '\n[search]\nenqueue = [{ backbone = "e55" }, { learning_rate = 1e-5 }]\n'
    assert problems(write(GOOD + points)) == [
        "search.enqueue[0].backbone: there is no [backbones.e55]; did you mean 'e5'?",
        "search.enqueue[1].backbone: is missing; name one of e5",
    ]


def test_a_recipe_with_nothing_in_it_and_an_augmentation_twice(write):
    text = GOOD.replace('include = "search"', "include = false").replace(
        '"squad"\nshare', '"squad"\ninclude = false\nshare'
    )
    text += '\n[[recipe.augmentations]]\ntype = "cutout"' * 2
    assert problems(write(text)) == [
        "recipe.portions: include is false in every portion, so there is nothing to train on",
        "recipe.augmentations[1].type: 'cutout' is applied already (recipe.augmentations[0]); "
        "keep one of them",
    ]


@pytest.mark.parametrize(
    "target, problem",
    [
        ("", "recipe.portions[0].similar: similar to what? name a source in recipe.target"),
        ('target = "chai"', "recipe.target: there is no [sources.chai]; did you mean 'chaii'?"),
        ('target = "squad"', "recipe.portions[0].similar: 'squad' is the target itself; leave"),
    ],
)
def test_similar_needs_another_source_to_be_similar_to(write, target, problem):
    text = GOOD.replace('source = "squad"\n', 'source = "squad"\nsimilar = [0.3, 1]\n', 1)
    assert text != GOOD
    (found,) = problems(write(text.replace("[recipe]\n", f"[recipe]\n{target}\n", 1)))
    assert found.startswith(problem)


def test_the_target_must_be_trained_on(write):
    text = GOOD.replace("[recipe]\n", '[recipe]\ntarget = "chaii"\n', 1)
    assert load_study(write(text)).recipe.target == "chaii"
    text = text.replace('include = "search"', "include = false", 1)
    assert problems(write(text)) == [
        "recipe.target: no portion trains on 'chaii', so nothing can be compared with it"
    ]


def test_options_of_plugins_may_be_any_toml(write):
    rows = 'path = "squad.jsonl"\nsince = 2021-11-15\nnested = { a = [1, { b = 2.5 }] }'
    options = load_study(write(GOOD.replace('path = "squad.jsonl"', rows))).sources["squad"].options
    assert options["since"] == "2021-11-15"
    assert options["nested"] == {"a": [1, {"b": 2.5}]}


def test_variables_are_replaced_in_strings(write, monkeypatch):
    monkeypatch.setenv("SQUAD_HOME", "/data")
    monkeypatch.delenv("SQUAD_HOUSE", raising=False)
    path = '"${SQUAD_HOME}/x/$${HOME}/$5.jsonl"'
    study = load_study(write(GOOD.replace('"squad.jsonl"', path)))
    assert study.sources["squad"].options["path"] == "/data/x/${HOME}/$5.jsonl"

    text = GOOD.replace('"squad.jsonl"', '"${SQUAD_HOUSE}/a"').replace('"chaii.csv"', '"${"')
    house, brace = problems(write(text))
    assert house == (
        "sources.squad.path: the environment variable SQUAD_HOUSE is not set; "
        "did you mean 'SQUAD_HOME'?"
    )
    assert brace.startswith("sources.chaii.path: '${' is no variable; write ${NAME}")


def test_whoever_reads_a_searched_study_finds_its_database_and_files(write, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    search = '\n[search]\nstorage = "postgresql://a:${SECRET}@b/c"\nfiles = "s3://${SECRET}/y"\n'
    text = GOOD.replace('"squad.jsonl"', '"${ABSENT}/a"')
    assert "[search]" not in text
    study = load_study(write(text + search), frozen=True)
    assert study.search.storage == "postgresql://a:x@b/c"
    assert study.search.files == "s3://x/y"
    assert study.sources["squad"].options["path"] == "${ABSENT}/a"


def test_a_syntax_error_names_the_line(write):
    assert problems(write('name = "tiny"\nsources.a = = 3\n')) == [
        "line 2, column 13: not valid TOML: Invalid value: sources.a = = 3"
    ]
    (end,) = problems(write('name = "tiny'))
    assert "not valid TOML" in end


def test_a_file_that_is_not_utf8_names_the_line(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_bytes('name = "tiny"\n# München'.encode("latin-1"))
    assert problems(path) == ["line 2: byte 0xfc is not UTF-8; save the file as UTF-8"]


def test_a_missing_file_lists_the_studies_beside_it(write, tmp_path):
    write(GOOD, "hindi.toml")
    write(GOOD, "quickstart.toml")
    listed = f"in {tmp_path} there are: hindi.toml, quickstart.toml"
    assert problems(tmp_path / "hindy.toml") == [
        f"no such study file; did you mean 'hindi.toml'? {listed}"
    ]
    with pytest.raises(ConfigError, match=r"is a folder, not a study file; in .* there are: hindi"):
        load_study(tmp_path)
    with pytest.raises(ConfigError, match=r"the folder .*nowhere does not exist"):
        load_study(tmp_path / "nowhere" / "x.toml")
    with pytest.raises(ConfigError, match=r"there is no \.toml file in"):
        load_study(Path(os.path.devnull).parent / "x.toml")


toml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(key=st.sampled_from(["sources", "backbones", "recipe", "validation"]), value=toml_values)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_table_in_a_wrong_shape_gets_sentences(key, value):
    """Never a crash: whatever stands where a table belongs, each problem names its path."""
    from autoqa.config.problems import parse
    from autoqa.config.study import StudyFile

    study, sentences = parse(StudyFile, {"name": "tiny", key: value})
    assert study is None
    assert all(": " in sentence and "Input should" not in sentence for sentence in sentences)


def test_a_key_that_would_do_nothing_is_refused(write):
    path = write(GOOD + '[selection]\naggregator = "characters"\nwords = "position"\n')
    (problem,) = problems(path)
    assert problem == (
        "selection: aggregator 'characters' takes no vote, so words = 'position' would do "
        "nothing: leave words out"
    )
    (problem,) = problems(write(GOOD + '[selection]\naggregator = "vote_only"\n'))
    assert "selection.aggregator" in problem
    assert "did you mean 'vote-only'?" in problem
