"""One way to write a file or a folder whole, and one lock, for everything that leaves files."""

from pathlib import Path

import pytest

from autoqa.errors import AutoqaError, ConfigError
from autoqa.files import locked, write_atomically, writing_file, writing_folder, writing_output


def test_a_folder_replaces_the_older_one_or_leaves_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    for text in ("old", "new"):
        with writing_folder(target) as partial:
            (partial / "a").write_text(text)

    def break_off() -> None:
        with writing_folder(target) as partial:
            (partial / "a").write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert (target / "a").read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_killed_writers_leftovers_are_no_part_of_the_next_folder(tmp_path: Path) -> None:
    partial = tmp_path / "folder.part"
    partial.mkdir()
    (partial / "stale").touch()
    with writing_folder(tmp_path / "folder", partial) as folder:
        assert folder == partial
    assert list(tmp_path.rglob("*")) == [tmp_path / "folder"]


def test_a_file_replaces_the_older_one_or_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "whole")

    def break_off() -> None:
        with writing_file(path) as partial:
            partial.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_of_output_folders_name_the_option_or_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match=r"^/.*file/below cannot be written: "),
        writing_output(tmp_path / "file" / "below"),
    ):
        pass
    with (
        pytest.raises(AutoqaError, match=r"out could not be written: disk full\."),
        writing_output(tmp_path / "out"),
    ):
        raise OSError("disk full")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("remove", [False, True])
def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path, remove: bool) -> None:
    path = tmp_path / "locks" / "one"

    def give_up() -> None:
        raise TimeoutError

    with locked(path, remove=remove) as file:
        assert file is not None
        with locked(path, wait=False, remove=remove) as second:
            assert second is None
        with pytest.raises(TimeoutError), locked(path, waiting=give_up):
            pass
        assert path.exists()
    assert path.exists() is not remove
    with locked(path, wait=False) as file:
        assert file is not None
