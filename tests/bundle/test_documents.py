"""Many documents: what is read, found, ranked and refused."""

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autoqa
from autoqa.bundle.document_answers import by_question, passage_rows
from autoqa.bundle.documents import Documents, NearPassage
from autoqa.bundle.input_rows import Row
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.predictor import Ensemble
from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError
from tests import bundle_kit

pytest.importorskip("bm25s", reason="the extra documents is not installed")

CONTEXTS = [e.context for e in bundle_kit.examples(10)]
LONG = "\n\n".join(f"Sentence {n} says that item{n} costs {n} coins ." for n in range(200))


@pytest.fixture(scope="module")
def ensemble(bundle: Path) -> Ensemble:
    return autoqa.load(bundle)


def test_every_document_is_read_and_answers_stand_at_their_place(ensemble: Ensemble) -> None:
    documents = [*CONTEXTS[:4], LONG, "", *CONTEXTS[4:]]
    question = "Where does Ada live ?"
    found = ensemble(question=question, contexts=documents, top_k=6, passages=None)
    assert len(found) == 6
    for each in found:
        assert each.passage is not None
        document = documents[each.passage.document]
        whole = document[each.start : each.end]
        assert set(each.answer.split()) <= set(whole.split())
        low = each.passage.start
        assert document[low : low + len(each.passage.text)] == each.passage.text
        assert low <= each.start < each.end <= low + len(each.passage.text)
    assert [each.score for each in found] == sorted((e.score for e in found), reverse=True)
    assert 0 <= found[-1].score <= found[0].score <= 1
    assert ensemble(question=question, contexts=documents, passages=None) == found[0]
    nearest = Documents(documents).nearest(question)[0].passage
    alone = ensemble.predict([Row("1", question, nearest.text)])[0]
    assert found[0].evidence >= alone.evidence - 1e-4


def test_one_short_document_is_a_context(ensemble: Ensemble) -> None:
    context = CONTEXTS[3]
    one = ensemble(question="Where does Ada live ?", context=context)
    found = ensemble(question="Where does Ada live ?", contexts=[context])
    assert (found.answer, found.start, found.end) == (one.answer, one.start, one.end)


def test_rows_with_several_contexts_stand_beside_others(ensemble: Ensemble) -> None:
    several = Documents(CONTEXTS)
    rows = [
        Row("1", "Where does Ada live ?", CONTEXTS[0]),
        Row("2", "Where does Bose live ?", contexts=several),
        Row("3", "Where does Dev live ?", contexts=several),
    ]
    found = ensemble.predict(rows)
    assert [each.passage is None for each in found] == [True, False, False]
    apart = [*ensemble.predict(rows[:1]), *ensemble.predict(rows[1:])]
    assert [(e.answer, e.start, e.passage) for e in found] == [
        (e.answer, e.start, e.passage) for e in apart
    ]
    assert [e.score for e in found] == pytest.approx([e.score for e in apart], abs=1e-5)


@pytest.fixture
def shelf() -> Documents:
    return Documents([f"Nothing about thing{n} is known ." for n in range(80)] + [LONG])


def test_the_nearest_passages_are_read(shelf: Documents) -> None:
    assert len(shelf) == 81
    assert len(shelf.passages) > 85
    nearest = shelf.nearest("What does item150 cost ?", 3)
    assert len(nearest) == 3
    assert "item150" in nearest[0].passage.text
    assert nearest[0].passage.document == 80
    assert nearest[0].nearness == 0 >= nearest[1].nearness >= nearest[2].nearness
    assert shelf.nearest("thing7 ?", 1)[0].passage.document == 7
    for unknown in ("?", "zzz"):
        assert shelf.nearest(unknown, 2) == [NearPassage(each, 0) for each in shelf.passages[:2]]
    everything = shelf.nearest("What does item150 cost ?")
    assert everything[:3] == nearest
    assert len(everything) == len(shelf.passages)
    assert shelf.nearest("What does item150 cost ?", 10**6) == everything


@pytest.mark.filterwarnings("error")
def test_passages_without_a_word_are_as_far_from_all_questions() -> None:
    for texts in (["!!!", "???"], ["!!!", "Ada"], ["🙂", "🙂 🙂"]):
        found = Documents(texts).nearest("Bose ?")
        assert [near.nearness for near in found] == [0, 0]


def test_a_filter_reads_less_and_finds_the_same_where_it_may(
    ensemble: Ensemble, shelf: Documents
) -> None:
    question = "What does item150 cost ?"
    (part,) = passage_rows([Row("1", question, contexts=shelf)], 1)
    assert part.near == shelf.nearest(question, 1)[0]
    found = ensemble(question=question, contexts=shelf, passages=1)
    assert found.passage == shelf.nearest(question, 1)[0].passage
    everything = ensemble(question=question, contexts=shelf, passages=None)
    assert everything.evidence >= found.evidence


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(0.01, 0.5)), min_size=1, max_size=6))
def test_answers_rank_by_evidence(drawn: list[tuple[float, float]]) -> None:
    texts = [f"one{n} two{n} three{n}" for n in range(len(drawn))]
    question = Row("1", "Who ?", contexts=Documents(texts))
    parts = passage_rows([question], None)
    assert [part.near for part in parts] == [
        NearPassage(passage, 0.0)
        for passage in question.contexts.passages  # type: ignore[union-attr]
    ]
    predictions = []
    for n, (evidence, ratio) in enumerate(drawn):
        size = len(f"one{n}")
        further = Prediction(f"two{n}", size + 1, 2 * size + 1, 0.5 * ratio)
        first = Prediction(f"one{n}", 0, size, 0.5, others=(further,), evidence=evidence)
        predictions.append(first)
    (found,) = by_question(parts, predictions, 20)
    pooled = sorted(
        (value for e, ratio in drawn for value in (e, e + math.log(ratio))), reverse=True
    )
    answers = [found, *found.others]
    assert [each.evidence for each in answers] == pytest.approx(pooled)
    total = 1 + sum(math.exp(evidence) for evidence, _ in drawn)
    assert [each.score for each in answers] == pytest.approx([math.exp(v) / total for v in pooled])
    (best,) = by_question(parts, predictions, 1)
    assert best.answer == found.answer
    assert best.others == ()


def test_the_same_answer_in_two_documents_comes_once() -> None:
    question = Row("1", "Who ?", contexts=Documents(["Ada .", "ada !", "Bose"]))
    parts = passage_rows([question], None)
    predictions = [
        Prediction("Ada", 0, 3, 0.5, evidence=1.0),
        Prediction("ada", 0, 3, 0.5, evidence=3.0),
        Prediction("Bose", 0, 4, 0.5, evidence=2.0),
    ]
    (found,) = by_question(parts, predictions, 5)
    answers = [found, *found.others]
    assert [each.answer for each in answers] == ["ada", "Bose"]
    shares = [math.exp(3), math.exp(2), 1]
    assert [each.score for each in answers] == pytest.approx([s / sum(shares) for s in shares[:2]])


def test_an_answer_where_passages_overlap_is_no_rival_of_itself() -> None:
    text = "word " * 150 + "Ada . " + "more " * 150
    question = Row("1", "Who ?", contexts=Documents([text]))
    parts = passage_rows([question], None)
    places = [part.near.passage.text.find("Ada") for part in parts if part.near]
    assert len(places) == 2
    assert min(places) >= 0
    predictions = [Prediction("Ada", at, at + 3, 0.5, evidence=2.0) for at in places]
    (found,) = by_question(parts, predictions, 1)
    nearest = max(part.near.nearness for part in parts if part.near)
    assert nearest == 0
    assert found.score == pytest.approx(math.exp(2) / (1 + math.exp(2)))


def test_distance_from_the_question_counts_against_an_answer() -> None:
    texts = ["Ada lives in Rome .", "Bose is in Oslo ."]
    question = Row("1", "Where does Ada live ?", contexts=Documents(texts))
    parts = passage_rows([question], None)
    assert [part.near.passage.document for part in parts if part.near] == [0, 1]
    far = parts[1].near
    assert far is not None
    assert far.nearness < 0
    for lead, first in ((-0.51, "Oslo"), (-0.49, "Rome")):
        predictions = [
            Prediction("Rome", 13, 17, 0.5, evidence=1.0),
            Prediction("Oslo", 11, 15, 0.5, evidence=1.0 + lead * far.nearness),
        ]
        assert by_question(parts, predictions, 1)[0].answer == first


def test_nothing_found_anywhere_is_no_answer() -> None:
    parts = passage_rows([Row("1", "Who ?", contexts=Documents(["Ada", "Bose"]))], None)
    (found,) = by_question(parts, [Prediction("", 0, 0, 0.0)] * 2, 3)
    assert (found.answer, found.score, found.others) == ("", 0.0, ())


def test_folders_are_read_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.txt").write_bytes(b"\xef\xbb\xbfAda lives\r\nin Rome .")
    (tmp_path / "top.md").write_text("नमस्ते", encoding="utf-8")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / ".hidden").write_bytes(b"\0")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x").write_bytes(b"\xff")
    found = Documents.from_folder(tmp_path)
    assert [(each.name, each.text) for each in found.passages] == [
        ("top.md", "नमस्ते"),
        ("a/b/deep.txt", "Ada lives\r\nin Rome ."),
    ]


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"ab\0c", "x.txt: it is no text; take it out of the folder"),
        (b"ok\nca\xe9s", "x.txt: the byte 0xe9 is not UTF-8 (the first such byte is in line 2)"),
    ],
)
def test_files_that_are_no_text_are_named(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(DataError) as caught:
        Documents.from_folder(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/{expected}")
    assert "\n" not in str(caught.value)


def test_folders_without_texts_are_refused(tmp_path: Path) -> None:
    cases: list[tuple[Path, type[AutoqaError], str]] = [
        (tmp_path / "none", MissingAssetError, "does not exist"),
        (tmp_path / "file", ConfigError, "is a file: name the folder"),
        (tmp_path / "empty", DataError, "holds no text files"),
    ]
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for path, kind, expected in cases:
        with pytest.raises(kind, match=expected):
            Documents.from_folder(path)


@pytest.mark.parametrize(
    "contexts, expected",
    [
        ([], "contexts is empty: give at least one text"),
        (["", " \n"], "contexts is empty: give at least one text"),
        ("a text", "contexts must be a list of texts, found text"),
        (5, "contexts must be a list of texts, found 5"),
        (["a", 3], "context 2 must be text, found 3"),
        (["a", "\ud800"], "context 2 holds half a surrogate pair"),
    ],
)
def test_contexts_that_are_no_texts_are_refused(
    ensemble: Ensemble, contexts: list[str], expected: str
) -> None:
    with pytest.raises(DataError, match=expected):
        ensemble(question="Who ?", contexts=contexts)


@pytest.mark.parametrize("count", [0, -3, 2.5, True, "all"])
def test_numbers_of_passages_that_find_nothing_are_refused(ensemble: Ensemble, count: int) -> None:
    with pytest.raises(
        ConfigError, match=r"passages is .*: give a whole number from 1 on, or None"
    ):
        ensemble(question="Who ?", contexts=CONTEXTS, passages=count)


def test_without_the_extra_one_sentence(
    ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    assert ensemble(question="Who ?", contexts=["Ada ."]).answer
    with pytest.raises(MissingAssetError, match=r"needs the package bm25s: pip install 'autoqa\["):
        ensemble(question="Who ?", contexts=["Ada .", "Bose ."])
