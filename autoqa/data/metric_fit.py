"""Where a study's metric cuts words, and the languages in which that leaves it nothing to count."""

from collections import defaultdict
from collections.abc import Iterable

from autoqa.config.study import StudyFile
from autoqa.scores.registry import get_metric
from autoqa.text.segmentation import pieces, unspaced_share
from autoqa.types import Example, Segmentation

UNSPACED = 0.5
"""Share of the characters of a language's answers from which it is one without spaces."""

_CUT: dict[Segmentation, str] = {
    "words": "cut at white space",
    "mixed": "cut at white space, and each character of Han, kana, Thai, Lao, Khmer and Myanmar",
}


def metric_sentences(study: StudyFile, examples: Iterable[Example]) -> list[str]:
    """What scores and votes count, and a warning for each language where answers are one word.

    Args:
        study: The study file.
        examples: Rows of the source that validates.
    """
    metric = get_metric(study.validation.metric)
    lines = [f"metric {metric.name}: scores and votes count words {_CUT[metric.segmentation]}"]
    if metric.segmentation == "mixed":
        return lines
    answers: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        answers[example.language] += [answer.text for answer in example.answers]
    for language, texts in sorted(answers.items()):
        share = unspaced_share("".join(texts))
        if share < UNSPACED:
            continue
        single = sum(len(pieces(text, "words")) == 1 for text in texts) / len(texts)
        lines.append(
            f"metric {metric.name} is all or nothing in {language or 'rows without a language'}: "
            f"{share:.0%} of the answers' characters are of scripts that put no spaces between "
            f"words, so that {single:.0%} of the answers are one word; [validation] metric = "
            '"mlqa" counts their characters'
        )
    return lines
