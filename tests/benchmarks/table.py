"""The last ``make bench`` as a Markdown table with the targets beside the figures.

``python -m tests.benchmarks.table`` prints it.
"""

import json

from .harness import RESULTS

TARGETS = {
    "features_short": 4.5,
    "features_long": 9.0,
    "train_short_fp32": 2.0,
    "train_long_fp32": 1.3,
    "train_short_bf16": 3.0,
    "train_short_gpu": 2.5,
    "train_vs_before": 1.3,
    "train_frozen_cached": 2.0,
    "infer_fp32": 2.0,
    "infer_bf16": 5.0,
    "infer_ensemble": 1.5,
    "decode": 20.0,
    "search8_vs_script": 4.0,
    "search8_vs_trainer": 2.5,
    "prefix_saved": 1 / (1 - 0.4),
    "ladder_honesty": 0.95,
    "ladder_optimism": 0.5,
    "select_200x1000x13": 100.0,
    "select_f1": 30.0,
    "select_mlqa": 30.0,
    "ensemble_vs_single_private": 1.0,
    "relocation_accuracy": 0.85,
    "distil_vs_ensemble": 0.98,
    "documents_10000_same": 0.95,
    "distil_speed": 3.0,
    "trial_cost_late": 1 / 1.5,
    "source_rows": 3.0,
}
"""Ratios to reach, by line; lines without one are for comparison only."""


def rows() -> list[str]:
    """One row a line of the results file, in its order."""
    made = [
        "| line | practice | autoqa | unit | ratio | target | reached |",
        "|---|---|---|---|---|---|---|",
    ]
    for text in RESULTS.read_text("utf-8").splitlines():
        line = json.loads(text)
        ratio, target = line["ratio"], TARGETS.get(line["name"])
        reached = "" if target is None else "yes" if ratio and ratio >= target else "no"
        shown = "results differ" if ratio is None else f"{ratio:.2f}"
        made.append(
            f"| `{line['name']}` | {line['a']:,.2f} | {line['b']:,.2f} | {line['unit']} | {shown} "
            f"| {'' if target is None else f'{target:.3g}'} | {reached} |"
        )
    return made


if __name__ == "__main__":
    print("\n".join(rows()))
