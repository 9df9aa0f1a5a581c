"""A sequence-to-sequence model that asks questions."""

from collections.abc import Iterator, Sequence

from autoqa.api import ConfigError, ModelFiles, ProgressCallback

_LONGEST_PROMPT, _LONGEST_QUESTION = 1024, 64
"""Most tokens."""


def generated(
    files: ModelFiles,
    prompts: Sequence[str],
    progress: ProgressCallback,
    *,
    beams: int,
    batch_size: int,
) -> Iterator[tuple[str, list[str]]]:
    """The most probable question of each prompt, by beam search without sampling.

    Args:
        files: The model.
        prompts: Different texts.
        progress: Called with prompts done and in all.
        beams: Beams of the search.
        batch_size: Prompts at once.

    Yields:
        A prompt and, in a list, its question; an empty list where the model said nothing.

    Raises:
        MissingAssetError: The model is not here.
        ConfigError: It is no such model, or its tokenizer needs a package that is not installed.
    """
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = files.folder()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, use_safetensors=not files.pickled)
    except (ValueError, ImportError, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise ConfigError(
            f"generator: {files.model} cannot be loaded as a sequence-to-sequence model, {reason}; "
            "name one that was trained to ask questions."
        ) from error
    model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    order = sorted(prompts, key=lambda text: (len(text), text))
    for begin in range(0, len(order), batch_size):
        batch = order[begin : begin + batch_size]
        inputs = tokenizer(
            batch, return_tensors="pt", padding=True, truncation=True, max_length=_LONGEST_PROMPT
        ).to(model.device)
        inputs.pop("token_type_ids", None)  # which some tokenizers give and no such model takes
        with torch.inference_mode():
            ids = model.generate(
                **inputs,
                num_beams=beams,
                do_sample=False,
                max_length=None,
                max_new_tokens=_LONGEST_QUESTION,
            )
        made = tokenizer.batch_decode(ids, skip_special_tokens=True)
        for prompt, text in zip(batch, made, strict=True):
            yield prompt, [" ".join(text.split())] if text.strip() else []
        progress(begin + len(batch), len(order))
