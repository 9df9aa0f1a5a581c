"""A bundle as a component of Haystack, in the place of its ExtractiveReader.

Needs the extra ``haystack``. Haystack 3.0 has no reader of its own any more; what this one gives
are the ``ExtractedAnswer`` objects that there still are.
"""

from collections.abc import Sequence
from typing import Any

from autoqa.bundle.documents import Documents
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.predictor import Ensemble, load
from autoqa.errors import MissingAssetError

try:
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.dataclasses import ExtractedAnswer
except ImportError as error:
    raise MissingAssetError(
        f"autoqa.bundle.haystack needs the package {error.name}: pip install 'autoqa[haystack]'."
    ) from error

TOP_K = 20
"""Answers unless another number is asked for, as of ExtractiveReader."""


@component
class BundleReader:
    """Finds answers to a query in documents.

    Args:
        model: The folder that ``autoqa export`` wrote.
        device: ``auto``, ``cpu``, ``cuda``...; ``None`` is ``auto``.
        top_k: Most answers.
        score_threshold: Only answers with at least this score; ``None`` gives all.
        no_answer: Whether an answer without text stands for "the documents do not say", with its
            probability; only where the bundle was validated on such questions.
    """

    def __init__(
        self,
        model: str,
        device: str | None = None,
        top_k: int = TOP_K,
        score_threshold: float | None = None,
        no_answer: bool = True,
    ) -> None:
        self.model = str(model)
        self.device = device
        self.top_k = top_k
        self.score_threshold = score_threshold
        self.no_answer = no_answer
        self._ensemble: Ensemble | None = None

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary, for pipelines that are saved."""
        return dict(
            default_to_dict(
                self,
                model=self.model,
                device=self.device,
                top_k=self.top_k,
                score_threshold=self.score_threshold,
                no_answer=self.no_answer,
            )
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "BundleReader":
        """The component of such a dictionary."""
        made: BundleReader = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Opens the bundle.

        Raises:
            BundleError: The folder is no bundle, or damaged.
        """
        if self._ensemble is None:
            self._ensemble = load(self.model, device=self.device or "auto")

    @component.output_types(answers=list[ExtractedAnswer])  # type: ignore[untyped-decorator]
    def run(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        no_answer: bool | None = None,
    ) -> dict[str, Any]:
        """Finds answers.

        Args:
            query: The question.
            documents: Where to look; those without text are left out.
            top_k: In place of the component's.
            score_threshold: Likewise.
            no_answer: Likewise.

        Returns:
            ``answers``: the best first.

        Raises:
            ConfigError: ``top_k`` is no number of answers.
            DataError: The query or a document is empty or no text.
        """
        self.warm_up()
        assert self._ensemble is not None
        texts = [each for each in documents if each.content and not each.content.isspace()]
        if not texts:
            return {"answers": []}
        best, *others = self._ensemble(
            question=query,
            contexts=Documents([each.content for each in texts]),
            top_k=self.top_k if top_k is None else top_k,
            passages=None,
            no_answer="never",  # it comes as an answer of its own
        )
        answers = [_extracted(each, query, texts) for each in (best, *others) if each.answer]
        if (self.no_answer if no_answer is None else no_answer) and best.no_answer is not None:
            answers.append(ExtractedAnswer(query=query, score=best.no_answer, data=None))
        answers.sort(key=lambda answer: -answer.score)
        least = self.score_threshold if score_threshold is None else score_threshold
        return {"answers": [each for each in answers if least is None or each.score >= least]}


def _extracted(found: Prediction, query: str, documents: Sequence[Document]) -> ExtractedAnswer:
    passage = found.passage
    assert passage is not None
    low = passage.start
    return ExtractedAnswer(
        query=query,
        score=found.score,
        data=found.answer,
        document=documents[passage.document],
        context=passage.text,
        document_offset=ExtractedAnswer.Span(found.start, found.end),
        context_offset=ExtractedAnswer.Span(found.start - low, found.end - low),
        meta={},
    )
