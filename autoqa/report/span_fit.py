"""What fitting the scores of spans brought, as sentences and as JSON."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoqa.analysis.span_fit import SpanFit
    from autoqa.decoding.span_scoring import SpanScoring


def fit_as_object(fit: "SpanFit") -> dict[str, Any]:
    """What ``autoqa postprocess spans --json`` prints."""
    content: dict[str, Any] = json.loads(fit.to_json())
    return {"enabled": fit.enabled, **content}


def fit_sentences(fit: "SpanFit") -> list[str]:
    """What was chosen, what it gained where it had no say, and whether it is on."""
    gain = fit.gain
    names = ", ".join(fit.members)
    lines = [f"{group}: {_setting(each)}" for group, each in fit.scoring.items()]
    lines.append(
        f"Chosen on some documents and measured on others, in {fit.folds} parts, that takes the "
        f"answers of {names} to {fit.questions} questions from {fit.before:.4f} to "
        f"{fit.after:.4f}, a gain of {gain.gain:+.4f} (95 % {gain.low:+.4f} to {gain.high:+.4f})."
    )
    lines.append(
        "It is on: `autoqa export` takes it along for these members."
        if fit.enabled
        else "It stays off: the interval does not lie above zero."
    )
    return lines


def _setting(scoring: "SpanScoring") -> str:
    prior = (
        f"{scoring.length:g} x the log-probability of its length"
        if scoring.length
        else "no prior on its length"
    )
    return f"{scoring.start:g} x start + {scoring.end:g} x end, {prior}"
