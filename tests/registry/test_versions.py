import platform
from importlib.metadata import version
from pathlib import Path

import autoqa
from autoqa.registry.versions import code_digest, differences, environment, gone_plugins


def test_an_environment_is_told_in_versions() -> None:
    found = environment()
    assert found["python"] == platform.python_version()
    digest = code_digest(Path(autoqa.__file__).parent)
    assert found["autoqa"] == f"{autoqa.__version__} (code {digest})"
    assert found["torch"] == version("torch")
    assert found["autoqa-backbones"] == version("autoqa-backbones")
    assert environment() == found


def test_a_digest_changes_with_names_and_content_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "b.py").write_text("")
    first = code_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert code_digest(tmp_path) == first
    (tmp_path / "a.py").write_text("x = 2")
    second = code_digest(tmp_path)
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    assert len({first, second, code_digest(tmp_path)}) == 3


def test_differences_name_what_is_missing_on_either_side() -> None:
    here = {"python": "3.12.1", "autoqa": "0.2.0 (code 88e0)", "more": "1"}
    there = {"python": "3.12.1", "autoqa": "0.2.0 (code 3fa9)", "other": "2"}
    assert differences("node 10.0.0.7", there, here) == [
        "node 10.0.0.7 has autoqa 0.2.0 (code 3fa9), this search 0.2.0 (code 88e0)",
        "node 10.0.0.7 does not have more, this search 1",
        "node 10.0.0.7 has other 2, this search does not",
    ]
    assert differences("node 10.0.0.7", here, here) == []


def test_plugins_that_are_gone_come_before_those_of_another_version() -> None:
    here = environment()
    assert gone_plugins(here) == {}
    other = {**here, "autoqa": "0.0.9", "torch": "1.0", "autoqa-sources": "0.0.1"}
    assert gone_plugins(other) == {"autoqa-sources": "0.0.1"}
    assert gone_plugins({**other, "my-letters": "1.0"}) == {"my-letters": "1.0"}
