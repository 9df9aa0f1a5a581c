"""``[selection]`` of a study file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from autoqa.config.table import StudyTable
from autoqa.types import Aggregator, VoteBy


class SelectionTable(StudyTable):
    """``[selection]``: how the ensemble is chosen.

    Attributes:
        seats: Most members, counted with repetition.
        recipe_cap: Most seats that candidates of one backbone and recipe may take.
        quota: Fewest seats of each group that the greedy selection seats at all.
        seconds: Most seconds that all members together may take for 1,000 questions, as measured
            in the search; left out, any.
        rule: ``"interval"`` takes a more complicated ensemble only if the 95 % interval of its
            gain excludes zero; ``"mean"`` takes the highest mean on documents that had no say;
            ``"shrinkage"`` the highest expected score, where few documents move little from what
            the equal mean of comparable candidates promises.
        aggregator: ``"vote"`` averages the logits of models that share a tokenizer and votes word
            by word across tokenizers; ``"characters"`` averages every model's probabilities over
            the characters of the context; ``"vote-only"`` gives every model a vote.
        words: ``"set"`` votes on words wherever they stand in the context, ``"position"`` on words
            at one place of it.
    """

    seats: Annotated[int, Field(ge=1)] = 5
    recipe_cap: Annotated[int, Field(ge=1)] = 3
    quota: Annotated[int, Field(ge=1)] = 1
    seconds: Annotated[float, Field(gt=0)] | None = None
    rule: Literal["shrinkage", "interval", "mean"] = "shrinkage"
    aggregator: Aggregator = "vote"
    words: VoteBy = "set"

    @model_validator(mode="after")
    def _votes_on_words(self) -> "SelectionTable":
        if self.aggregator == "characters" and self.words == "position":
            raise ValueError(
                "aggregator 'characters' takes no vote, so words = 'position' would do nothing: "
                "leave words out"
            )
        return self
