"""The published data sets whose files are rows as they stand."""

import json
from collections.abc import Iterator
from pathlib import Path

from autoqa.api import DataError, RawRow, rows_from
from autoqa_sources.published.facts import Published
from autoqa_sources.published.source import PublishedOptions, source_of

_SQUAD_SPLITS = ("train", "validation")


def _parquet(folder: str, *splits: str) -> dict[str, tuple[str, ...]]:
    """How repositories lay out Parquet files since their scripts were replaced."""
    return {split: (f"{folder}/{split}-*.parquet",) for split in splits}


def _converted(folder: str, *splits: str) -> dict[str, tuple[str, ...]]:
    """How the hub's own branch of converted files is laid out."""
    return {split: (f"{folder}/{split}/*.parquet",) for split in splits}


def _listed_examples(path: Path, options: PublishedOptions) -> Iterator[RawRow]:
    """Rows in the list ``examples`` of a JSON document, which stands beside a canary."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["examples"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: expected a JSON object with a list `examples`, {type(error).__name__}: "
            f"{error}; fetch it again."
        ) from None
    return rows_from(listed, str(path), options.columns)


squad = source_of(
    Published(
        name="squad",
        summary="SQuAD 1.1: English Wikipedia, 98,000 questions",
        repository="rajpurkar/squad",
        revision="7b6d24c440a36b6815f21b70d25016731768db1f",
        files=_parquet("plain_text", *_SQUAD_SPLITS),
        languages=("en",),
        licence="CC-BY-SA-4.0",
        citation="Rajpurkar et al. 2016: SQuAD: 100,000+ Questions for Machine Comprehension of "
        "Text. EMNLP.",
    )
)
squad2 = source_of(
    Published(
        name="squad2",
        summary="SQuAD 2.0: SQuAD with 54,000 questions that have no answer",
        repository="rajpurkar/squad_v2",
        revision="3ffb306f725f7d2ce8394bc1873b24868140c412",
        files=_parquet("squad_v2", *_SQUAD_SPLITS),
        languages=("en",),
        licence="CC-BY-SA-4.0",
        citation="Rajpurkar et al. 2018: Know What You Don't Know: Unanswerable Questions for "
        "SQuAD. ACL.",
    )
)
tydiqa = source_of(
    Published(
        name="tydiqa",
        summary="TyDi QA, gold passages: nine languages, asked by their speakers",
        repository="google-research-datasets/tydiqa",
        revision="da78f23f9119363459acbaf46bf89426ff26c259",
        files=_parquet("secondary_task", *_SQUAD_SPLITS),
        languages=("ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te"),
        licence="Apache-2.0",
        citation="Clark et al. 2020: TyDi QA: A Benchmark for Information-Seeking Question "
        "Answering in Typologically Diverse Languages. TACL.",
    )
)
mlqa = source_of(
    Published(
        name="mlqa",
        summary="MLQA: parallel questions in seven languages, validation and test only",
        repository="facebook/mlqa",
        revision="refs/convert/parquet",
        files=_converted("mlqa.{language}.{language}", "test", "validation"),
        languages=("ar", "de", "en", "es", "hi", "vi", "zh"),
        licence="CC-BY-SA-3.0",
        citation="Lewis et al. 2020: MLQA: Evaluating Cross-lingual Extractive Question "
        "Answering. ACL.",
    )
)
xquad = source_of(
    Published(
        name="xquad",
        summary="XQuAD: 1,190 questions of SQuAD, translated into eleven languages",
        repository="google/xquad",
        revision="51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
        files=_parquet("xquad.{language}", "validation"),
        languages=("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"),
        licence="CC-BY-SA-4.0",
        citation="Artetxe et al. 2020: On the Cross-lingual Transferability of Monolingual "
        "Representations. ACL.",
    )
)
xquad_in = source_of(
    Published(
        name="xquad-in",
        summary="XQuAD-IN of IndicGenBench: XQuAD in eleven languages of India, and English",
        repository="google/IndicGenBench_xquad_in",
        revision="c696cb4c89b52c0eda678a97b4eef9e75ce9206a",
        files={
            "train": ("xquad_{language}_train.json",),
            "validation": ("xquad_{language}_dev.json",),
            "test": ("xquad_{language}_test.json",),
        },
        languages=("as", "bn", "en", "gu", "hi", "kn", "ml", "mr", "or", "pa", "ta", "te"),
        licence="CC-BY-SA-4.0",
        citation="Singh et al. 2024: IndicGenBench: A Multilingual Benchmark to Evaluate "
        "Generation Capabilities of LLMs on Indic Languages. ACL.",
    ),
    read=_listed_examples,
)
indicqa = source_of(
    Published(
        name="indicqa",
        summary="IndicQA: eleven languages of India, some questions without an answer",
        repository="ai4bharat/IndicQA",
        revision="570d90ae4f7b64fe4fdd5f42fc9f9279b8c9fd9d",
        files={"test": ("data/indicqa.{language}.json",)},
        languages=("as", "bn", "gu", "hi", "kn", "ml", "mr", "or", "pa", "ta", "te"),
        licence="CC-BY-4.0",
        citation="Doddapaneni et al. 2023: Towards Leaving No Indic Language Behind. ACL.",
    )
)
korquad = source_of(
    Published(
        name="korquad",
        summary="KorQuAD 1.0: Korean Wikipedia, 66,000 questions",
        repository="KorQuAD/squad_kor_v1",
        revision="01aad23853355e5f4f6317eeaaa8186811424834",
        files=_parquet("squad_kor_v1", *_SQUAD_SPLITS),
        languages=("ko",),
        licence="CC-BY-ND-4.0",
        citation="Lim et al. 2019: KorQuAD1.0: Korean QA Dataset for Machine Reading "
        "Comprehension. arXiv:1909.07005.",
    )
)
jaquad = source_of(
    Published(
        name="jaquad",
        summary="JaQuAD: Japanese Wikipedia, 36,000 questions",
        repository="SkelterLabsInc/JaQuAD",
        revision="05600ff310a0970823e70f82f428893b85c71ffe",
        files={"train": ("data/train/*.json",), "validation": ("data/dev/*.json",)},
        languages=("ja",),
        licence="CC-BY-SA-3.0",
        citation="So et al. 2022: JaQuAD: Japanese Question Answering Dataset for Machine "
        "Reading Comprehension. arXiv:2202.01764.",
    )
)
germanquad = source_of(
    Published(
        name="germanquad",
        summary="GermanQuAD: German Wikipedia, 13,700 questions",
        repository="deepset/germanquad",
        revision="a2f3a59f0be843fc305d0417d7292ef0b1a66884",
        files=_converted("plain_text", "train", "test"),
        languages=("de",),
        licence="CC-BY-4.0",
        citation="Möller et al. 2021: GermanQuAD and GermanDPR: Improving Non-English Question "
        "Answering and Passage Retrieval. MRQA workshop.",
    )
)
fquad = source_of(
    Published(
        name="fquad",
        summary="FQuAD: French Wikipedia; its authors send it on request, for research only",
        files={"train": ("train.json",), "validation": ("valid.json",)},
        how="its authors send a link to those who ask for it on https://fquad.illuin.tech, for "
        "research that is not commercial; name the folder with train.json and valid.json by "
        "`folder`",
        languages=("fr",),
        licence="CC-BY-NC-SA-3.0",
        citation="d'Hoffschmidt et al. 2020: FQuAD: French Question Answering Dataset. Findings "
        "of EMNLP.",
    )
)
chaii = source_of(
    Published(
        name="chaii",
        summary="chaii of Kaggle: Hindi and Tamil, 1,114 questions with noisy labels",
        files={"train": ("train.csv",)},
        how="accept the competition's rules on "
        "https://www.kaggle.com/c/chaii-hindi-and-tamil-question-answering, get it by `kaggle "
        "competitions download -c chaii-hindi-and-tamil-question-answering`, unpack it, and name "
        "the folder with train.csv by `folder`",
        languages=("hi", "ta"),
        citation="Howard et al. 2021: chaii - Hindi and Tamil Question Answering. Kaggle.",
    )
)
