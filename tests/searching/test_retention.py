"""What a search keeps beside the most promising weights."""

from pathlib import Path

from autoqa.searching.retention import retain
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, dropped
from tests.store.test_study_tables import with_jaccard


def test_a_selection_that_nobody_can_read_protects_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.selection.write_text('{"members": [{"id": "t0001-100"}]}')
    with Store(folder.store_url(), "study") as store:
        for number, jaccard in enumerate((0.9, 0.8)):
            name = f"t{number:04d}-100"
            store.add_candidate(with_jaccard(jaccard, id=name))
            folder.model(name).mkdir(parents=True)
            (folder.model(name) / WEIGHTS).write_bytes(b"x" * 100)
            (folder.candidate(name) / "candidate.json").write_text("{}")
        said = retain(folder, store, 0.0)
    assert len(said) == 1
    assert "candidate t0001-100: its weights were dropped" in said[0]
    assert "`autoqa retrain study t0001-100` makes them again" in said[0]
    assert dropped(folder, "t0000-100") is None
