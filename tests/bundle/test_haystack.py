"""The component answers within a pipeline of Haystack, and is saved and read with it."""

import importlib
import sys
from pathlib import Path

import pytest

from autoqa.errors import MissingAssetError
from tests import bundle_kit

pytest.importorskip("haystack", reason="the extra haystack is not installed")

from haystack import Document, Pipeline
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.dataclasses import ExtractedAnswer
from haystack.document_stores.in_memory import InMemoryDocumentStore

import autoqa
from autoqa.bundle.haystack import BundleReader
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.predictor import Ensemble

CONTEXTS = [e.context for e in bundle_kit.examples(8)]
QUESTION = "Where does Ada live ?"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")


@pytest.fixture
def documents() -> list[Document]:
    return [Document(content=text, meta={"number": n}) for n, text in enumerate(CONTEXTS)]


def test_a_pipeline_retrieves_and_reads(bundle: Path, documents: list[Document]) -> None:
    store = InMemoryDocumentStore()
    store.write_documents(documents)
    made = Pipeline()
    made.add_component("retriever", InMemoryBM25Retriever(store, top_k=3))
    made.add_component("reader", BundleReader(str(bundle), top_k=2))
    made.connect("retriever.documents", "reader.documents")
    answers = made.run({"retriever": {"query": QUESTION}, "reader": {"query": QUESTION}})["reader"][
        "answers"
    ]
    assert 1 <= len(answers) <= 2
    for answer in answers:
        assert isinstance(answer, ExtractedAnswer)
        span = answer.document_offset
        assert set(answer.data.split()) <= set(
            answer.document.content[span.start : span.end].split()
        )
        inner = answer.context_offset
        whole = answer.document.content[span.start : span.end]
        assert answer.context[inner.start : inner.end] == whole
        assert answer.query == QUESTION
        assert ExtractedAnswer.from_dict(answer.to_dict()) == answer


def test_the_component_answers_as_the_ensemble(bundle: Path, documents: list[Document]) -> None:
    reader = BundleReader(str(bundle), device="cpu")
    found = reader.run(QUESTION, [*documents, Document(content=None)], top_k=4)["answers"]
    expected = autoqa.load(bundle, device="cpu")(
        question=QUESTION, contexts=CONTEXTS, top_k=4, passages=None
    )
    assert [answer.data for answer in found] == [each.answer for each in expected]
    assert [answer.score for answer in found] == pytest.approx([e.score for e in expected])
    assert [answer.document.meta["number"] for answer in found] == [
        each.passage.document for each in expected if each.passage
    ]
    least = found[1].score
    assert reader.run(QUESTION, documents, score_threshold=least)["answers"] == found[:2]
    assert reader.run(QUESTION, []) == {"answers": []}


def test_no_answer_comes_without_text(
    bundle: Path, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoqa.bundle.documents import Passage

    known = Prediction("Ada", 0, 3, 0.3, no_answer=0.6, passage=Passage(0, "", 0, CONTEXTS[0]))
    monkeypatch.setattr(Ensemble, "predict", lambda *_, **__: [known])
    reader = BundleReader(str(bundle))
    none, one = reader.run(QUESTION, documents)["answers"]
    assert (none.data, none.document, none.score) == (None, None, 0.6)
    assert one.data == "Ada"
    assert reader.run(QUESTION, documents, no_answer=False)["answers"] == [one]


def test_a_pipeline_is_saved_and_read(bundle: Path, documents: list[Document]) -> None:
    made = Pipeline()
    made.add_component("reader", BundleReader(str(bundle), top_k=3, score_threshold=0.01))
    text = made.dumps()
    read = Pipeline.loads(text, allowed_modules=["autoqa.bundle.haystack"])
    assert read.dumps() == text
    inputs = {"reader": {"query": QUESTION, "documents": documents}}
    assert read.run(inputs) == made.run(inputs)


def test_without_the_extra_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["autoqa.bundle.haystack"]
    monkeypatch.delitem(sys.modules, "autoqa.bundle.haystack")
    monkeypatch.setitem(sys.modules, "haystack", None)
    with pytest.raises(MissingAssetError, match=r"pip install 'autoqa\[haystack\]'"):
        importlib.import_module("autoqa.bundle.haystack")
    sys.modules["autoqa.bundle.haystack"] = module
