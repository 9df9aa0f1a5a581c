"""What plugins of all kinds have to do."""

from typing import Any

from pydantic import BaseModel

from autoqa.api import API_VERSION
from autoqa.config.problems import dotted, parse
from autoqa.registry.description import option_descriptions
from autoqa.testing.check import Check, CheckFailedError, NotApplicableError, require
from autoqa.testing.fresh_process import FreshRun, measure
from autoqa.testing.subject import Subject

IMPORT_SECONDS = 1.0
"""What importing a plugin's module may take: ``autoqa plugins list`` imports them all."""


_ASKED = {
    "backbone": ("licence", "citation", "languages", "protocol", "facts", "downloads"),
    "source": ("licence", "citation"),
    "augmentation": ("key",),
}
"""By kind, what is asked of a plugin before anything is loaded, besides what is missing."""


def fresh_run(subject: Subject[Any]) -> FreshRun:
    """The plugin imported and asked in a process of its own, once for all checks."""
    if subject.location is None:
        raise NotApplicableError("the spec stands in no module that could be imported again")
    if "fresh run" not in subject.made:
        options = None if subject.options is None else subject.options.model_dump_json()
        asked = _ASKED.get(subject.kind, ())
        subject.made["fresh run"] = measure(subject.location, options, asked)
    run: FreshRun = subject.made["fresh run"]
    require(not run.ending, f"{subject.location} was imported in a fresh process: {run.ending}")
    return run


def options_model(subject: Subject[Any]) -> type[BaseModel]:
    """The model of a plugin's options; metrics have none."""
    model: type[BaseModel] | None = getattr(subject.spec, "options", None)
    if model is None:
        raise NotApplicableError(f"a {subject.kind} has no options")
    return model


def check_import(subject: Subject[Any]) -> None:
    """Importing is fast, light and silent."""
    run = fresh_run(subject)
    cost = run.costs["import"]
    require(not cost.failure, f"importing {subject.location} failed: {cost.failure}")
    require(
        not cost.heavy,
        f"importing {subject.location} imports {', '.join(cost.heavy)}; import heavy packages "
        "inside the functions that use them",
    )
    require(
        cost.seconds < IMPORT_SECONDS,
        f"importing {subject.location} takes {cost.seconds:.1f} s, and every `autoqa plugins list` "
        f"waits for it; it should take less than {IMPORT_SECONDS:.0f} s",
    )


def check_silence(subject: Subject[Any]) -> None:
    """Nothing is printed to stdout."""
    printed = fresh_run(subject).printed
    require(not printed, f"importing {subject.location} prints {printed[:60]!r} to stdout")


def check_entry_point(subject: Subject[Any]) -> None:
    """The name is the entry point's."""
    if not subject.entry_points:
        raise NotApplicableError("no entry point of an installed package leads to the spec")
    for point in subject.entry_points:
        require(
            point.name == subject.spec.name,
            f"the entry point is called {point.name!r}, the spec {subject.spec.name!r}",
        )


def check_summary(subject: Subject[Any]) -> None:
    """The summary is one line."""
    summary = subject.spec.summary
    require(isinstance(summary, str) and summary.strip(), "the summary is empty")
    require("\n" not in summary, f"the summary has several lines: {summary!r}")
    require(len(summary) <= 160, f"the summary has {len(summary)} characters; 160 are two lines")


def check_api_version(subject: Subject[Any]) -> None:
    """The version of the plugin API is this one's."""
    version = subject.spec.api_version
    require(version == API_VERSION, f"api_version is {version!r}, and autoqa's is {API_VERSION}")


def check_options(subject: Subject[Any]) -> None:
    """Options have a schema, refuse unknown keys, and come back from a study file as they were."""
    model = options_model(subject)
    try:
        model.model_json_schema()
    except Exception as error:
        raise CheckFailedError(
            f"{model.__name__} has no JSON schema: {type(error).__name__}: {error}"
        ) from error
    require(
        model.model_config.get("extra") in ("forbid", "allow"),
        f"{model.__name__} ignores keys that it does not know, so that a misspelt one goes "
        "unnoticed; derive it from autoqa.api.Options",
    )
    again, problems = parse(model, subject.options.model_dump(mode="json"))
    require(
        again == subject.options,
        f"options written as JSON and read again are others: {'; '.join(problems) or repr(again)}",
    )


_AT = ("options",)


def check_defaults(subject: Subject[Any]) -> None:
    """Every option without a default is required by the model, and the defaults fit together."""
    model = options_model(subject)
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    if required:
        _, problems = parse(model, {})
        missed = [name for name in required if not any(name in each for each in problems)]
        require(not missed, f"{model.__name__} does not say that {', '.join(missed)} is required")
        return
    value, problems = parse(model, {}, _AT)
    if value is None and all(problem.startswith(f"{dotted(_AT)}: ") for problem in problems):
        return  # it says itself which of its options are required: one of several, say
    if value is not None:  # defaults are not looked at by themselves
        value, problems = parse(model, value.model_dump(mode="json"), _AT)
    require(
        value is not None, f"{model.__name__} does not take its own defaults: {'; '.join(problems)}"
    )


def check_documentation(subject: Subject[Any]) -> None:
    """Every option says what it means."""
    silent = [each.name for each in option_descriptions(options_model(subject)) if not each.meaning]
    require(
        not silent,
        f"{options_model(subject).__name__} does not say what {', '.join(silent)} means; write it "
        "below `Attributes:` in its docstring, or as Field(description=...)",
    )


SPEC_CHECKS = (
    Check(
        name="import",
        summary="its module is imported below a second and imports nothing heavy",
        function=check_import,
    ),
    Check(name="silence", summary="importing it prints nothing", function=check_silence),
    Check(
        name="entry-point",
        summary="it has the name of its entry point",
        function=check_entry_point,
    ),
    Check(name="summary", summary="its summary is one line", function=check_summary),
    Check(
        name="api-version",
        summary="it was written for this version of the API",
        function=check_api_version,
    ),
)

OPTION_CHECKS = (
    Check(
        name="options",
        summary="its options have a schema and refuse unknown keys",
        function=check_options,
    ),
    Check(
        name="defaults",
        summary="options have a default that fits, or are required",
        function=check_defaults,
    ),
    Check(
        name="documentation",
        summary="every option says what it means",
        function=check_documentation,
    ),
)
