"""The parts of a manifest: files, members, groups, how they are joined, what converting changed."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from autoqa.api import BackboneKind, Precision
from autoqa.decoding.span_scoring import SpanScoring
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.summary import Entry, ScoreEntry, short_decimal
from autoqa.types import Aggregator, Segmentation, VoteBy, WeightFormat

CONFIG = "config.json"
MODEL_FILES: Mapping[WeightFormat, str] = {
    "fp16": "model.safetensors",
    "onnx": "model.onnx",
    "onnx-int8": "model.onnx",
}
"""SafeName of the file of a model's weights."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SafeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class ConversionEntry(Entry):
    """What converting the weights changed, measured on the public part.

    Attributes:
        weights: What they were converted to.
        before: The ensemble's score with the weights in half precision.
        after: Its score with the converted ones.
        gain: Mean difference of the questions' scores, negative where converting costs.
        low: Lower end of its 95 % interval (paired document bootstrap).
        high: Upper end.
        differing: Questions that are answered otherwise.
        bytes_before: Size of all members' weights in half precision.
        bytes_after: Size of all members' converted weights.
    """

    weights: WeightFormat
    before: ScoreEntry
    after: ScoreEntry
    gain: float
    low: float
    high: float
    differing: Annotated[int, Field(ge=0)]
    bytes_before: Annotated[int, Field(ge=0)]
    bytes_after: Annotated[int, Field(ge=0)]

    @property
    def change(self) -> str:
        """``.853 -> .847 (-.006 ± .009)``: three digits, for the change is smaller than a score."""
        scores = f"{short_decimal(self.before.score, 3)} -> {short_decimal(self.after.score, 3)}"
        sign = "-" if self.gain < 0 else "+"
        half_width = (self.high - self.low) / 2
        return (
            f"{scores} ({sign}{short_decimal(abs(self.gain), 3)} ± {short_decimal(half_width, 3)})"
        )

    @property
    def answers(self) -> str:
        """``3 of 60 answers differ``."""
        return f"{self.differing} of {self.after.questions} answers differ"

    def __str__(self) -> str:
        after, before = (f"{size / 1e6:.1f} MB" for size in (self.bytes_after, self.bytes_before))
        return (
            f"{self.weights}: public {self.change}, {self.answers}; "
            f"weights {after} instead of {before}"
        )


class RefitEntry(Entry):
    """That members were trained again with rows that their scores had been measured on.

    Attributes:
        source: Where the added rows come from.
        public: How many of the public part were added to the rows that members may draw.
        private: How many of the private part.
        seeds: The seeds of each member that was trained again, by its id; its weights are the
            mean over them.
    """

    source: str
    public: Annotated[int, Field(ge=0)]
    private: Annotated[int, Field(ge=0)]
    seeds: dict[str, tuple[int, ...]]

    @property
    def rows(self) -> str:
        """``30 validation rows of target (12 public, 18 private)``."""
        total = self.public + self.private
        parts = f"{self.public} public, {self.private} private"
        return f"{total} validation rows of {self.source} ({parts})"

    def __str__(self) -> str:
        return f"refit: trained again with {self.rows}; the scores are those of the models before"


class FileEntry(Entry):
    """Checksum and size (bytes) of one file."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]


class MemberEntry(Entry):
    """One model of the ensemble.

    Attributes:
        id: The candidate's id in its study.
        backbone: SafeName in the study file.
        kind: Whether it scores tokens or generates texts; a manifest has it only where it does the
            latter.
        group: Key of the windows that it reads.
        weight: Its part in the mean of its group's logits.
        folder: Where its weights are.
        weights: How they are stored; before 1.3 there was one way.
        precision: What its matrix products are computed in; of half-precision weights only.
        encoder_weights: How many weights a token is multiplied with; 0 where their file tells.
        licence: Licence of the pretrained weights.
        trial: Optuna's trial number.
        fraction: Point of the run at which it was saved.
        learning_rate: Peak rate of the encoder.
        seed: The run's seed.
        recipe: What it was trained on.
        card: The recipe as lines for people; 1.0 and 1.1 had none.
        public: Its own score on the public part.
        reason: Why it was chosen.
        ingredients: Ids of the candidates whose weights it is the mean of; a manifest has them
            only where there are any.
        teachers: Ids of the candidates that it was taught by, each as often as it had seats; also
            only where there are any.
        begins_with: Ids of the candidates whose mean weights its run began with; also only where
            there are any.
    """

    id: SafeName
    backbone: str
    kind: BackboneKind = "span"
    group: SafeName
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    folder: str
    weights: WeightFormat = "fp16"
    precision: Precision = "auto"
    encoder_weights: Annotated[int, Field(ge=0)] = 0
    licence: str
    trial: int
    fraction: float
    learning_rate: float
    seed: int
    recipe: dict[str, Any]
    card: tuple[str, ...] = ()
    public: ScoreEntry
    reason: str = ""
    ingredients: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    begins_with: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        for name in ("ingredients", "teachers", "begins_with"):
            if not content[name]:
                del content[name]
        if self.kind == "span":
            del content["kind"]
        return content

    @property
    def member(self) -> Member:
        """What joining needs to know of it."""
        return Member(self.id, self.group, self.weight)

    @property
    def model_file(self) -> str:
        """Path of the file of its weights."""
        return f"{self.folder}/{MODEL_FILES[self.weights]}"

    @property
    def config_file(self) -> str:
        """Path of its configuration in Hugging Face layout."""
        return f"{self.folder}/{CONFIG}"


class GroupEntry(Entry):
    """Members that share a tokenizer and windows, so that their logits can be averaged.

    Attributes:
        id: The group's key.
        folder: Where its tokenizer is.
        length: Tokens in a window.
        stride: Tokens shared by neighbouring windows.
        max_answer_tokens: Most tokens in an answer; a manifest has it only where that is not the
            number of the vote, which was that of all groups before.
    """

    id: SafeName
    folder: str
    length: Annotated[int, Field(ge=8)]
    stride: Annotated[int, Field(ge=0)]
    max_answer_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if self.max_answer_tokens is None:
            del content["max_answer_tokens"]
        return content


class SpanScoringEntry(Entry):
    """What decides on a group's best span; see :class:`autoqa.decoding.span_scoring.SpanScoring`.

    Attributes:
        start: Weight of the start logit.
        end: Weight of the end logit.
        length: Weight of the prior on the number of tokens.
        log_mean: Mean of the logarithm of that number.
        log_spread: Its standard deviation.
    """

    start: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    end: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    length: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    log_mean: Annotated[float, Field(allow_inf_nan=False)]
    log_spread: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    @property
    def scoring(self) -> SpanScoring:
        """The same as decoding takes it."""
        return SpanScoring(**self.model_dump())


class VoteEntry(Entry):
    """How members are joined; see :mod:`autoqa.ensemble.joining.aggregate`.

    Attributes:
        best: The group whose answer stands where the vote decides nothing.
        max_answer_tokens: Most tokens in an answer of groups that do not say their own.
        aggregator: The way; format 1.0 knew one.
        words: What is voted on.
        segmentation: Where answers are cut into words; a manifest has it only where that is not
            at white space, as it was everywhere before 1.4.
    """

    best: SafeName
    max_answer_tokens: Annotated[int, Field(ge=1)]
    aggregator: Aggregator = "vote"
    words: VoteBy = "set"
    segmentation: Segmentation = "words"

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if self.segmentation == "words":
            del content["segmentation"]
        return content

    @classmethod
    def of(cls, plan: EnsemblePlan, max_answer_tokens: int) -> "VoteEntry":
        """How an ensemble's members are joined, in the words of the format."""
        return cls(
            best=plan.tie_group,
            max_answer_tokens=max_answer_tokens,
            aggregator=plan.aggregator,
            words=plan.words,
            segmentation=plan.segmentation,
        )
