"""Published data sets, from a mirror that has their layout and their columns."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autoqa_sources.published import table
from autoqa_sources.published.mrqa import mrqa
from autoqa_sources.published.natural_questions import natural_questions
from hub_mirror import HubMirror, hub_environment, run_elsewhere, serving
from plugins.published_kit import CONTEXT, TEXTS, fill
from pydantic import ValidationError

from autoqa.api import DataError, MissingAssetError, SourceSpec
from autoqa.testing import run_checks

ALL = [
    *(each for each in vars(table).values() if isinstance(each, SourceSpec)),
    mrqa,
    natural_questions,
]
ON_THE_HUB = [each for each in ALL if each.name not in ("chaii", "fquad")]

LOADED = """
import json, sys
from importlib.metadata import entry_points
from autoqa.api import MissingAssetError
specs = {point.name: point.load() for point in entry_points(group="autoqa.sources")}
for name, options in json.loads(sys.argv[1]):
    spec = specs[name]
    options = spec.options(**options)
    said = {"missing": spec.missing(options)}
    try:
        said["downloads"] = [(each.name, each.size) for each in spec.downloads(options)]
        examples = spec.load(options)
        said["notes"] = examples.notes
        said["examples"] = [
            [e.id, e.language, e.document, e.context, [(a.text, a.start) for a in e.answers]]
            for e in examples
        ]
        said["after"] = spec.missing(options)
        said["again"] = len(spec.downloads(options))
    except MissingAssetError as error:
        said["error"] = str(error)
    print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubMirror]:
    with serving(tmp_path_factory.mktemp("hub") / "served") as mirror:
        fill(mirror)
        yield mirror


def loaded(
    mirror: HubMirror, home: Path, *wanted: tuple[str, dict[str, Any]], **environment: str
) -> list[dict[str, Any]]:
    """What each source says of itself before and after it was loaded, in one fresh process."""
    done = run_elsewhere(
        LOADED, json.dumps(wanted), environment=hub_environment(mirror.address, home, **environment)
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_source_of_the_hub_is_loaded(mirror: HubMirror, tmp_path: Path) -> None:
    few = {"xquad": ["hi"], "mlqa": ["hi", "en"], "indicqa": ["hi", "ta"], "xquad-in": ["ta"]}
    splits = {"xquad-in": "test"}
    wanted = []
    for spec in ON_THE_HUB:
        options: dict[str, Any] = {"languages": few[spec.name]} if spec.name in few else {}
        if spec.name in splits:
            options["split"] = splits[spec.name]
        if spec.name == "natural-questions":
            options["shards"] = 2
        wanted.append((spec.name, options))
    said = dict(zip((n for n, _ in wanted), loaded(mirror, tmp_path, *wanted), strict=True))
    for name, each in said.items():
        assert "is not in the local Hugging Face cache" in each["missing"], name
        ((_, size),) = each["downloads"]
        assert size > 0
        assert (each["after"], each["again"]) == (None, 0), name
        for _, _, document, context, answers in each["examples"]:
            assert document
            assert all(context[start : start + len(text)] == text for text, start in answers)
    counts = {name: len(each["examples"]) for name, each in said.items()}
    assert counts == {
        "squad": 2, "squad2": 2, "tydiqa": 3, "mlqa": 4, "xquad": 2, "xquad-in": 1, "indicqa": 6,
        "korquad": 2, "jaquad": 2, "germanquad": 1, "mrqa": 18, "natural-questions": 4,
    }  # fmt: skip
    assert [len(row[4]) for row in said["squad2"]["examples"]] == [1, 0]
    assert [row[1] for row in said["tydiqa"]["examples"]] == ["en", "te", "te"]
    assert {row[1] for row in said["korquad"]["examples"]} == {"ko"}
    assert [row[1] for row in said["mlqa"]["examples"]] == ["hi", "hi", "en", "en"]
    hindi = TEXTS["hi"][2]
    assert [[t for t, _ in row[4]] for row in said["indicqa"]["examples"]][:3] == [
        [hindi], [], [hindi]
    ]  # fmt: skip
    assert {tuple(map(tuple, row[4])) for row in said["mrqa"]["examples"]} == {
        (("1904", CONTEXT.index("1904")),)
    }
    paragraph = "Kimemport lies beside the Oru"
    assert said["natural-questions"]["examples"][0][3] == paragraph
    assert [[t for t, _ in row[4]] for row in said["natural-questions"]["examples"]][:2] == [
        ["Oru"], ["Kimemport lies", "beside the Oru"]
    ]  # fmt: skip


def test_what_is_here_is_loaded_without_a_network(mirror: HubMirror, tmp_path: Path) -> None:
    wanted = ("tydiqa", {"languages": ["te"], "limit": 1})
    first = loaded(mirror, tmp_path, wanted)[0]
    asked = len(mirror.requested)
    (again,) = loaded(mirror, tmp_path, wanted, HF_HUB_OFFLINE="1")
    assert len(mirror.requested) == asked
    assert again["missing"] is None
    assert again["examples"] == first["examples"]
    assert [row[0] for row in again["examples"]] == ["telugu-5-1"]
    (other,) = loaded(mirror, tmp_path, ("tydiqa", {"split": "validation"}), HF_HUB_OFFLINE="1")
    assert "--include 'secondary_task/validation-*.parquet'`" in other["missing"]
    assert "forbids to fetch it" in other["error"]


def test_parts_of_many_files(mirror: HubMirror, tmp_path: Path) -> None:
    before = len(mirror.requested)
    first, second, fewer = loaded(
        mirror, tmp_path,
        ("mrqa", {"shards": 5, "subsets": ["HotpotQA"]}),
        ("xquad", {"split": "validation", "languages": ["en", "hi"], "limit": 1}),
        ("mrqa", {"shards": 1}),
    )  # fmt: skip
    assert [row[0] for row in fewer["examples"]] == ["0-a", "0-b"]
    assert [row[0] for row in first["examples"]] == ["4-a", "4-b"]
    assert [row[1] for row in second["examples"]] == ["en", "hi"]
    fetched = {each for each in mirror.requested[before:] if "mrqa/resolve" in each}
    assert len({each for each in fetched if each.startswith("GET")}) == 5


def test_a_revision_of_ones_own(mirror: HubMirror, tmp_path: Path) -> None:
    (said,) = loaded(mirror, tmp_path, ("squad", {"revision": "v9"}))
    assert "it has no revision 'v9'" in said["error"]


def test_a_folder_in_place_of_the_hub(mirror: HubMirror, tmp_path: Path) -> None:
    served = mirror.repository("datasets", "google/xquad")
    options = table.xquad.options(folder=served, languages=("hi",))
    assert table.xquad.missing(options) is None
    assert not table.xquad.downloads(options)
    assert [each.language for each in table.xquad.load(options)] == ["hi", "hi"]
    options = table.xquad.options(folder=served, languages=("th",))
    sentence = table.xquad.missing(options) or ""
    assert "has no file xquad.th/validation-*.parquet, which split 'validation'" in sentence
    flat = mirror.repository("datasets", "rajpurkar/squad") / "plain_text"
    assert len(list(table.squad.load(table.squad.options(folder=flat)))) == 2
    with pytest.raises(MissingAssetError, match="nowhere does not exist"):
        table.squad.load(table.squad.options(folder=tmp_path / "nowhere"))


def test_what_is_got_by_hand(tmp_path: Path) -> None:
    assert "https://fquad.illuin.tech" in (table.fquad.missing(table.fquad.options()) or "")
    with pytest.raises(MissingAssetError, match="kaggle competitions download -c chaii"):
        table.chaii.load(table.chaii.options())
    context, question, answer = TEXTS["ta"]
    start = context.index(answer)
    (tmp_path / "train.csv").write_text(
        "id,context,question,answer_text,answer_start,language\n"
        f'a1,"{context}","{question}","{answer}",{start},tamil\n'
        f'a2,"{TEXTS["hi"][0]}","{TEXTS["hi"][1]}","{TEXTS["hi"][2]}",0,hindi\n'
    )
    options = table.chaii.options(folder=tmp_path, languages=("ta",))
    assert table.chaii.missing(options) is None
    (example,) = table.chaii.load(options)
    assert (example.id, example.language, example.answers[0].start) == ("a1", "ta", start)


@pytest.mark.parametrize(
    "spec, repository, options",
    [
        (table.tydiqa, "google-research-datasets/tydiqa", {}),
        (mrqa, "mrqa-workshop/mrqa", {"split": "validation"}),
        (natural_questions, "google-research-datasets/natural_questions", {"shards": 1}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_kits_checks(
    mirror: HubMirror, spec: SourceSpec, repository: str, options: dict[str, Any]
) -> None:
    folder = mirror.repository("datasets", repository)
    results = run_checks(spec, spec.options(folder=folder, **options))
    assert not [result for result in results if result.outcome == "failed"]


def test_a_damaged_document(tmp_path: Path) -> None:
    (tmp_path / "xquad_ta_test.json").write_text('{"canary": "x", "examples": [')
    options = table.xquad_in.options(split="test", folder=tmp_path, languages=("ta",))
    with pytest.raises(DataError, match=r"xquad_ta_test\.json: expected a JSON object with a list"):
        table.xquad_in.load(options)


def test_unknown_languages_and_splits() -> None:
    with pytest.raises(ValidationError, match="'ja' is no language of xquad, which has ar, de"):
        table.xquad.options(languages=("ja",))
    with pytest.raises(ValidationError, match="'test' or 'validation'"):
        table.mlqa.options(split="train")


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_each_says_what_to_cite(spec: SourceSpec) -> None:
    options = spec.options()
    assert (spec.citation(options) or "").endswith(".")
    assert spec.licence(options) is not None or spec.name in ("chaii", "mrqa")
