"""Installed distributions, made of files, for what no sane package would do."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = """
from autoqa.api import Options, SourceSpec
spec = SourceSpec(name={name!r}, summary="Nothing", options=Options, load=lambda o: (),
                  missing=lambda o: None, api_version={version})
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes a distribution to a folder on sys.path and switches all others off."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("AUTOQA_PLUGINS", "")

    def install(
        distribution: str,
        name: str,
        code: str = "",
        *,
        group: str = "sources",
        api_version: int = 1,
        spec_name: str = "",
    ) -> None:
        module = distribution.replace("-", "_")
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        (info / "METADATA").write_text(metadata)
        points = f"[autoqa.{group}]\n{name} = {module}:spec\n"
        (info / "entry_points.txt").write_text(points)
        text = code or SOURCE.format(name=spec_name or name, version=api_version)
        (tmp_path / f"{module}.py").write_text(text)
        allowed = os.environ["AUTOQA_PLUGINS"]
        monkeypatch.setenv("AUTOQA_PLUGINS", f"{allowed},{distribution}".strip(","))

    yield install
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def example(plugin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed example distributions, and no others."""
    monkeypatch.syspath_prepend(str(plugin_folder))
    monkeypatch.setenv("AUTOQA_PLUGINS", "autoqa-plugin-example,autoqa-plugin-broken")
