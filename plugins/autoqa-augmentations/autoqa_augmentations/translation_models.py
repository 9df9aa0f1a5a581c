"""Texts through a pretrained translation model on this machine."""

from collections.abc import Sequence
from typing import Any

from autoqa.api import ConfigError, ModelFiles

_LONGEST = 512
"""Most tokens of a text that is translated; questions are far shorter."""


class TranslationModel:
    """A sequence-to-sequence model, loaded.

    Args:
        files: Where it is.

    Raises:
        MissingAssetError: It is not here.
        ConfigError: It is no such model, or its tokenizer needs a package that is not installed.
    """

    def __init__(self, files: ModelFiles) -> None:
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        folder = files.folder()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForSeq2SeqLM.from_pretrained(folder, use_safetensors=not files.pickled)
        except (ValueError, ImportError, OSError) as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise ConfigError(
                f"back-translation: {files.model} cannot be loaded as a translation model, "
                f"{reason}; name one such as Helsinki-NLP/opus-mt-hi-en, and install what its "
                "tokenizer needs: pip install 'autoqa[translation]'."
            ) from error
        self._model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    def translations(
        self, texts: Sequence[str], source: str, target: str, *, beams: int, count: int = 1
    ) -> list[list[str]]:
        """Translates some texts at once, by beam search without sampling.

        Args:
            texts: What to translate.
            source: What the model calls their language; empty where it knows one only.
            target: What it calls the language to translate to; empty where it knows one only.
            beams: Beams of the search.
            count: Translations of each text, at most ``beams``.

        Returns:
            Those of each text, the most probable first.

        Raises:
            ConfigError: The model does not know a language.
        """
        import torch

        prefix, options = self._languages(source, target)
        inputs = self._tokenizer(
            [prefix + text for text in texts],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=_LONGEST,
        ).to(self._model.device)
        with torch.inference_mode():
            ids = self._model.generate(
                **inputs,
                **options,
                num_beams=beams,
                num_return_sequences=count,
                do_sample=False,
                max_length=None,
                max_new_tokens=2 * int(inputs["input_ids"].shape[1]) + 16,
            )
        made = [
            each.strip() for each in self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        ]
        return [made[at : at + count] for at in range(0, len(made), count)]

    def _languages(self, source: str, target: str) -> tuple[str, dict[str, Any]]:
        """What stands in front of a text, and what tells the model the language it writes.

        M2M100, NLLB and mBART have a token for each language; the source's is their tokenizers'
        affair. Others are told by a text in front, such as ``>>hin<<`` or ``<2hi>``.
        """
        if not hasattr(self._tokenizer, "src_lang"):
            return f"{target} " if target else "", {}
        if not (source and target):
            raise ConfigError(
                "back-translation: the model translates between many languages; say by "
                "source_language and pivot_language what it calls the two."
            )
        _, token = (self._token(each) for each in (source, target))
        self._tokenizer.src_lang = source
        return "", {"forced_bos_token_id": token}

    def _token(self, language: str) -> int:
        known = self._tokenizer.get_vocab()
        for spelled in (language, f"__{language}__"):
            if spelled in known:
                return int(known[spelled])
        raise ConfigError(
            f"back-translation: the model has no language {language!r}; its page lists what it "
            "calls them, such as 'hin_Deva' (NLLB), 'hi' (M2M100) or 'hi_IN' (mBART)."
        )
