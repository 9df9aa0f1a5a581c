"""Which post-processing rules help, by a paired test on stored public predictions.

Each rule is applied alone to the answers in each language and compared with the answers as they
were, document by document. Several comparisons at once find something by luck, so each interval
has the coverage that makes all of them together hold at 95 % (Bonferroni: with m comparisons
1 - 0.05 / m), and a rule is enabled only where its own interval lies above zero.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.kept_result import clear_result, kept_result
from autoqa.analysis.span_fit import ensemble_at_hand, with_scoring
from autoqa.analysis.stored_predictions import load_part
from autoqa.arrays import Doubles
from autoqa.errors import DataError
from autoqa.files import write_atomically
from autoqa.scores.bootstrap import LEVEL, ROUNDS, Comparison, paired
from autoqa.scores.metrics import score_by
from autoqa.text.rules import RULES, apply_rules
from autoqa.text.scripts import language_of
from autoqa.types import DEFAULT_METRIC, Example, Span

Rules = dict[str, tuple[str, ...]]
"""Names of rules by language."""


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One rule in one language.

    Attributes:
        rule: The rule.
        language: ISO 639-1 code; questions of which neither row nor script says it are left out.
        questions: Questions in this language.
        changed: Answers that the rule changes.
        gain: Gain over all questions of the language; ``None`` where no answer changes.
        enabled: Whether the interval lies above zero.
    """

    rule: str
    language: str
    questions: int
    changed: int
    gain: Comparison | None
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Postprocessing:
    """The result of testing all rules, which can be written to a file and read again.

    Attributes:
        members: Ids of the candidates whose joined answers were tested.
        level: Coverage of each rule's interval.
        tests: Every rule in every language.
        before: Score on the public part without rules.
        after: Score with all enabled rules together.
        total: The gain of all enabled rules together, with its 95 % interval.
    """

    members: tuple[str, ...]
    level: float
    tests: tuple[RuleTest, ...]
    before: float
    after: float
    total: Comparison

    @property
    def rules(self) -> Rules:
        """Names of the enabled rules by language; languages without any are left out."""
        return _by_language(self.tests)

    def to_json(self) -> str:
        """The result as a JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Postprocessing":
        """What :meth:`to_json` wrote.

        Raises:
            DataError: The text is something else.
        """
        try:
            content = json.loads(text)
            content["tests"] = tuple(map(_test, content["tests"]))
            content["total"] = Comparison(**content["total"])
            content["members"] = tuple(content["members"])
            result = cls(**content)
            unknown = {test.rule for test in result.tests} - set(RULES)
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"this is no result of a test of rules ({error!r:.80})") from error
        if unknown:
            raise DataError(f"rule {min(unknown)!r} is unknown; this autoqa has {', '.join(RULES)}")
        return result


def try_rules(run: StudyRun) -> Postprocessing:
    """Tests every rule in every language, and stores the result for `autoqa export`.

    The answers are those of the last selection if no candidate has come since, else of the
    candidate with the highest public score. Each comparison is a read of the public part.

    Args:
        run: The study's run.

    Raises:
        NothingFeasibleError: There is no candidate.
        DataError: Stored predictions are missing or damaged.
    """
    plan = with_scoring(run, ensemble_at_hand(run))
    part = load_part(run, plan.members, "public")
    result = compare_rules(
        part.spans(plan),
        part.examples,
        tuple(member.id for member in plan.members),
        part.metric,
    )
    run.store.log_read(
        "rules", ", ".join(result.members), sum(test.gain is not None for test in result.tests)
    )
    write_atomically(run.folder.postprocess, result.to_json())
    return result


def stored_rule_tests(run: StudyRun) -> Postprocessing | None:
    """Result of the last test; ``None`` where there was none, or it was cleared.

    Raises:
        DataError: The file cannot be read.
    """
    way_out = "`autoqa postprocess test` writes it anew, with --none it goes."
    return kept_result(run.folder.postprocess, Postprocessing.from_json, way_out)


def enabled_rules(run: StudyRun) -> Rules:
    """Names of the enabled rules by language; see :func:`stored_rule_tests`."""
    tests = stored_rule_tests(run)
    return {} if tests is None else tests.rules


def clear(run: StudyRun) -> bool:
    """Enables no rule; says whether any test was kept."""
    return clear_result(run.folder.postprocess)


def compare_rules(
    spans: Sequence[Span],
    examples: Sequence[Example],
    members: tuple[str, ...],
    metric: str = DEFAULT_METRIC,
) -> Postprocessing:
    """Compares answers after each rule, and after all that help, with the answers as they are.

    Args:
        spans: One answer per question.
        examples: The questions with their references, at least one.
        members: Ids of the candidates that gave the answers.
        metric: The study's metric.
    """
    contexts = [example.context for example in examples]
    languages = [language_of(example.language, example.context) for example in examples]
    texts = [span.text for span in spans]
    before = score_by(metric, texts, examples)
    documents = [example.document for example in examples]

    def after(enabled: Mapping[str, Sequence[str]]) -> tuple[int, Doubles]:
        cleaned = [span.text for span in apply_rules(spans, contexts, languages, enabled)]
        changed = sum(text != plain for text, plain in zip(cleaned, texts, strict=True))
        return changed, score_by(metric, cleaned, examples)

    outcomes = {
        (rule, language): after({language: (rule,)})
        for language in sorted(set(languages) - {""})
        for rule in RULES
    }
    count = max(1, sum(changed > 0 for changed, _ in outcomes.values()))
    level = 1 - (1 - LEVEL) / count
    tests = []
    for (rule, language), (changed, scores) in outcomes.items():
        rows = [i for i, each in enumerate(languages) if each == language]
        gain = None
        if changed:
            gain = paired(
                scores[rows],
                before[rows],
                [documents[i] for i in rows],
                rounds=ROUNDS * count,
                level=level,
            )
        enabled = gain is not None and gain.low > 0
        tests.append(RuleTest(rule, language, len(rows), changed, gain, enabled))
    together = after(_by_language(tests))[1]
    return Postprocessing(
        members=members,
        level=level,
        tests=tuple(tests),
        before=float(before.mean()),
        after=float(together.mean()),
        total=paired(together, before, documents),
    )


def _by_language(tests: Sequence[RuleTest]) -> Rules:
    enabled: Rules = {}
    for test in tests:
        if test.enabled:
            enabled[test.language] = (*enabled.get(test.language, ()), test.rule)
    return enabled


def _test(content: dict[str, Any]) -> RuleTest:
    gain = content["gain"]
    return RuleTest(**{**content, "gain": None if gain is None else Comparison(**gain)})
