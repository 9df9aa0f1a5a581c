"""Scores of stored candidates, question by question."""

from collections.abc import Sequence

from autoqa.arrays import Doubles
from autoqa.decoding.decoder import SpanDecoder
from autoqa.features.files import load_windows
from autoqa.scores.metrics import score_by
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import load_logits
from autoqa.store.private_openings import Opening
from autoqa.store.run_folder import Part, RunFolder
from autoqa.types import Example


class CandidateScorer:
    """Reads stored predictions of one part and scores them; no rule is applied to answers.

    Args:
        folder: The run folder.
        examples: The part's questions.
        part: Which part.
        opening: Needed for the private part.
    """

    def __init__(
        self,
        folder: RunFolder,
        examples: Sequence[Example],
        part: Part = "public",
        opening: Opening | None = None,
    ) -> None:
        self.examples = examples
        self._folder, self._part, self._opening = folder, part, opening
        self._contexts = [example.context for example in examples]
        self._decoders: dict[str, SpanDecoder] = {}

    def of(self, record: CandidateRecord, metric: str | None = None) -> Doubles:
        """A candidate's score on each question, float64 ``[Q]``.

        Args:
            record: Which candidate.
            metric: By which metric; left out, by its study's.

        Raises:
            DataError: Predictions or windows are missing, damaged or do not fit.
        """
        if record.group not in self._decoders:
            windows = load_windows(self._folder.windows_path(record.group, self._part))
            self._decoders[record.group] = SpanDecoder(windows, self._contexts)
        logits = load_logits(self._folder, record.id, self._part, self._opening)
        spans = self._decoders[record.group].best(*logits)
        return score_by(metric or record.metric, [span.text for span in spans], self.examples)
