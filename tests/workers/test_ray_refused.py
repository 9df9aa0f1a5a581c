"""Clusters that cannot be used, and what people are told of them."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

import autoqa
from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.registry import versions
from autoqa.searching.runner import run_search
from autoqa.workers import ray_cluster
from tests.conftest import Run
from tests.searching import fakes
from tests.workers.ray_kit import ThreeNodes, kept, search

pytestmark = pytest.mark.slow


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    with pytest.raises(MissingAssetError, match=r"needs the package ray: pip install 'autoqa\[ray"):
        search(tmp_path, fakes.good, "127.0.0.1:1")
    assert MissingAssetError.exit_code == 4


def test_an_address_goes_with_ray_and_a_dry_run_without(run: Run, tmp_path: Path) -> None:
    code, _, said = run("search", tmp_path / "study.toml", "--address", "127.0.0.1:6379")
    assert (code, "--address goes with --on ray" in said) == (2, True)
    code, _, said = run("search", tmp_path / "study.toml", "--on", "ray", "--dry-run")
    assert (code, "--dry-run sizes the study for this machine" in said) == (2, True)


@pytest.mark.parametrize("address", ["head", "ray://head:10001", "head:port", ":6379"])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'autoqa[ray]'")
    with pytest.raises(ConfigError, match="is HOST:PORT, as `ray start --head` prints it, not"):
        search(tmp_path, fakes.good, address)


def test_an_address_that_answers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'autoqa[ray]'")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert ray_cluster.ANSWER_SECONDS < 30
        monkeypatch.setattr(ray_cluster, "ANSWER_SECONDS", 4.0)
        fakes.run_folder().create()
        (fakes.run_folder().path / ".shared-0123abcd").write_text(
            "left by a search that was killed"
        )
        with pytest.raises(AutoqaError, match=rf"no Ray cluster answers at {address} within 4 s"):
            search(tmp_path, fakes.good, address)
    with pytest.raises(AutoqaError, match=rf"no Ray cluster answers at {address} \(.*refused"):
        search(tmp_path, fakes.good, address)
    assert capfd.readouterr() == ("", "")
    logs = {path.name for path in fakes.run_folder().logs.iterdir()}
    assert logs == {"ray.log", "search.log"}
    assert not list(fakes.run_folder().path.glob(".shared-*"))


def test_other_code_on_a_node_is_refused(
    tmp_path: Path, three: ThreeNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(autoqa.__file__).parent
    copy = tmp_path / "autoqa"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert versions.code_digest(copy) == versions.code_digest(package)
    (copy / "env.py").write_text((copy / "env.py").read_text() + "\n")
    changed, real = versions.code_digest(copy), versions.environment()
    there = f"{autoqa.__version__} (code {versions.code_digest(package)})"
    here = f"{autoqa.__version__} (code {changed})"
    monkeypatch.setattr(versions, "environment", lambda: real | {"autoqa": here})
    with pytest.raises(AutoqaError) as caught:
        search(tmp_path, fakes.good, three.address)
    said = str(caught.value)
    assert f" has autoqa {there}, this search {here}" in said
    assert said.startswith("node ")
    assert "What finished is kept; the same command goes on" in said
    assert fakes.calls() == []


def test_a_node_that_does_not_see_the_folder_is_refused(tmp_path: Path, three: ThreeNodes) -> None:
    def prepare(bound: Any) -> Any:
        (marker,) = fakes.run_folder().path.glob(".shared-*")
        marker.unlink()
        return fakes.prepare(bound)

    path = tmp_path / "study.toml"
    path.write_text(fakes.STUDY)
    with pytest.raises(AutoqaError, match=r"does not see this study's folder .*: let AUTOQA_HOME"):
        run_search(
            fakes.bind(path),
            fakes.STUDY,
            prepare,
            factory=fakes.good,
            workers="ray",
            address=three.address,
        )
    assert fakes.calls() == []


def test_a_cluster_of_another_version_is_refused(tmp_path: Path, three: ThreeNodes) -> None:
    gcs = three.gcs()
    stored = gcs.internal_kv_get(b"CLUSTER_METADATA", b"cluster")
    other = json.loads(stored) | {"ray_version": "2.1.0", "python_version": "3.7.1"}
    gcs.internal_kv_put(b"CLUSTER_METADATA", json.dumps(other).encode(), True, b"cluster")
    try:
        with pytest.raises(AutoqaError, match="has other versions than this search; both must ha"):
            search(tmp_path, fakes.good, three.address)
    finally:
        gcs.internal_kv_put(b"CLUSTER_METADATA", stored, True, b"cluster")
    result, _ = search(tmp_path, fakes.good, three.address, trials=1)
    assert (result.finished, kept()) == (1, [0])
