"""A toy corpus, two toy tokenizers and toy models; enough for a run folder and a bundle."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForQuestionAnswering

from autoqa.decoding.decoder import best_span
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import save_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.heads.conditional_end import ConditionalEnd
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from autoqa.modeling.model import SpanModel
from autoqa.recipes import Portion, Recipe, Stage
from autoqa.scores.metrics import score
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import write_logits
from autoqa.store.run_folder import Part, RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Answer, Example

LENGTH, STRIDE = 24, 6
_NAMES = ("Ada", "Bose", "Curie", "Dev", "Euler", "Fermi", "Gauss", "Hari")
_PLACES = ("Pune", "Rome", "Delhi", "Oslo", "Lima")
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def examples(count: int, start: int = 0) -> list[Example]:
    """Questions about who lives where; two languages, a few documents, some long contexts."""
    made = []
    for i in range(start, start + count):
        people = [_NAMES[(i + k) % len(_NAMES)] for k in range(2 + i % 5)]
        sentences = [
            f"{name} lives in {_PLACES[(i * 3 + k) % len(_PLACES)]} , near the old station ."
            for k, name in enumerate(people)
        ]
        context = "  ".join(sentences)
        answer = sentences[-1].split()[3]
        place = context.rindex(answer)
        made.append(
            Example(
                id=f"q{i}",
                question=f"Where does {people[-1]} live ?",
                context=context,
                answers=(Answer(answer, place),),
                language=("en", "hi")[i % 2],
                document=f"d{i // 2}",
            )
        )
    return made


def write_tokenizer(folder: Path, *, lower: bool = False, backwards: bool = False) -> QATokenizer:
    """A word-level tokenizer with BERT's layout; each variant makes a group of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    text = " ".join(f"{e.question} {e.context}" for e in examples(40))
    words = sorted(set((text.lower() if lower else text).split()), reverse=backwards)
    vocabulary = {word: number for number, word in enumerate((*_SPECIALS, *words))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    if lower:
        core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.add_special_tokens(list(_SPECIALS))
    core.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    core.save(str(folder / "tokenizer.json"))
    return QATokenizer.from_folder(folder)


def write_model(
    folder: Path, tokenizer_folder: Path, seed: int, *, conditional: bool = False
) -> None:
    """A random two-layer BERT in half precision, large enough weights to have opinions."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    inner = BertForQuestionAnswering(config)
    model = SpanModel(inner, ConditionalEnd(32, spread=0.5) if conditional else None)
    save_model(model, rounded_state(model), tokenizer_folder, folder)


def write_squad(path: Path, rows: Sequence[Example]) -> Path:
    """The rows as SQuAD JSON."""
    paragraphs = [
        {
            "context": e.context,
            "qas": [
                {
                    "id": e.id,
                    "question": e.question,
                    "language": e.language,
                    "answers": [{"text": a.text, "answer_start": a.start} for a in e.answers],
                }
            ],
        }
        for e in rows
    ]
    articles = [
        {"title": e.document, "paragraphs": [p]} for e, p in zip(rows, paragraphs, strict=True)
    ]
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


STUDY = """
name = "toy"
[sources.toy]
type = "not-installed"
[backbones.plain]
type = "not-installed"
protocol = { precision = "fp32" }
[backbones.lower]
type = "not-installed"
protocol = { precision = "fp32" }
[recipe]
portions = [{ source = "toy" }]
[validation]
source = "toy"
share = 0.5
[selection]
seats = 3
"""

CANDIDATES = (("plain", 1), ("plain", 2), ("lower", 3), ("lower", 4))
CONDITIONAL = {4}
"""Seeds of the candidates with a conditional end head; it shares a group with a plain one."""


def write_run(
    home: Path, metric: str = "jaccard", parts: dict[Part, list[Example]] | None = None
) -> RunFolder:
    """The run folder of a finished search: four candidates in two groups."""
    study = STUDY
    if metric != "jaccard":
        study = STUDY.replace("[selection]", f'metric = "{metric}"\n[selection]')
    run = RunFolder(home / "toy")
    run.create()
    run.study_file.write_text(study, encoding="utf-8")
    parts = parts or {"public": examples(16), "private": examples(24, 16)}
    for part, rows in parts.items():
        run.save_examples(part, rows)
    tokenizers = {
        name: write_tokenizer(home / ".tokenizers" / name, lower=name == "lower")
        for name in ("plain", "lower")
    }
    with Store(run.store_url(), "toy") as store:
        store.save_study(study)
        for backbone, seed in CANDIDATES:
            made = write_candidate(run, tokenizers[backbone], backbone, seed, parts, metric)
            store.add_candidate(made)
    return run


def write_candidate(
    run: RunFolder,
    tokenizer: QATokenizer,
    backbone: str,
    seed: int,
    parts: dict[Part, list[Example]],
    metric: str = "jaccard",
) -> CandidateRecord:
    """What a worker leaves of a trial, but for the training."""
    group = str(WindowGroup(tokenizer.key, LENGTH, STRIDE))
    name = f"t{seed:04d}-100"
    with run.writing_candidate(name) as folder:
        tokenizer_folder = run.path.parent / ".tokenizers" / backbone
        write_model(folder / "model", tokenizer_folder, seed, conditional=seed in CONDITIONAL)
        model = load_for_inference(folder / "model", "cpu")
        windows: dict[Part, Windows] = {}
        answers: dict[Part, list[str]] = {}
        for part, rows in parts.items():
            windows[part] = cut(encode(tokenizer, rows), LENGTH, STRIDE)
            save_windows(run.windows_path(group, part), windows[part])
            logits = predict(model, windows[part], precision="fp32")
            write_logits(folder, part, *logits)
            spans = best_span(*logits, windows[part], [e.context for e in rows])
            answers[part] = [span.text for span in spans]
        scores = score(answers["public"], parts["public"])
        recipe = Recipe((Stage((Portion("toy", ("en", "hi")),), LENGTH, STRIDE),))
        record = CandidateRecord(
            id=name,
            trial=seed,
            fraction=1.0,
            backbone=backbone,
            group=group,
            recipe_hash=f"{recipe.hash}{seed}",
            recipe=recipe.to_dict(),
            learning_rate=3e-5,
            seed=seed,
            scores=scores.mean(),
            by_language=scores.by_language(parts["public"], metric),
            windows_per_second=100.0,
            seconds=1.0,
            inference_seconds=0.1,
            licence="MIT",
            metric=metric,
        )
        text = json.dumps(record.as_json(), ensure_ascii=False)
        (folder / "candidate.json").write_text(text, encoding="utf-8")
    return record
