"""Small repositories with the layout and the columns of the published ones, and rows of our own."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hub_mirror import HubMirror

CONTEXT = "Mabitin Kingsley founded Kimemport in 1904, beside the river Oru."
TEXTS = {
    "hi": ("ओरु नदी के किनारे किमेम है।", "किमेम कहाँ है?", "ओरु नदी के किनारे"),
    "ta": ("கிமேம் ஓரு ஆற்றின் கரையில் உள்ளது.", "கிமேம் எங்கே உள்ளது?", "ஓரு ஆற்றின் கரையில்"),
    "en": (CONTEXT, "Who founded Kimemport?", "Mabitin Kingsley"),
}

ANSWERS = pa.struct({"text": pa.list_(pa.string()), "answer_start": pa.list_(pa.int32())})
SQUAD = pa.schema(
    {
        "id": pa.string(),
        "title": pa.string(),
        "context": pa.string(),
        "question": pa.string(),
        "answers": ANSWERS,
    }
)
SPANS = pa.struct({"start": pa.list_(pa.int32()), "end": pa.list_(pa.int32())})
MRQA = pa.schema(
    {
        "subset": pa.string(),
        "context": pa.string(),
        "context_tokens": pa.struct(
            {"tokens": pa.list_(pa.string()), "offsets": pa.list_(pa.int32())}
        ),
        "qid": pa.string(),
        "question": pa.string(),
        "detected_answers": pa.struct(
            {"text": pa.list_(pa.string()), "char_spans": pa.list_(SPANS)}
        ),
        "answers": pa.list_(pa.string()),
    }
)
PLACE = {
    "start_token": pa.int64(),
    "end_token": pa.int64(),
    "start_byte": pa.int64(),
    "end_byte": pa.int64(),
}
SHORT = pa.struct({key: pa.list_(pa.int64()) for key in PLACE} | {"text": pa.list_(pa.string())})
NATURAL_QUESTIONS = pa.schema(
    {
        "id": pa.string(),
        "document": pa.struct(
            {
                "html": pa.string(),
                "title": pa.string(),
                "tokens": pa.struct(
                    {
                        "end_byte": pa.list_(pa.int64()),
                        "is_html": pa.list_(pa.bool_()),
                        "start_byte": pa.list_(pa.int64()),
                        "token": pa.list_(pa.string()),
                    }
                ),
                "url": pa.string(),
            }
        ),
        "question": pa.struct({"text": pa.string(), "tokens": pa.list_(pa.string())}),
        "annotations": pa.struct(
            {
                "id": pa.list_(pa.string()),
                "long_answer": pa.list_(pa.struct(PLACE | {"candidate_index": pa.int64()})),
                "short_answers": pa.list_(SHORT),
                "yes_no_answer": pa.list_(pa.int64()),
            }
        ),
    }
)


def write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SQUAD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def row(language: str, name: str, *, answered: bool = True) -> dict[str, Any]:
    """A question with the columns of SQuAD, whose id is given."""
    context, question, answer = TEXTS[language]
    texts = [answer] if answered else []
    starts = [context.index(answer)] if answered else []
    answers = {"text": texts, "answer_start": starts}
    return {
        "id": name,
        "title": f"{name} title",
        "context": context,
        "question": question,
        "answers": answers,
    }


def article(language: str, name: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    context, question, _ = TEXTS[language]
    question_and_answers = {"id": name, "question": question, "answers": answers}
    return {
        "title": f"{name} title",
        "paragraphs": [{"context": context, "qas": [question_and_answers]}],
    }


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def mrqa_row(subset: str, name: str, *, found: bool = True) -> dict[str, Any]:
    start = CONTEXT.index("1904")
    spans = [{"start": [start], "end": [start + 3]}] if found else []
    return {
        "subset": subset,
        "context": CONTEXT,
        "context_tokens": {"tokens": [], "offsets": []},
        "qid": name,
        "question": "When was Kimemport founded?",
        "detected_answers": {"text": ["1904"] * len(spans), "char_spans": spans},
        "answers": ["1904"],
    }


def page(
    name: str, spans: list[tuple[int, int]], *, long: tuple[int, int] = (2, 9)
) -> dict[str, Any]:
    """A page whose paragraph is the tokens 2 to 9; spans are of a short answer in it."""
    words = ["<P>", "About", "<P>", "Kimemport", "lies", "<B>", "beside", "the", "Oru", "</P>"]
    tokens = {
        "token": words,
        "is_html": [word.startswith("<") for word in words],
        "start_byte": [0] * len(words),
        "end_byte": [0] * len(words),
    }
    places = dict.fromkeys(("start_byte", "end_byte"), 0)
    answer = {"start_token": long[0], "end_token": long[1], "candidate_index": 0} | places
    short = {
        "start_token": [start for start, _ in spans],
        "end_token": [end for _, end in spans],
        "start_byte": [0] * len(spans),
        "end_byte": [0] * len(spans),
        "text": ["" for _ in spans],
    }
    return {
        "id": name,
        "document": {"html": "<html>", "title": "Kimemport", "tokens": tokens, "url": ""},
        "question": {"text": "what does kimemport lie beside", "tokens": []},
        "annotations": {
            "id": ["1"],
            "long_answer": [answer],
            "short_answers": [short],
            "yes_no_answer": [-1],
        },
    }


def fill(mirror: HubMirror) -> None:
    """Puts all repositories of the published sources on a mirror, one or two rows each."""

    def place(name: str) -> Path:
        return mirror.repository("datasets", name)

    for name, folder, language in (
        ("rajpurkar/squad", "plain_text", "en"),
        ("rajpurkar/squad_v2", "squad_v2", "en"),
        ("KorQuAD/squad_kor_v1", "squad_kor_v1", "en"),
    ):
        for split in ("train", "validation"):
            rows = [
                row(language, f"{split}-1"),
                row(language, f"{split}-2", answered="v2" not in name),
            ]
            write(place(name) / folder / f"{split}-00000-of-00001.parquet", rows)
    rows = [row("en", "english-12-0"), row("hi", "telugu-5-1"), row("en", "telugu-6-0")]
    tydi = place("google-research-datasets/tydiqa") / "secondary_task"
    write(tydi / "train-00000-of-00001.parquet", rows)
    write(tydi / "validation-00000-of-00001.parquet", rows)
    for language in ("hi", "en"):
        rows = [row(language, "56"), row(language, "57")]
        xquad = place("google/xquad") / f"xquad.{language}"
        write(xquad / "validation-00000-of-00001.parquet", rows)
        converted = place("facebook/mlqa") / ".revisions" / "refs" / "convert" / "parquet"
        write(converted / f"mlqa.{language}.{language}" / "test" / "0000.parquet", rows)
    (place("facebook/mlqa") / "mlqa.py").write_text("raise AssertionError")
    for split in ("train", "test"):
        german = place("deepset/germanquad") / "plain_text" / split / "0000.parquet"
        write(german, [row("en", f"{split}-1")])
    japanese = place("SkelterLabsInc/JaQuAD") / "data"
    answer = {"text": "Kimemport", "answer_start": CONTEXT.index("Kimemport"), "answer_type": "X"}
    for number in range(2):
        content = {"version": "1", "data": [article("en", f"tr-{number}", [answer])]}
        dump(japanese / "train" / f"jaquad_train_{number:04d}.json", content)
    dump(japanese / "dev" / "jaquad_dev_0000.json", content)
    for language in ("hi", "ta"):
        text = TEXTS[language][2]
        known = [{"text": text, "answer_start": TEXTS[language][0].index(text)}]
        articles = [
            article(language, "1", known),
            article(language, "2", [{"text": "", "answer_start": None}]),
            article(language, "3", [{"text": text, "answer_start": -1}]),
        ]
        path = place("ai4bharat/IndicQA") / "data" / f"indicqa.{language}.json"
        dump(path, {"version": 1.0, "data": articles})
        plain = row(language, "58") | {"answers": known, "lang": language}
        path = place("google/IndicGenBench_xquad_in") / f"xquad_{language}_test.json"
        dump(path, {"canary": "not for training", "examples": [plain]})
    mrqa = place("mrqa-workshop/mrqa") / "plain_text"
    for number in range(9):
        subset = "SQuAD" if number < 4 else "HotpotQA"
        rows = [mrqa_row(subset, f"{number}-a"), mrqa_row(subset, f"{number}-b", found=False)]
        write(mrqa / f"train-{number:05d}-of-00009.parquet", rows, MRQA)
    write(mrqa / "validation-00000-of-00001.parquet", [mrqa_row("BioASQ", "v")], MRQA)
    pages = [
        page("1", [(8, 9)]),
        page("2", []),
        page("3", [(4, 8)], long=(-1, -1)),
        page("4", [(3, 5), (6, 9)]),
    ]
    questions = place("google-research-datasets/natural_questions") / "default"
    for number in range(3):
        write(questions / f"train-{number:05d}-of-00287.parquet", pages, NATURAL_QUESTIONS)
