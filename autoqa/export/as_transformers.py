"""One candidate as a folder that transformers reads without autoqa."""

import inspect
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES

import autoqa
from autoqa.analysis.finished_run import StudyRun
from autoqa.bundle.entries import CONFIG, MODEL_FILES
from autoqa.errors import ConfigError, DataError, NothingFeasibleError, did_you_mean
from autoqa.export.write import CONFIG_DROPS
from autoqa.features.window_group import WindowGroup
from autoqa.files import check_folder, writing_output
from autoqa.modeling.heads.registry import HEAD_KEY
from autoqa.modeling.load import TOKENIZER_FILES
from autoqa.modeling.seq2seq import generates
from autoqa.store.candidate_record import CandidateRecord

_TOKENIZER_CONFIG = "tokenizer_config.json"
_FAST = "PreTrainedTokenizerFast"
"""The class that takes ``tokenizer.json`` as it is; others build parts of it anew."""

_INPUTS = ("input_ids", "token_type_ids", "attention_mask")

_CARD = """\
# {member} of the study {study}

A model for extractive question answering in Hugging Face layout, found by autoqa {autoqa}.

```python
from transformers import {auto}, AutoTokenizer

model = {auto}.from_pretrained("{folder}")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```

* backbone `{backbone}`, licence of its weights: {licence}
* trained and scored on windows of {length} tokens, of which neighbours share {stride}; question
  first, context second
* {metric} on the public part of its validation set: {score:.3f}
* {reading}
"""

_READING = {
    "AutoModelForQuestionAnswering": (
        "all windows of a question compete: the best span is the one with the highest sum of start "
        "and end logit\n  over all of them"
    ),
    "AutoModelForSeq2SeqLM": (
        "all windows of a question compete: the best answer is the fragment of the context that is "
        "likeliest to be\n  generated from any of them; nothing is generated where there is none"
    ),
}
"""How a model's answer is read, by the class that loads it."""


def export_as_transformers(
    run: StudyRun, member: str, target: Path, *, force: bool = False
) -> CandidateRecord:
    """Writes a candidate's weights, configuration and tokenizer into one folder.

    ``AutoModelForQuestionAnswering`` and ``AutoTokenizer`` load it, and give the logits that autoqa
    gives; one that generates answers is loaded by ``AutoModelForSeq2SeqLM``. No part of the
    validation set is opened.

    Args:
        run: The study's run.
        member: Id of the candidate, in the ensemble or not.
        target: The folder to make; its parents are made, too.
        force: Replace an older folder of the kind.

    Raises:
        ConfigError: The target is in the way, or transformers has no class for the model.
        NothingFeasibleError: There is no such candidate.
        MissingAssetError: The weights were dropped.
        DataError: Weights or tokenizer are missing or damaged.
    """
    check_folder(target, "a transformers model", MODEL_FILES["fp16"], force=force)
    record = _record(run, member)
    run.require_weights([member])
    source = run.folder.model(member)
    config = _config(source, member)
    with writing_output(target) as partial:
        _write_json(partial / CONFIG, config)
        for name in (MODEL_FILES["fp16"], *TOKENIZER_FILES):
            if (source / name).is_file():
                shutil.copyfile(source / name, partial / name)
        _write_json(partial / _TOKENIZER_CONFIG, _tokenizer_config(partial, config, record))
        (partial / "README.md").write_text(_card(run, record, target.name), encoding="utf-8")
    return record


def loading_class(record: CandidateRecord) -> str:
    """Name of the class of transformers that loads a candidate."""
    return "AutoModelForSeq2SeqLM" if record.generates else "AutoModelForQuestionAnswering"


def _record(run: StudyRun, member: str) -> CandidateRecord:
    records = {record.id: record for record in run.candidates()}
    if member not in records:
        raise NothingFeasibleError(
            f"member {member!r}: the study {run.study.name!r} has no such candidate"
            f"{did_you_mean(member, records) or '.'} `autoqa leaderboard` lists them."
        )
    return records[member]


def _config(source: Path, member: str) -> dict[str, Any]:
    """The configuration, for a model that a class of transformers computes.

    Raises:
        ConfigError: There is no such class.
        DataError: There is no configuration.
    """
    try:
        config: dict[str, Any] = json.loads((source / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{source / CONFIG} cannot be read, so {member} cannot be exported: restore the run "
            "folder."
        ) from error
    wayout = "take another member, or export the ensemble as a bundle."
    if HEAD_KEY in config:
        raise ConfigError(
            f"member {member} has a {config[HEAD_KEY]} answer head, which no class of "
            f"transformers computes: {wayout}"
        )
    kind = (config.get("architectures") or [""])[0]
    if kind not in MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES.values() and not generates([kind]):
        raise ConfigError(
            f"member {member} is an encoder of the kind {config.get('model_type')!r} with a head "
            f"of autoqa's, for which transformers has no class: {wayout}"
        )
    portable = {key: value for key, value in config.items() if key not in CONFIG_DROPS}
    # The file holds half precision; computed in it, as is the default, logits would differ.
    return {**portable, "dtype": "float32"}


def _tokenizer_config(
    folder: Path, config: Mapping[str, Any], record: CandidateRecord
) -> Mapping[str, Any]:
    path = folder / _TOKENIZER_CONFIG
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    dropped = {key: value for key, value in content.items() if key not in CONFIG_DROPS}
    length = WindowGroup.parse(record.group).length
    model_type = getattr(transformers, config["architectures"][0])
    takes = inspect.signature(model_type.forward).parameters
    return {
        **dropped,
        "tokenizer_class": _FAST,
        "model_max_length": length,
        "model_input_names": [name for name in _INPUTS if name in takes],
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _card(run: StudyRun, record: CandidateRecord, folder: str) -> str:
    group = WindowGroup.parse(record.group)
    auto = loading_class(record)
    return _CARD.format(
        auto=auto,
        reading=_READING[auto],
        member=record.id,
        study=run.study.name,
        autoqa=autoqa.__version__,
        folder=folder,
        backbone=record.backbone,
        licence=record.licence,
        length=group.length,
        stride=group.stride,
        metric=record.metric,
        score=record.score,
    )
