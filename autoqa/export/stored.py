"""Stored predictions of candidates, joined as the bundle that they would make joins them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.ensemble.aggregate import Member
from autoqa.export.entries import ScoreEntry
from autoqa.export.join import join
from autoqa.export.manifest import VoteEntry
from autoqa.export.run import StudyRun
from autoqa.export.scoring import score_answers
from autoqa.export.selecting import MAX_ANSWER_TOKENS
from autoqa.features.files import load_windows
from autoqa.features.windows import Windows
from autoqa.store.folders import Logits, Part
from autoqa.store.openings import Opening
from autoqa.store.records import CandidateRecord
from autoqa.text.decode import SpanDecoder
from autoqa.text.metrics import score
from autoqa.text.slots import Doubles
from autoqa.types import Example, Span


@dataclass(frozen=True, slots=True)
class StoredPart:
    """Stored predictions of some candidates on one part of the validation set.

    Attributes:
        examples: The questions.
        windows: Their windows by group.
        logits: Start and end logits by candidate.
    """

    examples: Sequence[Example]
    windows: Mapping[str, Windows]
    logits: Mapping[str, tuple[Logits, Logits]]

    def spans(
        self, members: Sequence[Member], vote: VoteEntry, rules: Mapping[str, Sequence[str]]
    ) -> list[Span]:
        """What an ensemble answers, one span per question."""
        return join(members, self.logits, self.windows, self.examples, vote, rules)

    def score(
        self, members: Sequence[Member], vote: VoteEntry, rules: Mapping[str, Sequence[str]]
    ) -> ScoreEntry:
        """How an ensemble scores."""
        spans = self.spans(members, vote, rules)
        return score_answers([span.text for span in spans], self.examples)


def load_part(
    run: StudyRun, members: Sequence[Member], part: Part, opening: Opening | None = None
) -> StoredPart:
    """Reads what is stored.

    Args:
        run: The study's run.
        members: Which candidates.
        part: Of which part.
        opening: Needed for the private part, see :meth:`autoqa.store.database.Store.log_opening`.

    Raises:
        DataError: Predictions or windows are missing or damaged.
    """
    groups = {member.group for member in members}
    return StoredPart(
        examples=run.folder.load_examples(part, opening),
        windows={g: load_windows(run.folder.windows_path(g, part)) for g in groups},
        logits={m.id: run.folder.load_logits(m.id, part, opening) for m in members},
    )


def vote_of(run: StudyRun, best: str) -> VoteEntry:
    """How the study joins members, with the group that settles what a vote leaves open."""
    return VoteEntry(
        best=best,
        max_answer_tokens=MAX_ANSWER_TOKENS,
        aggregator=run.study.selection.aggregator,
        words=run.study.selection.words,
    )


def candidate_scores(
    run: StudyRun,
    candidates: Iterable[CandidateRecord],
    examples: Sequence[Example],
    part: Part,
    opening: Opening | None = None,
) -> Doubles:
    """Jaccard of each candidate alone on each question, float64 ``[C, Q]``.

    Answers are as the search scored them: no rule is applied. One candidate's logits are in memory
    at a time.

    Args:
        run: The study's run.
        candidates: Whose predictions are on this machine.
        examples: The part's questions.
        part: Which part.
        opening: Needed for the private part.

    Raises:
        DataError: Predictions or windows are missing, damaged or do not fit.
    """
    contexts = [example.context for example in examples]
    decoders: dict[str, SpanDecoder] = {}
    rows = []
    for record in candidates:
        if record.group not in decoders:
            windows = load_windows(run.folder.windows_path(record.group, part))
            decoders[record.group] = SpanDecoder(windows, contexts, MAX_ANSWER_TOKENS)
        spans = decoders[record.group].best(*run.folder.load_logits(record.id, part, opening))
        rows.append(score([span.text for span in spans], examples).jaccard)
    return np.array(rows).reshape(-1, len(examples))
