"""Post-processing rules and their tests, as tables, as a sentence and as JSON."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoqa.report.tables import folded, numbers, table
from autoqa.text.rules import RULES

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.analysis.rule_tests import Postprocessing


def rules_as_objects() -> list[dict[str, str]]:
    """All rules in order of use, with an example each: the rows of :func:`rules_table`."""
    rows = []
    for rule in RULES.values():
        before, after = rule.example()
        rows.append(
            {
                "rule": rule.name,
                "summary": rule.summary,
                "context": rule.context,
                "before": before,
                "after": after,
            }
        )
    return rows


def rules_table(rules: Sequence[dict[str, str]]) -> "Table":
    """The same as a table."""
    rows = table(*folded("rule", "summary", "context", "before", "after"), edge=False)
    for rule in rules:
        rows.add_row(*rule.values())
    return rows


def as_objects(tests: "Postprocessing") -> dict[str, Any]:
    """What ``autoqa postprocess test --json`` prints."""
    content: dict[str, Any] = json.loads(tests.to_json())
    return {"rules": tests.rules, **content}


def tests_table(tests: "Postprocessing") -> "Table":
    """One row per rule and language; the interval has the coverage of its heading."""
    percent = f"{100 * tests.level:.4g} %"
    rows = table(
        "rule",
        "language",
        *numbers("questions", "changed", "gain", percent, "P(better)"),
        "enabled",
        spare=("questions", "P(better)", "changed"),
    )
    for test in tests.tests:
        gain = test.gain
        rows.add_row(
            test.rule,
            test.language,
            str(test.questions),
            str(test.changed),
            "–" if gain is None else f"{gain.gain:+.4f}",
            "–" if gain is None else f"{gain.low:+.4f} to {gain.high:+.4f}",
            "–" if gain is None else f"{gain.p_better:.3f}",
            "yes" if test.enabled else "no",
        )
    return rows


def summary(tests: "Postprocessing") -> str:
    """Which rules are enabled, and what all of them together gain."""
    compared = sum(test.gain is not None for test in tests.tests)
    names = ", ".join(tests.members)
    if not tests.rules:
        return (
            f"No rule is enabled: of {compared} comparison{'' if compared == 1 else 's'} on the "
            f"answers of {names} none has an interval above zero."
        )
    enabled = "; ".join(f"{code}: {', '.join(rules)}" for code, rules in tests.rules.items())
    total = tests.total
    return (
        f"Enabled: {enabled}. Together they take the answers of {names} from {tests.before:.4f} to "
        f"{tests.after:.4f}, a gain of {total.gain:+.4f} (95 % {total.low:+.4f} to "
        f"{total.high:+.4f})."
    )
