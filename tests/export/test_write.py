"""A bundle is whole or refused; what is refused is named."""

import json
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.bundle.verify import verify
from autoqa.errors import BundleError, ConfigError, DataError
from autoqa.export.write import BundlePlan, write_bundle


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_bundle_holds_what_it_should_and_verifies(bundle: Path, plan: BundlePlan) -> None:
    manifest = verify(bundle)
    assert manifest.members == plan.members
    assert manifest.groups == plan.groups
    assert set(manifest.files) == set(files(bundle)) - {"manifest.json"}
    assert manifest.licences == ("MIT",)
    assert {path.split("/")[0] for path in manifest.files} == {"README.md", "members", "tokenizers"}
    assert names(bundle.parent) == ["bundle"]
    os.umask(mask := os.umask(0o022))
    assert (bundle.stat().st_mode & 0o777) == 0o777 & ~mask


def test_the_card_says_scores_and_licences(bundle: Path) -> None:
    card = (bundle / "README.md").read_text()
    assert ".61 ± .05" in card
    assert "MIT" in card
    assert "Languages named in its recipes: hi." in card


def test_paths_of_the_exporting_machine_stay_behind(plan: BundlePlan, tmp_path: Path) -> None:
    member = plan.members[0].id
    source = Path(shutil.copytree(plan.models[member], tmp_path / "model"))
    config = json.loads((source / "config.json").read_text())
    config |= {"_name_or_path": "/home/me", "auto_map": {"AutoModel": "evil.Model"}}
    (source / "config.json").write_text(json.dumps(config))
    write_bundle(replace(plan, models={**plan.models, member: source}), tmp_path / "bundle")
    written = json.loads((tmp_path / "bundle/members" / member / "config.json").read_text())
    assert not {"_name_or_path", "auto_map"} & written.keys()


def test_any_changed_byte_is_found_and_its_file_named(copy: Path) -> None:
    chance = random.Random(0)
    for name in files(copy):
        path = copy / name
        original = path.read_bytes()
        for _ in range(5):
            changed = bytearray(original)
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            path.write_bytes(changed)
            with pytest.raises(BundleError, match=name.split("/")[-1]):
                verify(copy)
        path.write_bytes(original)
    verify(copy)


@pytest.mark.parametrize("name", ["README.md", "members/t0001-100/model.safetensors"])
def test_a_missing_or_shortened_file_is_named(copy: Path, name: str) -> None:
    path = copy / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleError, match=f"{name} was changed"):
        verify(copy)
    path.unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        verify(copy)


@pytest.mark.parametrize("name", ["notes.txt", "members/t0001-100/pytorch_model.bin", ".hidden"])
def test_a_file_too_many_is_named(copy: Path, name: str) -> None:
    (copy / name).write_text("x")
    with pytest.raises(BundleError, match=f"{name} is not listed"):
        verify(copy)


def test_symbolic_links_are_refused(copy: Path, tmp_path: Path) -> None:
    path = copy / "README.md"
    path.rename(tmp_path / "README.md")
    path.symlink_to(tmp_path / "README.md")
    with pytest.raises(BundleError, match=r"README\.md is a symbolic link"):
        verify(copy)


@pytest.mark.parametrize("name", ["none", "empty", "file"])
def test_what_is_no_bundle_is_said_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="is no bundle"):
        verify(tmp_path / name)


def test_an_existing_bundle_is_replaced_only_by_force(
    plan: BundlePlan, copy: Path, tmp_path: Path
) -> None:
    (copy / "README.md").write_text("old")
    with pytest.raises(ConfigError, match="exists already"):
        write_bundle(plan, copy)
    assert (copy / "README.md").read_text() == "old"
    write_bundle(plan, copy, force=True)
    verify(copy)
    assert names(tmp_path) == ["copy"]


def test_force_deletes_nothing_but_bundles(plan: BundlePlan, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="will not delete"):
        write_bundle(plan, tmp_path, force=True)
    with pytest.raises(ConfigError, match="is no folder"):
        write_bundle(plan, tmp_path / "thesis.tex", force=True)
    assert names(tmp_path) == ["thesis.tex"]


def test_a_failed_export_leaves_nothing_behind(
    plan: BundlePlan, copy: Path, tmp_path: Path
) -> None:
    broken = replace(plan, models=dict.fromkeys(plan.models, tmp_path / "gone"))
    with pytest.raises(DataError, match=r"gone/config.json is missing.*t0003-100"):
        write_bundle(broken, copy, force=True)
    verify(copy)
    assert names(tmp_path) == ["copy"]


def test_a_tokenizer_of_another_group_is_refused(plan: BundlePlan, tmp_path: Path) -> None:
    swapped = dict(plan.models)
    first, last = plan.members[0].id, plan.members[-1].id
    swapped[first] = plan.models[last]
    with pytest.raises(DataError, match="but the group is"):
        write_bundle(replace(plan, models=swapped), tmp_path / "bundle")
    assert names(tmp_path) == []


def test_parents_are_made_and_unwritable_targets_said(plan: BundlePlan, tmp_path: Path) -> None:
    write_bundle(plan, tmp_path / "a" / "b")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_bundle(plan, tmp_path / "file" / "bundle")
