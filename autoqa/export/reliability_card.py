"""What a model card says about "no answer" and about confidence."""

from autoqa.bundle.reliability_entries import AnswerSplitEntry, ConfidenceEntry, NoAnswerEntry


def reliability_lines(
    no_answer: NoAnswerEntry | None, confidence: ConfidenceEntry | None
) -> list[str]:
    """What is said of both, in Markdown; nothing of what was not fitted."""
    return [*_no_answer_lines(no_answer), *_confidence_lines(confidence)]


def _no_answer_lines(entry: NoAnswerEntry | None) -> list[str]:
    """The threshold with its interval, and scores by whether there is an answer, in Markdown."""
    if entry is None:
        return []
    own = [f"in {language} above {each}" for language, each in entry.by_language.items()]
    others = " in other languages" if own else ""
    parts = [("public (threshold fitted on it)", entry.public)]
    if entry.private is not None:
        parts.append(("private", entry.private))
    return [
        "## No answer",
        "",
        f"No answer is given where its probability is {', '.join([*own, ''])}"
        f"above {entry.threshold}{others}. `no_answer` sets another threshold; `never` always "
        "answers.",
        "",
        "| part | has answer | no answer | all | best possible threshold | always answering |",
        "|---|---|---|---|---|---|",
        *(_split_row(name, split) for name, split in parts),
        "",
    ]


def _split_row(name: str, split: AnswerSplitEntry) -> str:
    cells = (
        name,
        f"{split.has_answer:.2f} of {split.answerable}" if split.answerable else "–",
        f"{split.no_answer:.2f} of {split.unanswerable}" if split.unanswerable else "–",
        f"{split.all:.2f}",
        f"{split.best:.2f} at {split.best_threshold:.2f}",
        f"{split.always:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _confidence_lines(entry: ConfidenceEntry | None) -> list[str]:
    """What a score promises and what answers reached, in Markdown."""
    if entry is None:
        return []
    surest = ", ".join(
        f"{each.reached:.2f} ({each.low:.2f} to {each.high:.2f}) for the surest {each.share:.0%}"
        for each in entry.surest
    )
    return [
        "## Confidence",
        "",
        f"The score of an answer is the score that such answers reach ({entry.way}). Measured on "
        "public questions whose documents had no say in it, expected calibration error "
        f"{entry.error:.3f}; {entry.before:.3f} for probabilities of spans. Mean score: {surest}.",
        "",
        "| stated | reached (95 % interval) | questions |",
        "|---|---|---|",
        *(
            f"| {each.stated:.2f} | {each.reached:.2f} ({each.low:.2f} to {each.high:.2f}) "
            f"| {each.questions} |"
            for each in entry.bins
        ),
        "",
    ]


def beyond(entry: NoAnswerEntry | None) -> str:
    """What becomes of a question that the context does not answer."""
    if entry is None:
        return "it cannot answer what the context does not say"
    return "where the context does not say it, it may answer that there is none"


def judgement(no_answer: NoAnswerEntry | None, confidence: ConfidenceEntry | None) -> str:
    """How far to trust both."""
    none = "That there is no answer was learned from questions like those of validation"
    if no_answer is None:
        none = (
            "It always answers: there is no threshold for questions that the context does not "
            "answer"
        )
    stated = "is calibrated on texts and questions like those of validation only"
    if confidence is None:
        stated = "is no calibrated probability"
    return f"{none}, and a score {stated}"
