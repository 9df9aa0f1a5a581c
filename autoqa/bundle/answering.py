"""Rows to predictions: windows, forward passes and joining, block by block."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autoqa.bundle.answer_options import AnswerOptions
from autoqa.bundle.batching import cut_rows, size, split
from autoqa.bundle.entries import MemberEntry
from autoqa.bundle.input_rows import Row
from autoqa.bundle.loading import Forward
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.model_shelf import ModelShelf
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.time_estimate import Estimate, seconds_of_loading, seconds_of_passes
from autoqa.ensemble.joining.further import further_answers
from autoqa.ensemble.joining.join import Joined, join
from autoqa.ensemble.joining.none_rule import ALWAYS_ANSWERS
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import ProgressCallback, Span


@dataclass(slots=True, kw_only=True)
class Answering:
    """How one call's rows are answered.

    Attributes:
        manifest: The bundle's.
        tokenizers: By group.
        shelf: Where models are.
        options: What was asked for.
        keep_loaded: Leave all models in memory.
        announce: Told what it will take, before the first answer.
        progress: Called with windows done and windows in all.
        shortened: Ids of rows of which some model read the question's beginning only.
    """

    manifest: Manifest
    tokenizers: Mapping[str, QATokenizer]
    shelf: ModelShelf
    options: AnswerOptions
    keep_loaded: bool = False
    announce: Callable[[Estimate], None] | None = None
    progress: ProgressCallback | None = None
    shortened: list[str] = field(default_factory=list)

    def predictions(self, rows: Sequence[Row], questions: int) -> list[Prediction]:
        """One prediction per row, each with its only context.

        Args:
            rows: What models read.
            questions: How many questions that is about, for the estimate.
        """
        limits = self.options.limits(self.manifest)
        blocks = split(rows, self.manifest, self.tokenizers, limits)
        left = sum(map(size, rows))
        predictions: list[Prediction] = []
        done = 0
        for block in blocks:
            characters = sum(map(size, block))
            windows = cut_rows(block, self.manifest.groups, self.tokenizers, limits, self.shortened)
            passes = sum(len(windows[member.group]) for member in self.manifest.members)
            expected = done + round(passes * left / characters)
            if self.announce is not None and not predictions:
                seconds = self._seconds(windows, left / characters, len(blocks))
                models = len(self.manifest.members)
                self.announce(Estimate(questions, expected, models, seconds))

            def report(now: int, before: int = done, total: int = expected) -> None:
                if self.progress is not None:
                    self.progress(before + now, total)

            predictions += self._answered(block, windows, report)
            done, left = done + passes, left - characters
        return predictions

    def _answered(
        self, rows: Sequence[Row], windows: Mapping[str, Windows], report: Callable[[int], None]
    ) -> list[Prediction]:
        logits, done = {}, 0
        for member in self.manifest.members:
            member_windows = windows[member.group]

            def advance(now: int, _: int, before: int = done) -> None:
                report(before + now)

            # Not named, for a name would keep it while the next one is loaded.
            logits[member.id] = self._model(member)(member_windows, progress=advance)
            done += len(member_windows)
            report(done)
        plan = self.manifest.plan
        if plan.none is not None:  # what is withheld is decided once all contexts are read
            plan = replace(plan, none=plan.none.at(ALWAYS_ANSWERS))
        joined = join(plan, logits, windows, rows)
        predictions = self._predictions(joined)
        if self.options.top_k == 1:
            return predictions
        further = further_answers(plan, logits, windows, rows, joined.spans, self.options.top_k - 1)
        return [
            replace(prediction, others=tuple(_prediction(span) for span in spans))
            for prediction, spans in zip(predictions, further, strict=True)
        ]

    def _model(self, member: MemberEntry) -> Forward:
        return self.shelf.model(member, keep=self.keep_loaded)

    def _predictions(self, joined: Joined) -> list[Prediction]:
        count = len(joined.spans)
        none = [None] * count if joined.no_answer is None else joined.no_answer.tolist()
        columns = joined.spans, none, joined.evidence.tolist(), joined.agreement.tolist()
        return [
            Prediction(
                *(span.text, span.start, span.end, span.score),
                no_answer=absent,
                evidence=evidence,
                agreement=agreement,
            )
            for span, absent, evidence, agreement in zip(*columns, strict=True)
        ]

    def _seconds(self, windows: Mapping[str, Windows], share: float, blocks: int) -> float:
        """Seconds for all blocks, the first of which has these windows."""
        begin = time.perf_counter()
        model = self._model(self.manifest.members[0])
        loading = seconds_of_loading(self.manifest, time.perf_counter() - begin)
        passes = seconds_of_passes(self.shelf.folder, self.manifest, windows, model)
        once = self.keep_loaded or len(self.manifest.members) == 1
        return passes * share + loading * (1 if once else blocks)


def _prediction(span: Span) -> Prediction:
    return Prediction(span.text, span.start, span.end, span.score)
