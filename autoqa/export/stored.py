"""Stored predictions of candidates, joined as the bundle that they would make joins them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.ensemble.aggregate import Member
from autoqa.export.join import join
from autoqa.export.manifest import ScoreEntry, VoteEntry
from autoqa.export.run import StudyRun
from autoqa.export.scoring import score_answers
from autoqa.export.selecting import MAX_ANSWER_TOKENS
from autoqa.features.files import load_windows
from autoqa.features.windows import Windows
from autoqa.store.database import Opening
from autoqa.store.folders import Logits, Part
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
