"""Made the golden study with autoqa 0.1.0 at commit 9b9286a; kept to show what it is made of.

``python tests/golden/make.py FOLDER`` writes inputs into a new folder, searches, selects, tests
rules, and exports, all by the command line. What is measured (seconds), and weights on another
processor, come out different every time, so the files beside this one are never made again.
"""

import csv
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForQuestionAnswering

STUDY = """\
name = "golden"
seed = 5

[sources.towns]
type = "file"
path = "data/towns.csv"
licence = "CC0-1.0"
[sources.more]
type = "file"
path = "data/more.csv"
[sources.exam]
type = "file"
path = "data/exam.csv"

[backbones.plain]
type = "huggingface"
model = "./backbones/plain"
licence = "MIT"
[backbones.plain.protocol]
learning_rate = 1e-2
epochs = 6
batch_size = 8
length = 24
stride = 6
precision = "fp32"
[backbones.lower]
type = "huggingface"
model = "./backbones/lower"
licence = "Apache-2.0"
[backbones.lower.protocol]
learning_rate = 1e-2
epochs = 6
batch_size = 8
length = 24
stride = 6
precision = "fp32"
[backbones.wild] # its loss is no number after a step: a failure, and one more at half the rate
type = "huggingface"
model = "./backbones/plain"
[backbones.wild.protocol]
learning_rate = 1e30
length = 24
stride = 6
precision = "fp32"

[recipe]
learning_rate = [1, 2]
[recipe.method]
head = ["independent", "conditional"]
[[recipe.portions]]
source = "towns"
[[recipe.portions]]
source = "more"
include = "search"
share = [0.5, 1]

[validation]
source = "exam"
public = 0.5

[search]
trials = 7
workers = 1
checkpoints = 0
weights = 5e-5 # GiB: not enough for all of them
snapshots = [0.5, 1.0]
enqueue = [
    { backbone = "plain", more.include = false, method.head = "conditional" },
    { backbone = "plain" }, # repeats the protocol's own point
    { backbone = "lower", more.share = 0.5 },
]

[selection]
seats = 4
rule = "mean"
"""

NAMES = {
    "en": ("Ada", "Bose", "Curie", "Dev", "Euler", "Fermi", "Gauss"),
    "hi": ("अदिति", "बोस", "चंद्रा", "देव", "ईशा", "फ़राह", "गीता"),
}
PLACES = {
    "en": ("Pune", "Rome", "Delhi", "Oslo", "Lima"),
    "hi": ("पुणे", "रोम", "दिल्ली", "ओस्लो", "लीमा"),
}
SENTENCES = {"en": "{} lives in {} {} {} {}.", "hi": "{} का घर {} {} {} {} है।"}
FILLERS = {
    "en": [a + b for a in ("ba", "do", "ki", "lu") for b in ("na", "re", "so", "ti", "mu")],
    "hi": [a + b for a in ("बा", "दो", "की", "लू") for b in ("ना", "रे", "सो", "ती", "मू")],
}
QUESTIONS = {
    "en": ("Where does {} live ?", "Where does {} stay ?"),
    "hi": ("{} का घर कहाँ है ?", "{} कहाँ रहते हैं ?"),
}
HEADER = ("id", "context", "question", "answer_text", "answer_start", "language")
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def rows(count: int, start: int, form: int) -> list[tuple[str | int, ...]]:
    """Questions about who lives where, in two languages, with the columns of ``HEADER``."""
    made = []
    for i in range(start, start + count):
        language = ("en", "hi")[i % 2]
        draw = random.Random(i)
        names = draw.sample(NAMES[language], 2 + i // 2 % 2)
        places = draw.sample(PLACES[language], len(names))
        # Words are cut at white space, so some answers have a comma that their label has not.
        written = [f"{place}{',' * (draw.random() < (0.33, 0.5)[form])}" for place in places]
        context = "  ".join(
            SENTENCES[language].format(name, place, *draw.sample(FILLERS[language], 3))
            for name, place in zip(names, written, strict=True)
        )
        question = QUESTIONS[language][form].format(names[-1])
        made.append((f"q{i}", context, question, places[-1], context.index(places[-1]), language))
    return made


def write_backbone(folder: Path, text: str, seed: int, *, lower: bool) -> None:
    """A BERT of random weights over words, which keep the comma that follows them."""
    words = sorted(set((text.lower() if lower else text).split()), reverse=lower)
    vocabulary = {word: number for number, word in enumerate((*SPECIALS, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    if lower:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(list(SPECIALS))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.3,
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    )


def write_inputs(folder: Path) -> None:
    """Study file, data and backbones; every path in the study is relative to the folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    for name, content in {
        "towns": rows(48, 0, 0),
        "more": rows(24, 100, 0),
        "exam": rows(48, 200, 1),
    }.items():
        with (folder / "data" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *content])
    everything = [row for form in (0, 1) for row in rows(280, 0, form)]
    text = " ".join(f"{context} {question}" for _, context, question, *_ in everything)
    write_backbone(folder / "backbones" / "plain", text, 1, lower=False)
    write_backbone(folder / "backbones" / "lower", text, 2, lower=True)


def autoqa(folder: Path, *arguments: str) -> bytes:
    """Runs the command inside the folder, and returns what it printed."""
    environment = {**os.environ, "AUTOQA_HOME": "searched", "AUTOQA_CACHE": "cache"}
    command = [sys.executable, "-c", "from autoqa.cli.main import main; main()", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE
    ).stdout


EXPECTED = {
    "leaderboard.json": "leaderboard golden --json",
    "leaderboard.txt": "leaderboard golden",
    "comparison.json": "leaderboard golden --compare t0000-100 t0001-100 --json",
    "explanation.json": "select golden --explain --json",
    "rules.json": "postprocess test golden --json",
    "revealed.json": "reveal golden --reason test --json",
    "answers.json": "predict exported data/exam.csv --quiet --format json",
    "answers.csv": "predict exported data/exam.csv --quiet",
    "evaluated.json": "evaluate exported data/exam.csv --quiet --json",
    "searched.json": "search study.toml --json",
}
"""File to the command whose output it holds."""


def write_expected(folder: Path) -> None:
    """What commands print, each on a copy of its own, and which processor rounded."""
    expected = folder / "expected"
    expected.mkdir()
    for name, command in EXPECTED.items():
        with TemporaryDirectory() as scratch:
            copy = Path(shutil.copytree(folder, Path(scratch) / "copy"))
            (expected / name).write_bytes(autoqa(copy, *command.split()))
    rounding = f"torch {torch.__version__.partition('+')[0]}, "
    rounding += torch.backends.cpu.get_cpu_capability()
    (expected / "processor.txt").write_text(rounding + "\n", encoding="utf-8")


def main() -> None:
    """Makes the study, the bundle, and a database without a log beside it."""
    folder = Path(sys.argv[1]).resolve()
    write_inputs(folder)
    autoqa(folder, "search", "study.toml")
    autoqa(folder, "select", "golden")
    autoqa(folder, "postprocess", "test", "golden")
    autoqa(folder, "leaderboard", "golden", "--compare", "t0000-100", "t0001-100")
    for candidate, score in (("t0000-100", "0.41"), ("selection", "0.5")):
        options = ("--board", "elsewhere", "--note", "a note")
        autoqa(folder, "leaderboard", "add-external", "golden", candidate, score, *options)
    autoqa(folder, "retrain", "golden")
    autoqa(folder, "export", "golden", "--to", "exported")
    run = folder / "searched" / "golden"
    with sqlite3.connect(run / "study.db", isolation_level=None) as database:
        for statement in ("journal_mode = DELETE", "page_size = 512"):
            database.execute(f"PRAGMA {statement}")
        database.execute("VACUUM")
    for leftover in (folder / "cache", run / "logs"):
        shutil.rmtree(leftover)
    (run / ".lock").unlink()
    write_expected(folder)


if __name__ == "__main__":
    main()
