from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.ray_kit import ThreeNodes


@pytest.fixture(scope="session")
def three() -> Iterator[ThreeNodes]:
    """Three nodes of one processor each; what a test takes away it gives back."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'autoqa[ray]'")
    try:
        nodes = ThreeNodes()
    except (OSError, RuntimeError, TimeoutError, ray.exceptions.RayError) as error:
        pytest.skip(f"Ray starts no cluster on this machine: {error}")
    yield nodes
    nodes.cluster.shutdown()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "runs"
