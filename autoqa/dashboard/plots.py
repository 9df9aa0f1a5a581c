"""Plots of a study as Plotly's JSON, which Optuna's dashboard draws."""

import json
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from optuna.trial import FrozenTrial

from autoqa.analysis.effects import Effects
from autoqa.scores.ladder import ladder_rungs
from autoqa.scores.standard_errors import Spread
from autoqa.store.candidate_record import CandidateRecord
from autoqa.trials.trial_attributes import TrialAttributes

MOST_CURVES = 200
"""Latest trials whose curves are drawn: a browser draws no more of them in time."""

_MOST_NAMED = 12
"""Traces that a legend names: more would leave no room for them."""

_GRID = {"gridcolor": "rgba(128,136,148,0.3)", "zerolinecolor": "rgba(128,136,148,0.6)"}


def history(records: Sequence[CandidateRecord], spread: Spread | None, metric: str) -> str:
    """Public scores in the order in which candidates came, and the ladder's best so far.

    Args:
        records: Candidates in order of time.
        spread: The same candidates' question scores; ``None`` leaves the ladder out.
        metric: Name of the study's metric.
    """
    names = [record.id for record in records]
    half_widths = [record.half_width or 0.0 for record in records]
    points = {
        "type": "scatter",
        "mode": "markers",
        "name": "candidates",
        "x": names,
        "y": [record.score for record in records],
        "error_y": {"type": "data", "array": half_widths, "thickness": 1, "width": 2},
        "text": [record.backbone for record in records],
    }
    data = [points]
    if spread is not None:
        rungs = ladder_rungs(spread)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "best by the ladder",
                "line": {"shape": "hv"},
                "x": names,
                "y": [float(spread.means[rung.best]) for rung in rungs],
                "text": [names[rung.best] for rung in rungs],
            }
        )
    title = "Public scores, and the ladder's best"
    return _figure(data, title, "candidate, in order of time", metric)


def learning_curves(trials: Sequence[FrozenTrial], metric: str) -> str:
    """Public score of each run at its snapshots, in per cent of its steps.

    Args:
        trials: All of the study; the latest :data:`MOST_CURVES` with snapshots are drawn.
        metric: Name of the study's metric.
    """
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"trial {trial.number} ({TrialAttributes.of(trial).backbone})",
            "x": sorted(trial.intermediate_values),
            "y": [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)],
        }
        for trial in [each for each in trials if each.intermediate_values][-MOST_CURVES:]
    ]
    return _figure(data, "Public scores at snapshots", "per cent of a run", metric)


def over_time(trials: Sequence[FrozenTrial], metric: str) -> str:
    """Public score of each finished run at the time of its end, and the highest until then.

    Args:
        trials: All of the study; repetitions and trials of another study are left out.
        metric: Name of the study's metric.
    """
    ended = sorted(
        (trial.datetime_complete, trial.value, trial.number, attributes.backbone or "")
        for trial in trials
        if trial.value is not None and trial.datetime_complete is not None
        for attributes in (TrialAttributes.of(trial),)
        if attributes.duplicate_of is None and not attributes.elsewhere
    )
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": backbone,
            "x": [when.isoformat() for when, _, _, name in ended if name == backbone],
            "y": [value for _, value, _, name in ended if name == backbone],
            "text": [f"trial {number}" for _, _, number, name in ended if name == backbone],
        }
        for backbone in sorted({name for *_, name in ended})
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "highest so far",
            "line": {"shape": "hv"},
            "x": [when.isoformat() for when, *_ in ended],
            "y": list(accumulate((value for _, value, *_ in ended), max)),
        }
    )
    return _figure(data, "Public scores over time", "end of the run", metric)


def effects(found: Effects) -> str:
    """What helped, the largest effect on top, with the interval that holds for all at once.

    Args:
        found: At least one effect.
    """
    listed = found.found[::-1]
    estimates = [each.estimate for each in listed]
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "effect",
            "x": [each.effect for each in estimates],
            "y": [each.name for each in listed],
            "text": [each.verdict for each in listed],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [each.wide_high - each.effect for each in estimates],
                "arrayminus": [each.effect - each.wide_low for each in estimates],
            },
        }
    ]
    title = f"What helped, from {found.runs} runs"
    return _figure(data, title, f"change of mean {found.metric}", "", each_named=True)


def _figure(
    data: list[dict[str, Any]], title: str, below: str, beside: str, *, each_named: bool = False
) -> str:
    """Plotly's JSON.

    Args:
        data: Traces.
        title: Short, for the dashboard cuts it off in narrow windows.
        below: Name of the horizontal axis.
        beside: That of the vertical one.
        each_named: Whether each place of the vertical axis has a name that has to be read.
    """
    names = {"automargin": True, "dtick": 1, "tickfont": {"size": 9}} if each_named else {}
    layout = {
        "title": {"text": title, "font": {"size": 14}},
        "xaxis": {"title": {"text": below, "font": {"size": 12}}, **_GRID},
        "yaxis": {"title": {"text": beside}, **_GRID, **names},
        # Both themes of the dashboard show a plot as it is: what is behind it shines through.
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#7c8490"},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "showlegend": 1 < len(data) <= _MOST_NAMED,
    }
    return json.dumps({"data": _finite(data), "layout": layout})


def _finite(value: Any) -> Any:
    """The same with ``null`` for what is not a number, which JSON does not have."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
