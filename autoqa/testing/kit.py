"""The checks of each kind of plugin, and how they are run."""

import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from autoqa.api import AutoqaError, BackboneKind, BackboneSpec, ConfigError
from autoqa.config.problems import parse
from autoqa.errors import did_you_mean
from autoqa.registry.records import PluginKind, Spec
from autoqa.testing.augmentation_checks import AUGMENTATION_CHECKS
from autoqa.testing.backbone_checks import BACKBONE_CHECKS
from autoqa.testing.check import Check, CheckFailedError, CheckResult, NotApplicableError
from autoqa.testing.hypotheses import KitIncompleteError
from autoqa.testing.metric_checks import METRIC_CHECKS
from autoqa.testing.source_checks import SOURCE_CHECKS
from autoqa.testing.span_model_checks import SPAN_MODEL_CHECKS
from autoqa.testing.subject import DamagedRows, Subject, kind_of
from autoqa.testing.text_model_checks import TEXT_MODEL_CHECKS

CHECKS: Mapping[PluginKind, tuple[Check, ...]] = MappingProxyType(
    {
        "backbone": BACKBONE_CHECKS,
        "source": SOURCE_CHECKS,
        "augmentation": AUGMENTATION_CHECKS,
        "metric": METRIC_CHECKS,
    }
)
"""The checks that all plugins of a kind share, in the order in which they are run."""

MODEL_CHECKS: Mapping[BackboneKind, tuple[Check, ...]] = MappingProxyType(
    {"span": SPAN_MODEL_CHECKS, "text": TEXT_MODEL_CHECKS}
)
"""The further checks of a backbone, by what its model gives of a window."""

OptionsGiven = BaseModel | Mapping[str, Any] | None


def checks_of(spec: Spec) -> tuple[Check, ...]:
    """The checks that a plugin has to pass.

    Raises:
        TypeError: It is no plugin.
    """
    further = MODEL_CHECKS[spec.kind] if isinstance(spec, BackboneSpec) else ()
    return CHECKS[kind_of(spec)] + further


def run_checks(
    spec: Spec,
    options: OptionsGiven = None,
    exempt: Mapping[str, str] = MappingProxyType({}),
    *,
    languages: tuple[str, ...] = (),
    damaged: DamagedRows | None = None,
    seconds: float = 300.0,
    report: Callable[[CheckResult], None] = lambda _: None,
) -> tuple[CheckResult, ...]:
    """Checks a plugin.

    Args:
        spec: The plugin.
        options: An instance of its options, or the table that a study file would hold; left out,
            the defaults.
        exempt: Names of checks that it need not pass, each with the reason.
        languages: See :class:`autoqa.testing.Subject`, as the next two.
        damaged: What a source is to refuse.
        seconds: How long a backbone may take to learn twenty examples.
        report: Called with each result as soon as there is one.

    Returns:
        One result for each check, in their order.

    Raises:
        ConfigError: The options do not fit; or a check that is exempted from is unknown, or has no
            reason.
        TypeError: It is no plugin.
    """
    checks = checks_of(spec)
    check_exemptions(spec, exempt)
    with tempfile.TemporaryDirectory(prefix="autoqa-checks-") as folder:
        subject = Subject(
            spec=spec,
            options=options_of(spec, options),
            folder=Path(folder),
            languages=languages,
            damaged=damaged,
            seconds=seconds,
        )
        results = []
        for check in checks:
            results.append(run_check(check, subject, exempt.get(check.name)))
            report(results[-1])
        return tuple(results)


def run_check(check: Check, subject: Subject[Any], reason: str | None = None) -> CheckResult:
    """Does one check.

    Args:
        check: Which one.
        subject: The plugin.
        reason: Why the plugin need not pass it; ``None`` where it must.

    Raises:
        KitIncompleteError: A package that checks need is not installed.
    """
    begin = time.perf_counter()
    outcome, sentence = _outcome(check, subject)
    seconds = time.perf_counter() - begin
    if reason is None or outcome == "not applicable":
        return CheckResult(check=check, outcome=outcome, sentence=sentence, seconds=seconds)
    return CheckResult(
        check=check,
        outcome="exempt",
        sentence=reason,
        seconds=seconds,
        needless=outcome == "passed",
    )


def _outcome(check: Check, subject: Subject[Any]) -> Any:
    try:
        check.function(subject)
    except NotApplicableError as error:
        return "not applicable", str(error)
    except CheckFailedError as error:
        return "failed", str(error)
    except KitIncompleteError:
        raise
    except AutoqaError as error:
        return "failed", str(error)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename}, line {frame.lineno}"
        return "failed", " ".join(f"{type(error).__name__}: {error} ({place})".split())
    return "passed", ""


def check_exemptions(spec: Spec, exempt: Mapping[str, str]) -> None:
    """Refuses exemptions from checks that there are not, and such without a reason.

    Raises:
        ConfigError: There is one; all problems at once.
    """
    known, problems = [check.name for check in checks_of(spec)], []
    for name, reason in exempt.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
            problems.append(f"exempt: a {kind_of(spec)} has no check {name!r}{hint}")
        elif not reason.strip():
            problems.append(f"exempt: say why {spec.name!r} need not pass {name!r}")
    if problems:
        raise ConfigError(*problems)


def options_of(spec: Spec, options: OptionsGiven = None) -> BaseModel | None:
    """An instance of a plugin's options; ``None`` for metrics.

    Args:
        spec: The plugin.
        options: As for :func:`run_checks`.

    Raises:
        ConfigError: They do not fit, or one is required.
    """
    model: type[BaseModel] | None = getattr(spec, "options", None)
    if model is None:
        if options:
            raise ConfigError(f"the metric {spec.name!r} has no options")
        return None
    if isinstance(options, BaseModel):
        if not isinstance(options, model):
            raise ConfigError(f"options of {spec.name!r} are a {type(options).__name__}")
        return options
    value, problems = parse(model, options or {}, ("options",))
    if value is None:
        raise ConfigError(*(f"{spec.name}: {problem}" for problem in problems))
    return value
