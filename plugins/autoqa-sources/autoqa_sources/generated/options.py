"""What study files say of generated questions."""

from typing import Annotated

from pydantic import Field, field_validator

from autoqa.api import ColumnNames, FormatName, ModelFiles, Options

Model = Annotated[str, Field(min_length=1)]


class GeneratedOptions(Options):
    """Which texts, and which models ask and answer.

    Attributes:
        path: A path or pattern, as that of ``file``: of rows with a context, or of plain text
            (``.txt``, ``.md``).
        format: ``"auto"`` goes by what is in a file.
        columns: Field to column, where the rows' columns have names of their own.
        language: Language of texts whose rows state none, as a code of two or three letters.
        generator: Sequence-to-sequence model that asks: an id on the hub, or a folder.
        generator_revision: Branch, tag or commit of it.
        prompt: What it is given: ``{highlighted}`` is the context with the answer between two
            ``highlight``, ``{context}`` and ``{answer}`` are these two.
        highlight: What stands before and behind the answer in ``{highlighted}``.
        answerer: Extractive model that answers the questions: an id on the hub, or a folder such
            as ``autoqa export --as transformers`` writes. Left out, questions are kept unread.
        answerer_revision: Branch, tag or commit of it.
        agreement: Overlap (Jaccard, of words) that its answer needs with the one asked about.
        pickled: The models' weights are in ``pytorch_model.bin``.
        answers_per_context: Most answers that are asked about in one context.
        longest_context: Characters of the longest context; longer texts are cut between sentences.
        contexts: Most contexts, drawn by the seed; left out, all.
        beams: Beams of the generator's search.
        batch_size: Questions that are generated, or answered, at once.
        seed: Draws contexts and answers.
    """

    path: Annotated[str, Field(min_length=1)]
    format: FormatName = "auto"
    columns: ColumnNames = Field(default_factory=dict)
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] | None = None
    generator: Model
    generator_revision: str = "main"
    prompt: str = "generate question: {highlighted}"
    highlight: str = "<hl>"
    answerer: Model | None = None
    answerer_revision: str = "main"
    agreement: Annotated[float, Field(gt=0, le=1)] = 0.5
    pickled: bool = False
    answers_per_context: Annotated[int, Field(ge=1)] = 3
    longest_context: Annotated[int, Field(ge=100)] = 1000
    contexts: Annotated[int, Field(ge=1)] | None = None
    beams: Annotated[int, Field(ge=1, le=32)] = 4
    batch_size: Annotated[int, Field(ge=1)] = 16
    seed: int = 0

    @field_validator("prompt")
    @classmethod
    def _names_the_answer(cls, value: str) -> str:
        try:
            told = {value.format(highlighted=a, context="c", answer=a) for a in ("x", "y")}
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"{value!r} cannot be filled in ({error}); it may hold {{highlighted}}, "
                "{context} and {answer}, and doubled braces"
            ) from error
        if len(told) == 1:
            raise ValueError(f"{value!r} names no answer; put {{highlighted}} or {{answer}} in it")
        return value

    @property
    def models(self) -> tuple[ModelFiles, ...]:
        """The generator, and the answerer where there is one."""
        asking = ModelFiles(self.generator, self.generator_revision, self.pickled)
        if self.answerer is None:
            return (asking,)
        return asking, ModelFiles(self.answerer, self.answerer_revision, self.pickled)
