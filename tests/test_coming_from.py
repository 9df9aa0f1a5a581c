"""Tables of docs/coming-from.md name arguments, keys and commands that there are."""

import re
from dataclasses import fields

import click
import pytest
from pydantic import BaseModel

from autoqa.api import TrainingProtocol
from autoqa.cli.main import cli
from autoqa.config import study as models
from autoqa.config.study import StudyFile
from tests.docs_kit import PAGES

PAGE = PAGES["docs/coming-from.md"]
# fmt: off
SCRIPT = frozenset([
    "model_name_or_path", "config_name", "tokenizer_name", "cache_dir", "model_revision", "token",
    "trust_remote_code", "dataset_name", "dataset_config_name", "train_file", "validation_file",
    "test_file", "overwrite_cache", "preprocessing_num_workers", "max_seq_length",
    "pad_to_max_length", "max_train_samples", "max_eval_samples", "max_predict_samples",
    "version_2_with_negative", "null_score_diff_threshold", "doc_stride", "n_best_size",
    "max_answer_length",
])
# fmt: on
"""Arguments of run_qa.py itself, in transformers 4.55; others are those of TrainingArguments."""
EARLIER = frozenset(["warmup_ratio", "overwrite_output_dir"])
"""Of TrainingArguments before transformers 5."""
PLUGIN_KEYS = frozenset(["backbones.*.revision"])


def rows(head: str) -> list[list[str]]:
    body = PAGE.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    assert body
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


SCRIPT_ROWS = rows("argument")
KEYS = sorted(
    {
        code
        for row in [*SCRIPT_ROWS, *rows("there")]
        for code in codes(" ".join(row[1:]))
        if re.fullmatch(r"(backbones|sources|recipe|validation|search)\.[a-z_.*]+|seed", code)
    }
)
COMMANDS = sorted(set(re.findall(r"`(autoqa [^`]+)`", PAGE)))


def test_every_argument_of_the_script_is_there() -> None:
    from transformers import TrainingArguments

    known = SCRIPT | EARLIER | {field.name for field in fields(TrainingArguments)}
    named = {code.removeprefix("--") for row in SCRIPT_ROWS for code in codes(row[0])}
    assert named <= known
    assert SCRIPT - named == {"max_predict_samples"}


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_one_of_a_study(key: str) -> None:
    if key in PLUGIN_KEYS:
        return
    tables: dict[str, type[BaseModel]] = {
        "backbones.*.protocol": TrainingProtocol,
        "backbones.*": models.BackboneTable,
        "sources.*": models.SourceTable,
        "recipe.portions.*": models.PortionTable,
        "recipe.method": models.MethodTable,
        "recipe": models.RecipeTable,
        "validation": models.ValidationTable,
        "search": models.SearchTable,
        "": StudyFile,
    }
    table, _, name = key.rpartition(".")
    known = {field.alias or name for name, field in tables[table].model_fields.items()}
    assert name in known


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_is_there(line: str) -> None:
    words = [word for word in line.split()[1:] if "." not in word]
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
        if isinstance(command, click.Group) and not words:
            break
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
