"""An ensemble's models converted for the bundle, and what that changes, measured.

Converted models answer the public part anew; what half precision answers there is stored. The
private part stays closed: a second look at it would make its score worth less.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.none_fit import alone
from autoqa.analysis.stored_predictions import StoredPart, load_part
from autoqa.bundle.entries import MODEL_FILES, ConversionEntry
from autoqa.bundle.time_estimate import encoder_weights
from autoqa.ensemble.choosing.selection import Seat
from autoqa.export.write import BundlePlan
from autoqa.features.files import load_windows
from autoqa.modeling import onnx_runtime as onnx
from autoqa.scores.bootstrap import paired
from autoqa.scores.metrics import score_by
from autoqa.scores.summary import score_answers
from autoqa.types import WeightFormat


def convert_members(
    run: StudyRun,
    seats: Sequence[Seat],
    weights: WeightFormat,
    scratch: Path,
    announce: Callable[[str], None],
) -> dict[str, Path]:
    """Converts an ensemble's models.

    Args:
        run: The study's run.
        seats: The ensemble.
        weights: What to convert to.
        scratch: A folder for the converted models.
        announce: Called with a sentence before each model is converted.

    Returns:
        Folder with the converted weights, configuration and tokenizer of each member by its id.

    Raises:
        MissingAssetError: A package is not installed.
        ConfigError: A model is of a kind that cannot be converted; nothing was done then.
        AutoqaError: A model computes something else after its conversion.
    """
    from autoqa.export.onnx_convert import check_model, convert, require_packages

    require_packages()
    for seat in seats:
        check_model(run.folder.model(seat.id), seat.id)
    groups = {seat.group for seat in seats}
    windows = {g: load_windows(run.folder.windows_path(g, "public")) for g in groups}
    folders = {}
    for seat in seats:
        announce(f"Converting {seat.id} to {weights}.")
        folders[seat.id] = scratch / seat.id
        convert(run.folder.model(seat.id), folders[seat.id], weights, windows[seat.group])
    return folders


def with_converted(
    run: StudyRun, plan: BundlePlan, weights: WeightFormat, models: Mapping[str, Path]
) -> BundlePlan:
    """A plan with the converted models in place of the half-precision ones.

    Args:
        run: The study's run.
        plan: What the bundle would hold without the conversion.
        weights: What the models were converted to.
        models: Made by :func:`convert_members`.

    Returns:
        The plan with the converted models, their own and the ensemble's public scores, and what
        the conversion changed.

    Raises:
        DataError: Stored predictions or windows are missing or damaged.
    """
    members = plan.ensemble.members
    stored = load_part(run, members, "public")
    logits = {
        m.id: onnx.predict(onnx.load(models[m.id] / MODEL_FILES[weights]), stored.windows[m.group])
        for m in members
    }
    converted = replace(stored, logits=logits)
    entries = [
        entry.model_copy(
            update={
                "weights": weights,
                "encoder_weights": encoder_weights(plan.models[entry.id]),
                "public": converted.score(alone(converted, plan.ensemble, member)),
            }
        )
        for entry, member in zip(plan.members, members, strict=True)
    ]
    change = _change(plan, stored, converted, weights, models)
    return replace(
        plan, members=tuple(entries), public=change.after, conversion=change, models=models
    )


def _change(
    plan: BundlePlan,
    stored: StoredPart,
    converted: StoredPart,
    weights: WeightFormat,
    models: Mapping[str, Path],
) -> ConversionEntry:
    before, after = (
        [span.text for span in part.spans(plan.ensemble)] for part in (stored, converted)
    )
    examples = stored.examples
    gain = paired(
        score_by(stored.metric, after, examples),
        score_by(stored.metric, before, examples),
        [example.document for example in examples],
    )
    return ConversionEntry(
        weights=weights,
        before=plan.public,
        after=score_answers(after, examples, stored.metric),
        gain=gain.gain,
        low=gain.low,
        high=gain.high,
        differing=sum(old != new for old, new in zip(before, after, strict=True)),
        bytes_before=_size(plan.models, MODEL_FILES["fp16"]),
        bytes_after=_size(models, MODEL_FILES[weights]),
    )


def _size(models: Mapping[str, Path], name: str) -> int:
    return sum((folder / name).stat().st_size for folder in models.values())
