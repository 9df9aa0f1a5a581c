"""``--dry-run``: the study resolved and sized, without weights and without training."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from autoqa import env, recipes
from autoqa.data import StudyData
from autoqa.data.answer_lengths import length_sentences, open_examples
from autoqa.data.metric_fit import metric_sentences
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.proposals.first_points import points
from autoqa.proposals.space import Space
from autoqa.registry import BoundStudy
from autoqa.searching.dry_backbones import look_at_backbones
from autoqa.searching.dry_timing import Timers, in_time
from autoqa.searching.rounds import sentences
from autoqa.searching.setup import (
    Prepare,
    SearchOptions,
    build_spaces,
    source_languages,
)
from autoqa.searching.time_limit import protocol_runs
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import Display, QuietDisplay
from autoqa.trials.warm_start import read_prior
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.resources import plan_workers


@dataclass(frozen=True)
class BackbonePlan:
    """What would be searched for one backbone.

    Attributes:
        type: The plugin.
        parameters: Name to what it may be.
        first: Origin to the lines of the recipe card, for the points tried before the sampler.
    """

    type: str
    parameters: dict[str, str]
    first: dict[str, list[str]]


@dataclass(frozen=True)
class SearchPlan:
    """What a search would do.

    Attributes:
        study: Its name.
        missing: One sentence for each asset that is not on this machine.
        sources: Each source's training examples by language; empty without the data.
        validation: Questions of the public and the private part; empty without the data.
        notes: Sentences about the data: what was left out, what is doubtful.
        backbones: By name.
        trials: Trials wanted.
        minutes: Time limit.
        workers: How many, and why.
        time: Sentences about what the time limit holds.
        types: Each source's plugin.
        answers: Sentences on how many answers are longer than those that models may give, and on
            what the metric counts of them.
        problems: One sentence for each thing that would stop a first run, of a backbone or with an
            augmentation, led by the key of the study file that it is about.
        to_make: By source, what would first be made, which may take long; it is not loaded, and
            nothing else here counts it in.
        to_fetch: The command that gets what is missing, in a sentence; empty where none does.
    """

    study: str
    missing: list[str]
    sources: dict[str, dict[str, int]]
    validation: dict[str, int]
    notes: list[str]
    backbones: dict[str, BackbonePlan]
    trials: int
    minutes: float | None
    workers: str
    time: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    to_fetch: list[str] = field(default_factory=list)
    to_make: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Says why the search cannot begin, if it cannot.

        Raises:
            ConfigError: Something would stop a first run; names what is missing, too.
            MissingAssetError: Something is missing, and nothing else wrong.
        """
        if self.problems:
            raise ConfigError(*self.problems, *self.missing, *self.to_fetch)
        if self.missing:
            raise MissingAssetError("\n".join([*self.missing, *self.to_fetch]))

    def lines(self) -> list[str]:
        """The plan in lines for people, without what :meth:`check` says."""
        limit = "" if self.minutes is None else f", at most {self.minutes:g} minutes"
        text = [f"study {self.study}: {self.trials} trials{limit}, {self.workers}"]
        for name, kind in self.types.items():
            counts = self.sources.get(name)
            if counts is None:
                unloaded = "not trained on" if self.validation else "not loaded"
                reason = self.to_make.get(name, unloaded)
                text.append(f"source {name} ({kind}): {reason}")
            else:
                by_language = ", ".join(f"{key} {count}" for key, count in counts.items())
                total = sum(counts.values())
                text.append(f"source {name} ({kind}): {total} training examples: {by_language}")
        if self.validation:
            public, private = self.validation["public"], self.validation["private"]
            text.append(f"validation: {public} public and {private} private questions")
        text += [f"answers: {sentence}" for sentence in self.answers]
        text += [f"note: {note}" for note in self.notes]
        text += [f"time: {sentence}" for sentence in self.time]
        for name, backbone in self.backbones.items():
            text.append(f"backbone {name} ({backbone.type})")
            text += [f"  {key}: {value}" for key, value in backbone.parameters.items()]
            for origin, recipe in backbone.first.items():
                text += [f"  {origin} recipe:", *(f"    {row}" for row in recipe)]
        return text


def plan_search(
    bound: BoundStudy,
    prepare: Prepare,
    options: SearchOptions,
    *,
    timed: bool = False,
    display: Display | None = None,
    factory: Factory = training_factory,
) -> SearchPlan:
    """Resolves and sizes a study.

    Args:
        bound: The study with its plugins.
        prepare: Loads, checks and splits the data.
        options: What the command line changes.
        timed: Time some steps of runs, in workers as the search has them, where the study has a
            time limit and nobody has timed them yet.
        display: What people see meanwhile.
        factory: Makes, inside a worker, the function that runs one job.

    Raises:
        ConfigError: The study does not fit its data.
        DataError: The data cannot be used.
    """
    study = bound.study
    missing = list(bound.missing())
    to_make, to_fetch = bound.to_make(), bound.way_to_fetch(missing)
    problems = bound.unusable_changes(missing)
    bound, data = _data(prepare, bound, missing, to_make)
    spaces = {} if data is None else build_spaces(bound, source_languages(data))
    notes = [] if data is None else [*_without(to_make), *data.notes]
    if data is not None and options.warm_start is not None:
        notes.append(read_prior(options.warm_start, study, spaces, data.private).sentence())
    workers = plan_workers(options.workers or study.search.workers, study.search.devices_per_run)
    unfit, further = look_at_backbones(bound, missing, data)
    problems, notes = [*unfit, *problems], [*notes, *further]
    time: list[str] = []
    if data is not None and not (missing or problems or to_make):
        with display or QuietDisplay() as shown:
            timers = Timers(study, data, protocol_runs(spaces, study.seed), timed, shown, factory)
            workers, time = in_time(study, options, timers)
    time += sentences(study.search.rounds)
    return SearchPlan(
        study=study.name,
        missing=missing,
        sources={} if data is None else _sizes(data),
        validation=_parts(data),
        notes=notes,
        backbones=_backbones(bound, spaces),
        trials=options.trials or study.search.trials,
        minutes=options.limit(study),
        workers=workers.spelled(),
        time=time,
        types={name: table.type for name, table in study.sources.items()},
        answers=[] if data is None else _answers(bound, data),
        problems=problems,
        to_fetch=to_fetch,
        to_make=to_make,
    )


def _answers(bound: BoundStudy, data: StudyData) -> list[str]:
    run_folder = RunFolder(env.run_folder(bound.study.name))
    lengths = length_sentences(bound, open_examples(data), run_folder)
    return [*lengths, *metric_sentences(bound.study, data.public)]


def _data(
    prepare: Prepare, bound: BoundStudy, missing: list[str], to_make: Mapping[str, str]
) -> tuple[BoundStudy, StudyData | None]:
    """The study and its data, without sources that something would have to be made for."""
    rest = bound.without_sources(to_make) if to_make else bound
    return (bound, None) if rest is None else (rest, _try(prepare, rest, missing))


def _without(to_make: Mapping[str, str]) -> list[str]:
    names = ", ".join(f"sources.{name}" for name in to_make)
    return [f"what is said here of parameters, data and answers is without {names}."] * bool(names)


def _parts(data: StudyData | None) -> dict[str, int]:
    return {} if data is None else {"public": len(data.public), "private": len(data.private)}


def _try(prepare: Prepare, bound: BoundStudy, missing: list[str]) -> StudyData | None:
    """Prepares the data where they are there; otherwise adds sentences to ``missing``."""
    # A source that is missing would be fetched, and there is a command for that.
    if any(sentence.startswith("sources.") for sentence in missing):
        return None
    try:
        return prepare(bound)
    except MissingAssetError as error:
        missing += str(error).splitlines()
        return None


def _sizes(data: StudyData) -> dict[str, dict[str, int]]:
    sizes: dict[str, dict[str, int]] = {}
    for name, examples in data.train.items():
        counts: dict[str, int] = {}
        for example in examples:
            counts[example.language] = counts.get(example.language, 0) + 1
        sizes[name] = dict(sorted(counts.items()))
    return sizes


def _backbones(bound: BoundStudy, spaces: Mapping[str, Space]) -> dict[str, BackbonePlan]:
    first = points(spaces, bound.study.search.enqueue) if spaces else {}
    return {
        name: BackbonePlan(
            type=bound.study.backbones[name].type,
            parameters={key: spell(value) for key, value in space.distributions().items()},
            first={point.origin: _card(space, point.parameters) for point in first[name]},
        )
        for name, space in spaces.items()
    }


def _card(space: Space, parameters: Mapping[str, Any]) -> list[str]:
    return recipes.lines(*space.decode(parameters))


def spell(distribution: BaseDistribution) -> str:
    """A range or its choices in words, such as ``1e-05 to 9e-05, log``."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return "on or off" if choices == (False, True) else " | ".join(map(str, choices))
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    scale = ", log" if distribution.log else ""
    step = f", step {distribution.step}" if isinstance(distribution, IntDistribution) else ""
    return f"{distribution.low:.3g} to {distribution.high:.3g}{scale}{step}"
