"""What is known of a published model."""

from dataclasses import dataclass

from autoqa.api import TrainingProtocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A published model.

    Attributes:
        model: Id on the Hugging Face hub.
        kind: ``model_type`` in its ``config.json``.
        languages: ISO codes of some that it was trained on, all where there are not many.
        about: Size, languages, tokenizer and what else is particular, for one line.
        licence: SPDX identifier by the model's card; ``"unknown"`` where that names none.
        protocol: How it is fine-tuned.
        citation: Its publication.
        revision: A commit, or the branch where none is known.
        positions: Tokens of the longest window; ``None`` where positions are relative or computed.
        pieces: Whether its tokenizer is a sentence-piece model only, which the package
            sentencepiece has to read once.
        bidirectional: Whether its weights attend to both sides without its configuration saying so.
    """

    model: str
    kind: str
    languages: tuple[str, ...]
    about: str
    licence: str
    protocol: TrainingProtocol
    citation: str
    revision: str = "main"
    positions: int | None = None
    pieces: bool = False
    bidirectional: bool = False
