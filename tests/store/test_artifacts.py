"""Files of a study behind a URL: on a real S3 server, and in a folder."""

import hashlib
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError
from autoqa.planning import hopeless
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord, group_alone
from autoqa.store.checksums import DamagedError, checked_json, is_whole
from autoqa.store.patience import Patience
from autoqa.store.run_folder import PARTS, RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, dropped
from tests.object_store import BUCKET, URL, ObjectStore, s3, started_store
from tests.store.test_study_tables import with_jaccard

__all__ = ["s3", "started_store"]

NAME = "t0001-100"
PLACE = f"studies/toy/candidates/{NAME}"


def record(name: str = NAME, jaccard: float = 0.5, **changes: object) -> CandidateRecord:
    return with_jaccard(jaccard, id=name, trial=int(name[1:5]), **changes)


def home(folder: Path, name: str) -> RunFolder:
    made = RunFolder(folder / name / "toy")
    made.create()
    return made


def write(folder: RunFolder, made: CandidateRecord, weights: int = 5000) -> None:
    with folder.writing_candidate(made.id, "row") as path:
        (path / "model").mkdir()
        (path / "model" / WEIGHTS).write_bytes(os.urandom(weights))
        (path / "model" / "config.json").write_text("{}")
        (path / "candidate.json").write_text(json.dumps(asdict(made)))
    windows = folder.validation / made.group / "sealed"
    windows.mkdir(parents=True, exist_ok=True)
    (windows / "private.safetensors").write_text("private")
    (windows.parent / "public.safetensors").write_text("public")


def files(folder: RunFolder, url: str = URL, seconds: float = 0.0) -> Artifacts:
    return Artifacts(folder, url, Patience(seconds))


@pytest.fixture(params=["s3", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return URL
    (tmp_path / "shared").mkdir()
    return f"file://{tmp_path}/shared"


def test_a_candidate_travels_without_its_model_until_that_is_needed(
    tmp_path: Path, url: str
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    files(a, url).publish(NAME)
    there = files(b, url)
    assert there.candidates() == [NAME]
    assert there.weights() == {NAME: 5000}
    assert there.bring([record()]) == []
    assert b.read_record(NAME) == record()
    assert (b.candidate(NAME) / "trial.json").read_text() == "row"
    assert (b.windows_path(record().group, "private")).read_text() == "private"
    assert not b.model(NAME).exists()
    gone = dropped(b, NAME)
    assert gone is not None
    assert gone.elsewhere
    assert not gone.damaged
    there.bring_weights([NAME])
    assert dropped(b, NAME) is None
    assert is_whole(b.candidate(NAME))
    assert (b.model(NAME) / WEIGHTS).read_bytes() == (a.model(NAME) / WEIGHTS).read_bytes()
    assert not (b.candidate(NAME) / "dropped.json").exists()


def test_what_is_here_is_asked_for_no_more(tmp_path: Path, s3: ObjectStore) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    files(a).publish(NAME)
    there = files(b)
    with s3.counted() as first:
        there.bring([record()])
    assert any("candidate.json" in each for each in first)
    assert not any(WEIGHTS in each for each in first)
    with s3.counted() as second:
        there.bring([record()])
    assert second == []
    with s3.counted() as third:
        there.bring_weights([NAME])
    assert len([each for each in third if f"GET /{BUCKET}/{PLACE}/model/{WEIGHTS}" in each]) == 1


def test_dropped_weights_are_dropped_for_all_and_come_back_for_all(
    tmp_path: Path, url: str
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    here, there = files(a, url), files(b, url)
    here.publish(NAME)
    weights = (a.model(NAME) / WEIGHTS).read_bytes()
    there.bring([record()])
    there.drop_weights(NAME)
    assert here.weights(fresh=True) == {}
    there.bring_weights([NAME])
    gone = dropped(b, NAME)
    assert gone is not None
    assert (gone.size, gone.elsewhere, gone.damaged) == (5000, False, False)
    here.return_candidate(NAME)
    assert there.weights(fresh=True) == {NAME: 5000}
    there.bring_weights([NAME])
    assert (b.model(NAME) / WEIGHTS).read_bytes() == weights


def test_a_candidate_that_was_made_again_as_a_whole_is_there_again(
    tmp_path: Path, url: str
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    files(a, url).study.put_windows(record().group)
    files(a, url).return_candidate(NAME)  # as after a loss of all that was shared of it
    there = files(b, url)
    assert there.candidates() == [NAME]
    there.bring_weights([NAME])
    assert is_whole(b.candidate(NAME))


def test_windows_of_one_that_votes_alone_are_those_of_others(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    alone = group_alone(record().group, NAME)
    files(a, url).study.put_windows(alone)
    files(b, url).study.get_windows(alone)
    for part in PARTS:
        assert b.windows_path(alone, part) == b.windows_path(record().group, part)
        assert b.windows_path(alone, part).is_file()


def test_weights_that_are_not_here_any_more_are_not_uploaded(
    tmp_path: Path, s3: ObjectStore
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    here = files(a)
    here.drop_weights(NAME)
    here.publish(NAME)
    assert f"{PLACE}/model/{WEIGHTS}" not in s3.names()
    there = files(b)
    there.bring_weights([NAME])
    gone = dropped(b, NAME)
    assert gone is not None
    assert not gone.elsewhere


def test_an_upload_that_breaks_off_leaves_nothing_to_be_seen(
    tmp_path: Path, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    here = files(a)
    put, count = here._objects.put, 0

    def breaks(path: Path, name: str) -> None:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        put(path, name)

    monkeypatch.setattr(here._objects, "put", breaks)
    with pytest.raises(KeyboardInterrupt):
        here.publish(NAME)
    assert [name for name in s3.names() if PLACE in name]
    there = files(b)
    assert there.candidates() == []
    [sentence] = there.bring([record()])
    assert sentence == f"candidate {NAME} is left out: it is not in {URL}"
    assert b.candidate_ids() == []
    assert files(a).publish_missing([record()]) == [NAME]
    assert there.bring([record()]) == []


def test_another_runs_candidate_stays(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    write(b, record(seed=99))
    files(a, url).publish(NAME)
    with pytest.raises(DataError, match=f"{NAME} is of another run .* is not replaced"):
        files(b, url).publish(NAME)
    c = home(tmp_path, "c")
    assert files(c, url).bring([record()]) == []
    assert c.read_record(NAME) == record()


def test_the_same_run_trained_twice_is_that_which_is_written_down(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    write(b, record(seconds=1234.0))
    files(a, url).publish(NAME)
    assert files(b, url).bring([record()]) == []
    assert b.read_record(NAME) == record()
    assert [path.name.split(".")[0] for path in b.damaged.iterdir()] == [NAME]


def test_a_truncated_object_is_refused_and_mended_by_whoever_has_it(
    tmp_path: Path, s3: ObjectStore
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    here, there = files(a), files(b)
    here.publish(NAME)
    for name in ("candidate.json", f"model/{WEIGHTS}"):
        s3.write(f"{PLACE}/{name}", s3.content(f"{PLACE}/{name}")[:-7])
    [sentence] = there.bring([record()])
    assert sentence.startswith(f"candidate {NAME} is left out: {URL}/toy/candidates/{NAME}/")
    assert "candidate.json is damaged; `autoqa search`" in sentence
    assert b.candidate_ids() == []
    assert not list(b.candidates.iterdir())
    assert here.publish_missing([record()]) == [NAME]
    assert here.publish_missing([record()]) == []
    assert there.bring([record()]) == []
    s3.write(f"{PLACE}/model/{WEIGHTS}", b"0" * 5000)
    with pytest.raises(DamagedError, match=f"{WEIGHTS} is damaged"):
        there.bring_weights([NAME])
    assert not (b.model(NAME) / WEIGHTS).exists()


def test_what_is_damaged_here_is_fetched_again(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    files(a, url).publish(NAME)
    there = files(b, url)
    there.bring_weights([NAME])
    (b.model(NAME) / WEIGHTS).write_bytes(b"0" * 5000)
    (b.candidate(NAME) / "candidate.json").write_bytes(b"{}")
    assert there.bring([record()]) == []
    there.bring_weights([NAME])
    assert is_whole(b.candidate(NAME))


def test_a_server_that_is_away_is_waited_for(tmp_path: Path, s3: ObjectStore) -> None:
    a, said = home(tmp_path, "a"), list[str]()

    def tell(sentence: str) -> None:
        said.append(sentence)
        if len(said) == 1:
            s3.start()

    write(a, record())
    here = Artifacts(a, URL, Patience(120.0, tell=tell))
    here.reach()
    s3.stop()
    here.publish(NAME)
    assert f"the file store {URL} has not answered for" in said[0]
    assert "Could not connect to the endpoint URL" in said[0]
    assert "answers again after" in said[-1]


def test_a_server_that_stays_away_costs_nothing(
    tmp_path: Path, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = home(tmp_path, "a")
    write(a, record())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    S3FileSystem.clear_instance_cache()
    with (
        Store(f"sqlite:///{tmp_path}/study.db", "toy", files=files(a)) as store,
        pytest.raises(AutoqaError, match=r"the study's file store has not answered .* lost"),
    ):
        store.add_candidate(record())
    with Store(f"sqlite:///{tmp_path}/study.db", "toy") as store:
        assert store.candidates() == []
    assert is_whole(a.candidate(NAME))


def test_refusals_are_sentences_and_come_at_once(
    tmp_path: Path, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, begun = home(tmp_path, "a"), time.monotonic()
    for wrong, sentence in {
        "s3://nowhere/x": "'s3://nowhere/x': there is no such bucket or folder: make it",
        "zz://bucket/x": "'zz://bucket/x': Protocol not known: zz: give a URL such as",
        f"file://{tmp_path}/absent": "there is no such folder: mount it, or make it",
        "/shared/folder": "give a URL such as s3://bucket/prefix or file:///shared/folder",
        "s3://": "give a URL such as s3://bucket/prefix",
    }.items():
        with pytest.raises(ConfigError, match=r"\[search\] files = .*" + sentence):
            files(a, wrong, 60).reach()
    with pytest.raises(MissingAssetError, match=r"gs:// is not installed: `pip install gcsfs`"):
        files(a, "gs://bucket/x")
    with pytest.raises(ConfigError) as caught:
        files(a, "s3://key:secret@nowhere/x", 60).reach()
    assert "secret" not in str(caught.value)
    assert time.monotonic() - begun < 30


def test_wrong_keys_are_refused(tmp_path: Path, s3: ObjectStore) -> None:
    with s3.only_known_keys(), pytest.raises(ConfigError, match=r"no right to use it \(.*\): set"):
        files(home(tmp_path, "a"), URL, 60).reach()


def test_without_any_keys(tmp_path: Path, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    S3FileSystem.clear_instance_cache()
    with pytest.raises(ConfigError, match="no right to use it"):
        files(home(tmp_path, "a"), "s3://other/x", 60).reach()


def test_openings_are_known_on_all_machines(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    database = f"sqlite:///{tmp_path}/study.db"
    with Store(database, "toy", openings=a.openings, files=files(a, url)) as store:
        store.log_opening("the paper", purpose="reveal")
    # The database is lost, and the machine that opened is away.
    with Store(f"sqlite:///{tmp_path}/other.db", "toy", openings=b.openings) as store:
        files(b, url).study.mirror_openings()
        assert [each.reason for each in store.openings()] == ["the paper"]
        files(b, url).study.mirror_openings()
        assert len(b.openings.read_text().splitlines()) == 1
        assert store.log_opening("again").number == 2


def test_another_study_of_that_name_is_refused(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    for number, folder in enumerate((a, b)):
        folder.study_file.write_text("")
        for part in ("public", "private"):
            folder.save_examples(part, [])  # type: ignore[arg-type]
        mark = folder.validation / "public.jsonl.sha256"
        mark.write_text(f"{number}  public.jsonl\n")
    files(a, url).study.publish()
    files(a, url).study.publish()
    with pytest.raises(ConfigError, match="there is another study 'toy' with other validation"):
        files(b, url).study.publish()


def test_a_name_that_leads_out_of_a_candidate_is_refused(tmp_path: Path, s3: ObjectStore) -> None:
    b = home(tmp_path, "b")
    evil = {"../../../evil": {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}}
    s3.write(f"{PLACE}/checksums.json", checked_json(evil).encode())
    s3.write("studies/evil", b"x")
    [sentence] = files(b).bring([record()])
    assert "its checksums.json names a file outside its folder" in sentence
    assert not list(tmp_path.rglob("evil"))


def test_what_else_lies_there_is_no_candidate(tmp_path: Path, s3: ObjectStore) -> None:
    s3.write("studies/toy/candidates/backup/checksums.json", b"{}")
    s3.write(f"{PLACE}/candidate.json", b"{}")
    assert files(home(tmp_path, "b")).candidates() == []
    assert files(home(tmp_path, "b")).bring_all() == []


def test_what_is_made_anew_replaces_itself(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    write(a, record())
    here = files(a, url)
    here.publish(NAME)
    here.drop_weights(NAME)
    a.set_aside(NAME)
    write(a, record(seconds=1234.0))
    here.publish(NAME)
    there = files(b, url)
    assert there.bring([record(seconds=1234.0)]) == []
    there.bring_weights([NAME])
    assert dropped(b, NAME) is None


def test_a_study_is_removed_whole_and_no_other(tmp_path: Path, url: str) -> None:
    a, other = home(tmp_path, "a"), RunFolder(tmp_path / "a" / "toy2")
    other.create()
    for folder in (a, other):
        write(folder, record())
        files(folder, url).publish(NAME)
    files(a, url).remove()
    files(a, url).remove()
    assert files(a, url).candidates() == []
    assert files(other, url).candidates() == [NAME]


def test_a_run_is_compared_with_one_of_another_machine(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    best, own = record(jaccard=0.9), record("t0002-100", 0.1)
    write(a, best)
    files(a, url).publish(NAME)
    write(b, own)
    compared: list[list[str]] = []

    class Scorer:
        examples = ()

        def __init__(self, folder: RunFolder, _examples: object) -> None:
            self.folder = folder

        def of(self, _record: CandidateRecord) -> list[float]:
            compared.append(self.folder.candidate_ids())
            raise DataError("enough")

    monkeypatch.setattr(hopeless, "CandidateScorer", Scorer)
    monkeypatch.setattr(b, "load_examples", lambda _part: [])
    assert hopeless.HopelessRuns(b, files(b, url)).verdict(own, [best, own], [1]) is None
    assert compared == [[NAME, "t0002-100"]]
