"""The manifest: what it may say, and what no reader believes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.bundle.entries import ConversionEntry, RefitEntry
from autoqa.bundle.manifest import check_path, parse_manifest, render
from autoqa.bundle.verify import verify
from autoqa.decoding.span_scoring import SpanScoring
from autoqa.errors import BundleError
from autoqa.export.write import BundlePlan, write_bundle
from autoqa.scores.summary import ScoreEntry


def signed(content: dict[str, Any]) -> bytes:
    """Somebody who changes a manifest can also make its digest right again."""
    blank = json.dumps({**content, "digest": "0" * 64}).encode()
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


@pytest.fixture
def content(bundle: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((bundle / "manifest.json").read_bytes())
    return loaded


def test_a_later_minor_version_is_read_and_its_new_keys_ignored(content: dict[str, Any]) -> None:
    content |= {"format": "1.7", "new": 1}
    assert parse_manifest(signed(content), "m").format == "1.7"


def test_a_bundle_of_the_first_version_votes_and_cleans_nothing(content: dict[str, Any]) -> None:
    content["format"] = "1.0"
    del content["rules"], content["vote"]["aggregator"], content["vote"]["words"]
    read = parse_manifest(signed(content), "m")
    assert (read.vote.aggregator, read.vote.words, read.rules) == ("vote", "set", {})


def test_a_bundle_from_before_onnx_has_half_precision(content: dict[str, Any]) -> None:
    content["format"] = "1.2"
    del content["conversion"]
    for member in content["members"]:
        del member["weights"], member["encoder_weights"]
    read = parse_manifest(signed(content), "m")
    assert {member.weights for member in read.members} == {"fp16"}
    assert read.members[0].model_file.endswith("/model.safetensors")
    assert read.conversion is None


def test_a_bundle_from_before_limits_of_groups_has_one_for_all(content: dict[str, Any]) -> None:
    assert [group.get("max_answer_tokens") for group in content["groups"]] == [7, None, None]
    del content["groups"][0]["max_answer_tokens"]
    read = parse_manifest(signed(content), "m")
    assert set(read.max_answer_tokens.values()) == {12}


def test_the_model_card_says_how_long_an_answer_may_be(plan: BundlePlan, tmp_path: Path) -> None:
    write_bundle(plan, tmp_path / "two")
    one, *others = (group.id for group in plan.groups)
    parts = ", ".join([f"7 tokens of {one}", *(f"12 tokens of {other}" for other in others)])
    line = f"- An answer has at most {parts}.\n"
    assert line in (tmp_path / "two" / "README.md").read_text()
    groups = tuple(g.model_copy(update={"max_answer_tokens": None}) for g in plan.groups)
    write_bundle(replace(plan, groups=groups), tmp_path / "one")
    assert "- An answer has at most 12 tokens.\n" in (tmp_path / "one" / "README.md").read_text()


def test_scores_of_spans_are_there_only_where_they_are_fitted(
    plan: BundlePlan, content: dict[str, Any], tmp_path: Path
) -> None:
    assert "scoring" not in content
    fitted = {plan.groups[0].id: SpanScoring(0.9, 1.1, 0.5, 0.4, 0.6)}
    ensemble = replace(plan.ensemble, scoring=fitted)
    manifest = write_bundle(replace(plan, ensemble=ensemble), tmp_path / "fitted")
    assert verify(tmp_path / "fitted").plan.scoring == manifest.plan.scoring == fitted
    card = (tmp_path / "fitted" / "README.md").read_text(encoding="utf-8")
    assert "0.9 times the start's logit, 1.1 times the end's, and 0.5 times a prior" in card
    content["scoring"] = {plan.groups[0].id: {**asdict(SpanScoring()), "end": 0}}
    with pytest.raises(BundleError, match=r"scoring.*end: Input should be greater than 0"):
        parse_manifest(signed(content), "m")


def test_a_refit_stands_in_a_manifest_only_where_there_was_one(content: dict[str, Any]) -> None:
    assert "refit" not in content
    assert parse_manifest(signed(content), "m").refit is None
    entry = RefitEntry(source="hindi", public=12, private=18, seeds={"t0000-100": (0, 1)})
    content["refit"] = entry.model_dump(mode="json")
    read = parse_manifest(signed(content), "m")
    assert read.refit == entry
    assert json.loads(render(read.model_dump()))["refit"] == content["refit"]
    assert "30 validation rows of hindi (12 public, 18 private)" in str(entry)


@pytest.mark.parametrize("version", ["3.0", "0.9", "10.0", "", "one"])
def test_another_major_version_is_refused(content: dict[str, Any], version: str) -> None:
    with pytest.raises(BundleError, match=f"has format {version}, but this autoqa reads 1.x and 2"):
        parse_manifest(signed(content | {"format": version}), "m")


BAD_PATHS = [
    "/etc/passwd.json",
    "../x.json",
    "a/../../x.json",
    "a//b.json",
    "./a.json",
    "a\\..\\x.json",
    "C:x.json",
    "",
    "weights.bin",
    "model.pt",
    "model.pkl",
    "code.py",
    "run",
    "a.json\0.md",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_leave_the_bundle_and_pickles_are_refused(
    content: dict[str, Any], path: str
) -> None:
    content["files"][path] = content["files"]["README.md"]
    with pytest.raises(BundleError, match="files"):
        parse_manifest(signed(content), "m")


@given(st.text(alphabet="./\\ab:", max_size=12))
def test_accepted_paths_stay_below(path: str) -> None:
    try:
        check_path(f"{path}.json")
    except ValueError:
        return
    below = Path("/bundle") / f"{path}.json"
    assert below.resolve().is_relative_to("/bundle")
    assert below.relative_to("/bundle").as_posix() == f"{path}.json"


def _set(*keys: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change, expected",
    [
        (_set("members", 0, "folder", value="../elsewhere"), "is needed but not listed"),
        (_set("members", 0, "folder", value="/tmp"), "is needed but not listed"),
        (_set("members", 0, "group", value="other"), "'other' is used but not listed"),
        (_set("vote", "best", value="other"), "'other' is used but not listed"),
        (lambda content: content["members"].pop(0), "has no member"),
        (_set("vote", "aggregator", value="mean"), "vote.aggregator"),
        (_set("vote", "words", value="places"), "vote.words"),
        (_set("rules", value={"hi": ["magic"]}), "rule 'magic' of language 'hi' is unknown"),
        (_set("members", 0, "weights", value="int4"), "members.0.weights"),
        (_set("members", 0, "weights", value="onnx"), "model.onnx' is needed but not listed"),
        (_set("members", 0, "id", value="../x"), "members.0.id"),
        (_set("members", 0, "id", value="t0001-100"), "a member is listed twice"),
        (_set("members", 0, "weight", value=0), "members.0.weight"),
        (_set("members", value=[]), "members"),
        (_set("groups", 0, "length", value="x"), "groups.0.length"),
        (_set("groups", 0, "max_answer_tokens", value=0), "groups.0.max_answer_tokens"),
        (_set("files", "README.md", "sha256", value="xyz"), "files.README.md.sha256"),
    ],
)
def test_inconsistent_manifests_are_refused(
    content: dict[str, Any], change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    change(content)
    with pytest.raises(BundleError, match=expected):
        parse_manifest(signed(content), "m")


@given(st.binary(max_size=100) | st.sampled_from([b"[]", b"{}", b'{"format": 1}', b"null"]))
def test_no_bytes_get_past_as_a_manifest(data: bytes) -> None:
    with pytest.raises(BundleError):
        parse_manifest(data, "m")


def test_scores_are_written_with_their_interval() -> None:
    score = ScoreEntry(jaccard=0.614, low=0.57, high=0.65, em=0, f1=0, questions=3)
    assert str(score) == ".61 ± .04"
    assert str(score.model_copy(update={"scores": {"jaccard": 1.0}})) == "1.00 ± .04"


@pytest.mark.parametrize(
    "gain, differing, expected",
    [
        (-0.0062, 3, "public .853 -> .847 (-.006 ± .009), 3 of 60 answers differ"),
        (0.0, 0, "public .853 -> .853 (+.000 ± .009), 0 of 60 answers differ"),
        (0.147, 60, "public .853 -> 1.000 (+.147 ± .009), 60 of 60 answers differ"),
    ],
)
def test_a_conversion_is_said_in_a_line(gain: float, differing: int, expected: str) -> None:
    before = ScoreEntry(jaccard=0.853, low=0.8, high=0.9, em=0, f1=0, questions=60)
    change = ConversionEntry(
        weights="onnx-int8",
        before=before,
        after=before.model_copy(update={"scores": {"jaccard": 0.853 + gain}}),
        gain=gain,
        low=gain - 0.009,
        high=gain + 0.009,
        differing=differing,
        bytes_before=94_960_000,
        bytes_after=61_300_000,
    )
    assert str(change) == f"onnx-int8: {expected}; weights 61.3 MB instead of 95.0 MB"
