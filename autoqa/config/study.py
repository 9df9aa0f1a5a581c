"""The study file as frozen pydantic models.

These are the only form a study has in memory: there is no second set of dataclasses beside them.
Plugin options stay raw here (``extra``), because the plugins that own them are found one layer up,
in :mod:`autoqa.registry`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from autoqa.config.method_table import MethodTable
from autoqa.config.selection_table import SelectionTable
from autoqa.config.table import Search, StudyTable
from autoqa.config.tracker_tables import TrackersTable, trackers_by_name
from autoqa.recipes import Answers
from autoqa.types import DEFAULT_METRIC

Share = Annotated[float, Field(ge=0, le=1)]
TopShare = Annotated[float, Field(gt=0, le=1)]
PartShare = Annotated[float, Field(ge=0, lt=1)]
StudyName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class _PluginTable(BaseModel):
    """A table that names a plugin by ``type``; keys it does not know are the plugin's options.

    Attributes:
        type: The name of a plugin.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str

    @property
    def options(self) -> dict[str, Any]:
        """The plugin's own keys, not yet checked."""
        return dict(self.model_extra or {})


class SourceTable(_PluginTable):
    """``[sources.NAME]``: where examples come from.

    Attributes:
        overlays: Files of corrections that are laid over its rows, later ones over earlier ones.
        licence: Licence of the data, as bundles say it; left out, what the plugin knows.
    """

    overlays: tuple[str, ...] = ()
    licence: Annotated[str, Field(min_length=1)] | None = None


class BackboneTable(_PluginTable):
    """``[backbones.NAME]``: a pretrained model.

    Attributes:
        protocol: Changes to how the plugin would fine-tune it.
    """

    protocol: dict[str, Any] = {}


class AugmentationTable(_PluginTable):
    """``[[recipe.augmentations]]``: applied to every stage, or switched by the search.

    Attributes:
        include: Whether it is in the recipe, or ``"search"``.
    """

    include: bool | Search = True


class PortionTable(StudyTable):
    """``[[recipe.portions]]``: one slot, that is one possible appearance of a source.

    Attributes:
        name: Names the slot's parameters; the source's name unless it appears more than once.
        source: A name below ``[sources]``.
        languages: ``"search"`` gives every language of the source a switch of its own; a list
            fixes them; left out, all are taken.
        share: Share of the examples (above 1 repeats), or the choices to search.
        negatives: Share of windows without an answer that is kept, or the choices to search.
        similar: Share of the examples to draw from, those whose questions look most like the
            recipe's target's, or the choices to search; 1 is all.
        unanswerable: Share of questions without an answer among the examples to draw from, or the
            choices to search; left out, as the source has them.
        include: Whether the slot is in the recipe, or ``"search"``.
        position: Where in the recipe it stands (0 first, 1 last), the choices to search, or
            ``"search"`` for anywhere: with S stages a slot belongs to stage floor(position * S).
    """

    later = ("unanswerable",)

    source: str
    name: str = ""
    languages: Search | tuple[str, ...] | None = None
    share: Annotated[float, Field(gt=0)] | tuple[Annotated[float, Field(gt=0)], ...] = 1.0
    negatives: Share | tuple[Share, ...] = 1.0
    similar: TopShare | tuple[TopShare, ...] = 1.0
    unanswerable: PartShare | tuple[PartShare, ...] | None = None
    include: bool | Search = True
    position: Share | tuple[Share, ...] | Search = "search"

    @property
    def slot(self) -> str:
        """The name its parameters carry."""
        return self.name or self.source

    @property
    def compares(self) -> bool:
        """Whether it may draw from those examples only that look like the target's."""
        return self.include is not False and self.similar not in (1.0, (1.0,))


class Range(StudyTable):
    """An inclusive range of whole numbers.

    Attributes:
        low: The lowest.
        high: The highest.
        step: The distance between two of them.
    """

    low: Annotated[int, Field(ge=1)]
    high: Annotated[int, Field(ge=1)]
    step: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.low > self.high or (self.high - self.low) % self.step:
            raise ValueError(f"low {self.low} must reach high {self.high} in steps of {self.step}")
        return self


class RecipeTable(StudyTable):
    """``[recipe]``: the space of recipes.

    Attributes:
        portions: The slots.
        stages: How many stages a recipe may have.
        length: Window lengths per stage (never decreasing); left out, the protocol's length.
        stride: Share of the length that neighbouring windows have in common; left out, the
            protocol's.
        learning_rate_factor: The search looks between the protocol's rate divided and multiplied
            by this; a list holds the multiples of the protocol's rate that are tried, and no
            others. In the file it is called ``learning_rate``.
        method: Schedule, head, loss and what else there is to training.
        augmentations: Tables of augmentation plugins.
        target: The source whose questions others are compared with where a portion has
            ``similar``; it must be trained on.
        answers: What windows of rows with several different answers are labelled with: the
            ``"first"`` one, ``"each"`` that they hold, or one of those by ``"draw"``.
    """

    later = ("answers",)

    portions: Annotated[tuple[PortionTable, ...], Field(min_length=1)]
    stages: Range = Range(low=1, high=1)
    length: Range | None = None
    stride: Annotated[float, Field(ge=0, lt=1)] | None = None
    learning_rate_factor: (
        Annotated[float, Field(ge=1)] | tuple[Annotated[float, Field(gt=0)], ...]
    ) = Field(default=3.0, alias="learning_rate")
    method: MethodTable = MethodTable()
    augmentations: tuple[AugmentationTable, ...] = ()
    target: str | None = None
    answers: Answers = "first"


class ValidationTable(StudyTable):
    """``[validation]``: what scores are measured on.

    Attributes:
        source: A name below ``[sources]``.
        languages: Which of its languages count; left out, all.
        share: Share of its documents held out for validation; the rest may be trained on. With 1
            the whole source validates, and no portion may use it.
        public: Share of the held-out documents that the search sees; the rest is sealed.
        folds: Judge recipes on every document that is not sealed: each run is trained so many
            times, each time without one fold of the documents, and answers that fold.
        seed: Draws the split; change it and every score changes.
        references: What an answer is compared with where a question has several references:
            ``"best"`` takes the reference that fits best, ``"majority"`` leaves only those that
            most annotators gave.
        max_answer_tokens: Most tokens in an answer; left out, what the answers of the data need.
        metric: What search and selection raise, and where votes cut words.
    """

    later = ("folds", "max_answer_tokens", "metric")

    source: str
    languages: tuple[str, ...] | None = None
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    public: Annotated[float, Field(gt=0, lt=1)] = 0.4
    seed: int = 0
    references: Literal["best", "majority"] = "best"
    folds: Annotated[int, Field(ge=2)] | None = None
    max_answer_tokens: Annotated[int, Field(ge=1)] | None = None
    metric: str = DEFAULT_METRIC


class SearchTable(StudyTable):
    """``[search]``: how long and with what.

    Attributes:
        trials: Finished trials after which the search ends.
        minutes: Wall-clock limit; a run that would not end before it is made smaller.
        reserve: Share of the minutes that the search leaves, for a refit and an export.
        device_hours: Limit on the sum of what all runs of the study take, on whatever machine.
        fit: Where the minutes hold fewer than two runs of each round, or than one of each backbone,
            make all recipes of the study smaller, so that they do. Decided before the first trial.
        workers: Worker processes; ``"auto"`` is one per GPU, or one per CPU core.
        devices_per_run: Devices (GPUs, else cores) that one run is trained on, with a process on
            each; ``"auto"`` is one unless runs are timed and more are better.
        snapshots: Points of a run, as shares of its steps, that become candidates.
        checkpoints: GiB of disk that checkpoints of stages may take, from which later trials fork
            and interrupted ones go on; 0 keeps none.
        weights: GiB of disk that candidates' weights may take. The least promising are dropped
            first, and those of a selection never; ``autoqa retrain`` makes dropped ones again.
        prune: Whether runs end at a snapshot that is clearly and much worse than another run's
            at the same point.
        rounds: Parts that the search is divided into. Runs of the first begin with the pretrained
            weights; those of the next with the mean weights of the better half of its backbone's
            runs of the one before, two at least, at half the learning rate.
        soups: Whether to average candidates' weights, some after every few trials, most at the end
            of a search, and to keep a tenth of the minutes for it.
        storage: SQLAlchemy URL of the study's database; left out, SQLite in the run folder.
        files: URL of a folder that all machines of a search reach, where candidates are shared:
            ``s3://bucket/prefix``, ``file:///shared/folder`` or whatever fsspec knows; left out,
            all machines share the run folder.
        enqueue: Known-good points tried first: ``backbone`` and any parameters of the space.
        trackers: Where else trials are written down, as a table or as a list of names.
    """

    later = ("devices_per_run", "trackers", "rounds")

    trials: Annotated[int, Field(ge=1)] = 20
    minutes: Annotated[float, Field(gt=0)] | None = None
    reserve: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    device_hours: Annotated[float, Field(gt=0)] | None = None
    fit: bool = True
    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    devices_per_run: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    snapshots: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (1.0,)
    checkpoints: Annotated[float, Field(ge=0)] = 10.0
    weights: Annotated[float, Field(ge=0)] = 50.0
    prune: bool = False
    rounds: Annotated[int, Field(ge=1)] = 1
    soups: bool = False
    storage: str | None = None
    files: str | None = None
    enqueue: tuple[dict[str, Any], ...] = ()
    trackers: TrackersTable = TrackersTable()

    @field_validator("trackers", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return trackers_by_name(given)


class StudyFile(StudyTable):
    """A whole study file.

    Attributes:
        name: Names the study and its folder below the folder of runs.
        seed: Seeds the sampler and the runs.
        sources: Where examples come from, by names of their own.
        backbones: Pretrained models, by names of their own.
        recipe: The space of recipes.
        validation: What scores are measured on.
        search: How long and with what.
        selection: How the ensemble is chosen.
    """

    name: StudyName
    seed: int = 0
    sources: Annotated[dict[StudyName, SourceTable], Field(min_length=1)]
    backbones: Annotated[dict[StudyName, BackboneTable], Field(min_length=1)]
    recipe: RecipeTable
    validation: ValidationTable
    search: SearchTable = SearchTable()
    selection: SelectionTable = SelectionTable()
