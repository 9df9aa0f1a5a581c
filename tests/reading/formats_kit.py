"""The same four rows in every format: name of a format to what writes a small file of it."""

import bz2
import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoqa.api import RawRow

PARIS = "🗼 Paris liegt an der Seine, und Paris ist groß.\nDie Stadt hat „zwei“ Ufer; mehr nicht."
GANGA = "नदी का नाम गंगा है और गंगा उत्तर में बहती है, कहते हैं।"


@dataclass(frozen=True)
class Fact:
    """A row of the kit."""

    id: str
    question: str
    context: str
    answer: str
    start: int
    language: str
    title: str

    @property
    def references(self) -> tuple[tuple[str, int | None], ...]:
        return ((self.answer, self.start),) if self.answer else ()


FACTS = (
    Fact("a-1", "Welche Stadt ist groß?", PARIS, "Paris", PARIS.rindex("Paris"), "de", "Paris"),
    Fact(
        "a-2",
        'Welche "Ufer", und wie viele?',
        PARIS,
        "„zwei“ Ufer",
        PARIS.index("„"),
        "de",
        "Paris",
    ),
    Fact("b-1", "नदी का नाम क्या है?", GANGA, "गंगा", GANGA.rindex("गंगा"), "hi", "Ganga"),
    Fact("b-2", "नदी कहाँ नहीं बहती?", GANGA, "", -1, "hi", "Ganga"),
)
assert all(fact.context.startswith(fact.answer, fact.start) for fact in FACTS if fact.answer)


@dataclass(frozen=True)
class Written:
    """How a format is written, and what of the rows it cannot say.

    Attributes:
        write: Writes the rows to a folder; returns the path to read.
        name: What the file is recognised as.
        ids: Whether rows keep their ids; they are numbered otherwise.
        language: Whether it says rows' languages.
        starts: Whether it says where answers start.
    """

    write: Callable[[Path], Path]
    name: str
    ids: bool = True
    language: bool = True
    starts: bool = True

    def expected(self) -> list[Fact]:
        rows = [fact if self.ids else replace(fact, id=str(n)) for n, fact in enumerate(FACTS, 1)]
        return rows if self.language else [replace(fact, language="") for fact in rows]


def features(fact: Fact) -> dict[str, Any]:
    """The Hugging Face features."""
    return {
        "id": fact.id,
        "question": fact.question,
        "context": fact.context,
        "answers": {
            "text": [fact.answer] if fact.answer else [],
            "answer_start": [fact.start] if fact.answer else [],
        },
        "language": fact.language,
        "title": fact.title,
    }


def changed(**changes: Callable[[Fact], Any]) -> list[dict[str, Any]]:
    """Rows with some features made otherwise; ``answers`` of None is left out."""
    rows = [features(fact) | {k: make(fact) for k, make in changes.items()} for fact in FACTS]
    return [{k: v for k, v in row.items() if v is not Ellipsis} for row in rows]


def pair(fact: Fact) -> list[dict[str, Any]]:
    return [{"text": fact.answer, "answer_start": fact.start}] if fact.answer else []


def text(name: str, make: Callable[[], str]) -> Callable[[Path], Path]:
    return data(name, lambda: make().encode())


def data(name: str, make: Callable[[], bytes]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(make())
        return path

    return write


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def lines(rows: Iterable[object]) -> str:
    return "".join(dumps(row) + "\n" for row in rows)


def table(rows: list[Mapping[str, Any]], delimiter: str = ",", end: str = "\n") -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def chaii() -> list[Mapping[str, Any]]:
    return [
        {
            "id": fact.id,
            "context": fact.context,
            "question": fact.question,
            "answer_text": fact.answer,
            "answer_start": fact.start if fact.answer else "",
            "language": fact.language,
        }
        for fact in FACTS
    ]


def by_title() -> dict[str, list[Fact]]:
    return {title: [fact for fact in FACTS if fact.title == title] for title in ("Paris", "Ganga")}


def below(facts: list[Fact], question: Callable[[Fact], dict[str, Any]]) -> dict[str, Any]:
    return {"context": facts[0].context, "qas": [question(fact) for fact in facts]}


def qa(fact: Fact, **more: Any) -> dict[str, Any]:
    row = {"id": fact.id, "question": fact.question, "answers": pair(fact)}
    return row | {"language": fact.language} | more


def squad(indent: int | None = None, **more: Any) -> str:
    articles = [
        {"title": title, "paragraphs": [below(facts, qa) | more]}
        for title, facts in by_title().items()
    ]
    return json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False, indent=indent)


def squad2() -> str:
    def question(fact: Fact) -> dict[str, Any]:
        plausible = {} if fact.answer else {"plausible_answers": [{"text": "x", "answer_start": 1}]}
        return qa(fact, is_impossible=not fact.answer) | plausible

    articles = [
        {"title": title, "paragraphs": [below(facts, question)]}
        for title, facts in by_title().items()
    ]
    return dumps({"version": "v2.0", "data": articles})


def mrqa() -> str:
    def question(fact: Fact) -> dict[str, Any]:
        last = fact.start + len(fact.answer) - 1  # MRQA's ends are inclusive
        return {
            "qid": fact.id,
            "question": fact.question,
            "question_tokens": [],
            "answers": [fact.answer] if fact.answer else [],
            "detected_answers": [
                {"text": fact.answer, "char_spans": [[fact.start, last]], "token_spans": [[0, 0]]}
            ]
            if fact.answer
            else [],
        }

    header = {"header": {"dataset": "Kit", "split": "train"}}
    rows = [
        below(facts, question) | {"id": "", "context_tokens": [["x", 0]]}
        for facts in by_title().values()
    ]
    return lines([header, *rows])


def bytes_of(fact: Fact) -> tuple[int, int]:
    if not fact.answer:
        return -1, -1
    begin = len(fact.context[: fact.start].encode())
    return begin, begin + len(fact.answer.encode())


def tydi(huggingface: bool) -> list[dict[str, Any]]:
    rows = []
    for fact in FACTS:
        begin, end = bytes_of(fact)
        row = {
            "document_plaintext": fact.context,
            "document_title": fact.title,
            "document_url": "https://example.org",
            "language": fact.language,
            "question_text": fact.question,
        }
        if huggingface:
            row["annotations"] = {
                "passage_answer_candidate_index": [0],
                "minimal_answers_start_byte": [begin],
                "minimal_answers_end_byte": [end],
                "yes_no_answer": ["NONE"],
            }
        else:
            row["example_id"] = fact.id
            row["annotations"] = [
                {
                    "annotation_id": 1,
                    "minimal_answer": {"plaintext_start_byte": begin, "plaintext_end_byte": end},
                    "passage_answer": {"candidate_index": 0},
                    "yes_no_answer": "NONE",
                }
            ]
        rows.append(row)
    return rows


def korquad() -> str:
    def question(fact: Fact) -> dict[str, Any]:
        answer = {
            "text": fact.answer,
            "answer_start": fact.start,
            "html_answer_start": 7,
            "html_answer_text": fact.answer,
        }
        return {"id": fact.id, "question": fact.question, "answer": answer}

    pages = [
        below(facts, question) | {"title": title, "url": "u", "raw_html": "<html></html>"}
        for title, facts in by_title().items()
    ]
    return dumps({"version": "KorQuAD_2.0_train", "data": pages})


def haystack_labels() -> str:
    return dumps(
        [
            {
                "id": fact.id,
                "query": fact.question,
                "document": {
                    "id": "d",
                    "content": fact.context,
                    "content_type": "text",
                    "meta": {"name": fact.title},
                },
                "is_correct_answer": True,
                "is_correct_document": True,
                "origin": "gold-label",
                "answer": {
                    "answer": fact.answer,
                    "type": "extractive",
                    "context": fact.context[:10],
                    "offsets_in_document": [
                        {"start": fact.start, "end": fact.start + len(fact.answer)}
                    ]
                    if fact.answer
                    else [{"start": 0, "end": 0}],
                },
                "meta": {},
            }
            for fact in FACTS
        ]
    )


def utf16(fact: Fact) -> int:
    return len(fact.context[: fact.start].encode("utf-16-le")) // 2


def label_studio(place: Callable[[Fact], int]) -> str:
    tasks = []
    for fact in FACTS:
        start = place(fact)
        value = {
            "start": start,
            "end": start + len(fact.answer),
            "text": fact.answer,
            "labels": ["Answer"],
        }
        result = {"value": value, "id": "r", "from_name": "answer", "to_name": "text"}
        cancelled = {"was_cancelled": True, "result": [result | {"value": value | {"start": 0}}]}
        tasks.append(
            {
                "id": fact.id,
                "data": {"text": fact.context, "question": fact.question, "title": fact.title}
                | {"language": fact.language},
                "annotations": [
                    {"id": 1, "was_cancelled": False, "result": [result] if fact.answer else []},
                    cancelled,
                ],
                "predictions": [],
            }
        )
    return dumps(tasks)


def label_studio_min() -> list[dict[str, Any]]:
    rows = []
    for fact in FACTS:
        span = {"start": fact.start, "end": fact.start + len(fact.answer), "labels": ["Answer"]}
        rows.append(
            {
                "text": fact.context,
                "question": fact.question,
                "language": fact.language,
                "id": fact.id,
                "label": [span | {"text": fact.answer}] if fact.answer else [],
                "annotator": 1,
                "annotation_id": 3,
                "lead_time": 1.5,
            }
        )
    return rows


def argilla(flat: bool) -> str:
    """What ``dataset.records.to_json``, or ``to_list(flatten=True)``, gives; offsets are UTF-16."""
    records = []
    for fact in FACTS:
        end = utf16(fact) + len(fact.answer.encode("utf-16-le")) // 2
        spans = [{"start": utf16(fact), "end": end, "label": "answer"}] if fact.answer else []
        fields = {"question": fact.question, "text": fact.context, "title": fact.title}
        record: dict[str, Any] = {"id": f"{fact.language}:{fact.id}", "status": "completed"}
        if flat:
            record |= fields | {"_server_id": "4d1b"}
            discarded = [{"start": 0, "end": 1, "label": "answer"}]
            record["answer.responses"] = [spans, discarded]
            record["answer.responses.status"] = ["submitted", "discarded"]
            record["answer.responses.users"] = ["u", "v"]
        else:
            response = {"value": spans, "user_id": "0e1a"}
            record |= {"fields": fields, "metadata": {}, "suggestions": {}, "vectors": {}}
            record |= {"responses": {"answer": [response]}, "_server_id": "4d1b"}
        records.append(record)
    return dumps(records)


def doccano(key: str, meta: bool = False) -> str:
    rows = []
    for fact in FACTS:
        end = fact.start + len(fact.answer)
        span: Any = [fact.start, end, "ANSWER"]
        if key in ("entities", "annotations"):
            span = {"id": 1, "label": "ANSWER", "start_offset": fact.start, "end_offset": end}
        beside = {"question": fact.question, "language": fact.language}
        rows.append(
            {"id": fact.id, "text": fact.context, key: [span] if fact.answer else []}
            | ({"meta": beside} if meta else beside)
        )
    return lines(rows)


def pandas_csv(frame: Callable[[Any], Any], **options: Any) -> Callable[[Path], Path]:
    """What ``to_csv`` makes of a frame; the frame comes from Parquet, so lists are arrays."""

    def write(folder: Path) -> Path:
        import pandas

        source = parquet(folder)
        made = frame(pandas.read_parquet(source))
        source.unlink()
        made.to_csv(folder / "pandas.csv", **({"index": False} | options))
        return folder / "pandas.csv"

    return write


def flattened(frame: Any) -> Any:
    """Columns as ``json_normalize`` and AutoTrain call them, cells arrays."""
    for key in ("text", "answer_start"):
        frame[f"answers.{key}"] = [answers[key] for answers in frame["answers"]]
    return frame.drop(columns="answers")


def parquet(folder: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(changed()), folder / "rows.parquet")
    return folder / "rows.parquet"


def arrow(stream: bool) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        import pyarrow

        rows = pyarrow.Table.from_pylist(changed())
        make = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
        with pyarrow.OSFile(str(folder / "rows.arrow"), "wb") as sink, make(sink, rows.schema) as w:
            w.write_table(rows, max_chunksize=3)
        return folder / "rows.arrow"

    return write


def saved(folder: Path) -> Path:
    """A folder as ``Dataset.save_to_disk`` writes it."""
    import datasets

    datasets.Dataset.from_list(changed()).save_to_disk(folder / "saved", num_shards=2)
    return folder / "saved"


FORMATS: dict[str, Written] = {
    "squad 1.1": Written(text("a.json", squad), "squad"),
    "squad 2.0": Written(text("a.json", squad2), "squad"),
    "squad, indented": Written(text("a.txt", lambda: squad(indent=2)), "squad"),
    "haystack annotation tool": Written(
        text("a.json", lambda: squad(document_id=17, dataset_id=3)), "squad"
    ),
    "run_qa": Written(text("a.json", lambda: dumps({"data": changed()})), "json"),
    "json list": Written(text("a.json", lambda: json.dumps(changed(), indent=1)), "json"),
    "one line of json": Written(text("a", lambda: dumps(changed())), "json"),
    "simpletransformers": Written(
        text(
            "a.json",
            lambda: dumps([below(f, qa) | {"title": t} for t, f in by_title().items()]),
        ),
        "simpletransformers",
    ),
    "jsonl, dict": Written(text("a.jsonl", lambda: lines(changed())), "jsonl"),
    "jsonl, list of dicts": Written(text("a.jsonl", lambda: lines(changed(answers=pair))), "jsonl"),
    "jsonl, list of texts": Written(
        text("a.jsonl", lambda: lines(changed(answers=lambda f: [f.answer] if f.answer else []))),
        "jsonl",
        starts=False,
    ),
    "jsonl, answer_text": Written(
        text(
            "a.json",
            lambda: lines(
                changed(
                    answers=lambda f: ...,
                    answer_text=lambda f: f.answer,
                    answer_start=lambda f: float(f.start),
                )
            ),
        ),
        "jsonl",
    ),
    "jsonl, no ids": Written(
        text("a.ndjson", lambda: lines(changed(id=lambda f: ...))), "jsonl", ids=False
    ),
    "jsonl.gz": Written(
        data("a.jsonl.gz", lambda: gzip.compress(lines(changed()).encode())), "jsonl"
    ),
    "gzip without its name": Written(
        data("a", lambda: gzip.compress(lines(changed()).encode())), "jsonl"
    ),
    "jsonl.bz2": Written(data("a.bz2", lambda: bz2.compress(lines(changed()).encode())), "jsonl"),
    "csv.xz": Written(data("a.csv.xz", lambda: lzma.compress(table(chaii()).encode())), "csv"),
    "chaii": Written(text("a.csv", lambda: table(chaii())), "csv"),
    "chaii, Windows": Written(
        data("a.csv", lambda: b"\xef\xbb\xbf" + table(chaii(), end="\r\n").encode()), "csv"
    ),
    "csv, semicolons": Written(text("a.csv", lambda: table(chaii(), ";")), "csv"),
    "csv, sep=;": Written(text("a.csv", lambda: "sep=;\n" + table(chaii(), ";")), "csv"),
    "csv, bars": Written(text("a.csv", lambda: table(chaii(), "|")), "csv"),
    "tsv": Written(text("a.csv", lambda: table(chaii(), "\t")), "tsv"),
    "tsv, quotes are letters": Written(
        text(
            "a.tsv",
            lambda: (
                "\t".join(chaii()[0])
                + "\n"
                + "".join("\t".join(map(str, row.values())) + "\n" for row in chaii() if row)
                .replace(".\nDie", ".\\nDie")
                .replace(".\\nDie", ". Die")
            ),
        ),
        "tsv",
    ),
    "csv, answers in JSON": Written(
        text("a.csv", lambda: table(changed(answers=lambda f: dumps(features(f)["answers"])))),
        "csv",
    ),
    "csv, answers in Python": Written(
        text("a.csv", lambda: table(changed(answers=lambda f: str(features(f)["answers"])))), "csv"
    ),
    "csv, list of dicts": Written(
        text("a.csv", lambda: table(changed(answers=lambda f: str(pair(f))))), "csv"
    ),
    "csv of pandas, arrays": Written(pandas_csv(lambda frame: frame), "csv"),
    "csv of pandas, index": Written(pandas_csv(lambda frame: frame, index=True), "csv"),
    "csv of pandas, columns": Written(pandas_csv(flattened), "csv"),
    "autotrain": Written(
        text(
            "a.csv",
            lambda: table(
                [
                    {
                        "text": fact.context,
                        "question": fact.question,
                        "answers.text": [fact.answer] if fact.answer else [],
                        "answers.answer_start": [fact.start] if fact.answer else [],
                    }
                    for fact in FACTS
                ]
            ),
        ),
        "csv",
        ids=False,
        language=False,
    ),
    "autotrain, answer": Written(
        text(
            "a.csv",
            lambda: table(
                [
                    {"text": fact.context, "question": fact.question, "answer": fact.answer}
                    for fact in FACTS
                ]
            ),
        ),
        "csv",
        ids=False,
        language=False,
        starts=False,
    ),
    "parquet": Written(parquet, "parquet"),
    "arrow file": Written(arrow(stream=False), "arrow"),
    "arrow stream": Written(arrow(stream=True), "arrow"),
    "save_to_disk": Written(saved, "dataset"),
    "mrqa": Written(
        data("a.jsonl.gz", lambda: gzip.compress(mrqa().encode())), "mrqa", language=False
    ),
    "tydi": Written(text("a.jsonl", lambda: lines(tydi(False))), "tydi"),
    "tydi of datasets": Written(text("a.jsonl", lambda: lines(tydi(True))), "tydi", ids=False),
    "korquad": Written(text("a.json", korquad), "korquad", language=False),
    "haystack labels": Written(text("a.json", haystack_labels), "haystack", language=False),
    "label studio": Written(
        text("a.json", lambda: label_studio(lambda f: f.start)), "label-studio"
    ),
    "label studio, UTF-16": Written(text("a.json", lambda: label_studio(utf16)), "label-studio"),
    "label studio min": Written(text("a.json", lambda: dumps(label_studio_min())), "label-studio"),
    "label studio csv": Written(
        text(
            "a.csv",
            lambda: table([row | {"label": dumps(row["label"])} for row in label_studio_min()]),
        ),
        "label-studio",
    ),
    "argilla": Written(text("a.json", lambda: argilla(flat=False)), "argilla"),
    "argilla, flat": Written(text("a.json", lambda: argilla(flat=True)), "argilla"),
    "doccano": Written(text("a.jsonl", lambda: doccano("label")), "doccano"),
    "doccano, labels, meta": Written(
        text("a.jsonl", lambda: doccano("labels", meta=True)), "doccano"
    ),
    "doccano, entities": Written(text("a.jsonl", lambda: doccano("entities")), "doccano"),
}
"""Every way of writing :data:`FACTS`, by a name for people."""


def differences(written: Written, rows: list[RawRow]) -> list[str]:
    """How rows differ from what the file says; a file that cannot hold line feeds has blanks."""
    found = []
    expected = written.expected()
    if len(rows) != len(expected):
        return [f"{len(rows)} rows, expected {len(expected)}"]
    for row, fact in zip(rows, expected, strict=True):
        references = (
            fact.references
            if written.starts
            else tuple((text, None) for text, _ in fact.references)
        )
        same = (
            row.problem == ""
            and row.labelled
            and (row.id, row.question, row.language) == (fact.id, fact.question, fact.language)
            and row.context.replace("\n", " ") == fact.context.replace("\n", " ")
            and row.answers == references
            and row.numbered is not written.ids
        )
        if not same:
            found.append(f"{row} is not {fact}")
    return found
