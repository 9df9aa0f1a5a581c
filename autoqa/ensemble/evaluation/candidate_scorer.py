"""Scores of stored candidates, question by question."""

from collections.abc import Sequence

import numpy as np

from autoqa.arrays import Doubles
from autoqa.decoding.decoder import SpanDecoder
from autoqa.ensemble.joining.own_none import has_both_kinds, own_answers, own_cut
from autoqa.features.files import load_windows
from autoqa.scores.metrics import score_by
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import load_logits
from autoqa.store.private_openings import Opening
from autoqa.store.run_folder import Part, RunFolder
from autoqa.types import Example


class CandidateScorer:
    """Reads stored predictions of one part and scores them; no rule is applied to their ends.

    Where the public part has questions without an answer, a candidate gives none by its own best
    threshold there (:mod:`autoqa.ensemble.joining.own_none`).

    Args:
        folder: The run folder.
        examples: The part's questions.
        part: Which part.
        opening: Needed for the private part.
        windows: The run folder whose evaluation windows were answered; left out, the same.
    """

    def __init__(
        self,
        folder: RunFolder,
        examples: Sequence[Example],
        part: Part = "public",
        opening: Opening | None = None,
        windows: RunFolder | None = None,
    ) -> None:
        self.examples = examples
        self._folder, self._part, self._opening = folder, part, opening
        self._windows = windows or folder
        self._public = examples if part == "public" else folder.load_examples("public")
        self._known: dict[str, dict[tuple[int, str], float]] = {}
        self._decoders: dict[tuple[str, Part], SpanDecoder] = {}

    def of(self, record: CandidateRecord, metric: str | None = None) -> Doubles:
        """A candidate's score on each question, float64 ``[Q]``.

        Args:
            record: Which candidate.
            metric: By which metric; left out, by its study's.

        Raises:
            DataError: Predictions or windows are missing, damaged or do not fit.
        """
        logits = load_logits(self._folder, record.id, self._part, self._opening)
        decoder = self._decoder(record.group, self._part, self.examples)
        best = decoder.best(*logits)
        cut = None
        if has_both_kinds(self._public):
            cut = (
                self._cut(record)
                if self._part != "public"
                else own_cut(decoder, logits, self._public, record.metric, spans=best)
            )
        spans = own_answers(decoder, logits, cut, spans=best)
        return self._scored(metric or record.metric, [span.text for span in spans])

    def _scored(self, metric: str, texts: Sequence[str]) -> Doubles:
        """Scores of answers, each different one of a question computed once for all candidates."""
        known = self._known.setdefault(metric, {})
        new = [each for each in enumerate(texts) if each not in known]
        scores = score_by(
            metric, [text for _, text in new], [self.examples[number] for number, _ in new]
        )
        known.update(zip(new, scores.tolist(), strict=True))
        return np.array([known[each] for each in enumerate(texts)])

    def _cut(self, record: CandidateRecord) -> float | None:
        """The evidence below which the candidate gives no answer, by the public part."""
        logits = load_logits(self._folder, record.id, "public")
        decoder = self._decoder(record.group, "public", self._public)
        return own_cut(decoder, logits, self._public, record.metric)

    def _decoder(self, group: str, part: Part, examples: Sequence[Example]) -> SpanDecoder:
        if (group, part) not in self._decoders:
            windows = load_windows(self._windows.windows_path(group, part))
            contexts = [example.context for example in examples]
            self._decoders[group, part] = SpanDecoder(windows, contexts)
        return self._decoders[group, part]
