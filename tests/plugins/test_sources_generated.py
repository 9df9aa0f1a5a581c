"""Generated questions: candidates, contexts, two models, and which rows are kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from autoqa_sources.generated.candidates import candidate_answers, common_words
from autoqa_sources.generated.contexts import contexts
from autoqa_sources.generated.options import GeneratedOptions
from autoqa_sources.generated.spec import candidates, overlap, prompt, spec
from generation_kit import write_answerer, write_asker
from hub_mirror import hub_environment, run_elsewhere, serving
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from translation_kit import write_nllb

from autoqa.api import ConfigError, DataError, Examples
from autoqa.data.checks import checked
from autoqa.testing import run_checks
from tests.conftest import Run
from tests.toy_study import write_study

TEXTS = (
    "Asha was born in Pune on 3 May 1901. Her brother Ravi sold 200 books.",
    "The river Mula rises near Bhor. It is 64 km long, and floods “Lower Town” often.",
    "महात्मा गांधी का जन्म 1869 में हुआ था। उनके पिता दीवान थे।",
)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_asker(tmp_path_factory.mktemp("asker"), TEXTS)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    rows = [{"context": text, "language": "en", "title": f"T{n}"} for n, text in enumerate(TEXTS)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def options(file: Path, generator: Path | str, **more: Any) -> GeneratedOptions:
    own = {"answers_per_context": 99, "beams": 1, "prompt": "{answer} ?"} | more
    return GeneratedOptions(path=str(file), generator=str(generator), **own)


def load(file: Path, generator: Path, **more: Any) -> Examples:
    made = spec.load(options(file, generator, **more))
    assert isinstance(made, Examples)
    return made


# -- candidates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, wanted",
    [
        (TEXTS[0], ["Pune", "3 May 1901", "Ravi", "200"]),
        (TEXTS[1], ["Mula", "Bhor", "64", "Lower Town"]),
        ("He left. Ada Byron came on July 28, 1750", ["Ada Byron", "July 28, 1750"]),
        ("彼は1868年に「東京」へ来た。", ["1868", "東京"]),
        ("nothing here", []),
    ],
)
def test_candidates_need_no_language(text: str, wanted: list[str]) -> None:
    assert [text[low:high] for low, high in candidate_answers(text, frozenset())] == wanted


def test_rare_words_of_scripts_without_case_are_candidates() -> None:
    others = [f"{word} का जन्म में हुआ था" for word in ("राम", "सीता")]
    common = common_words([TEXTS[2], *others])
    found = [TEXTS[2][low:high] for low, high in candidate_answers(TEXTS[2], common)]
    assert found == ["महात्मा गांधी", "1869", "उनके पिता दीवान"]


@given(st.text("aAbB1०क गा“”.,\n京", max_size=80))
def test_candidates_lie_apart_inside_the_text(text: str) -> None:
    found = candidate_answers(text, frozenset())
    edges = [edge for span in found for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= low < high <= len(text) and text[low:high].strip() for low, high in found)


# -- contexts --------------------------------------------------------------------------------------


def test_texts_come_from_rows_questions_and_plain_text(tmp_path: Path, file: Path) -> None:
    of_rows = contexts(options(file, "m"))
    assert [(each.text, each.document) for each in of_rows] == [
        (text, f"T{n}") for n, text in enumerate(TEXTS)
    ]
    squad = tmp_path / "squad.json"
    asked = [{"id": str(n), "question": "?", "answers": []} for n in range(2)]
    paragraph = {"context": TEXTS[0], "qas": asked}
    squad.write_text(json.dumps({"data": [{"title": "Asha", "paragraphs": [paragraph]}]}))
    (of_squad,) = contexts(options(squad, "m", language="en"))
    assert (of_squad.text, of_squad.document, of_squad.language) == (TEXTS[0], "Asha", "en")
    plain = tmp_path / "notes.txt"
    plain.write_text("\n\n".join(TEXTS[:2]))
    cut = contexts(options(plain, "m", language="en", longest_context=100))
    assert [each.text for each in cut] == [TEXTS[0], TEXTS[1]]
    assert {each.document for each in cut} == {"notes.txt"}
    renamed = tmp_path / "renamed.csv"
    renamed.write_text("body,lang\nSome text.,en\n")
    (of_csv,) = contexts(options(renamed, "m", columns={"context": "body"}))
    assert of_csv.text == "Some text."


@pytest.mark.parametrize(
    "content, sentence",
    [
        ('{"context": "Some text."}', "texts.jsonl:1: its language is '', no ISO code; give the"),
        ('{"context": 3, "language": "en"}', "texts.jsonl:1: "),
        ('{"context": " ", "language": "en"}', "it holds no text"),
    ],
)
def test_texts_that_cannot_be_used_are_named(file: Path, content: str, sentence: str) -> None:
    file.write_text(content)
    with pytest.raises(DataError, match=sentence):
        contexts(options(file, "m"))


def test_text_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"a.txt: it is no UTF-8 text"):
        contexts(options(tmp_path / "a.txt", "m", language="en"))


def test_the_seed_draws_contexts_and_answers(file: Path) -> None:
    texts = contexts(options(file, "m"))
    one = candidates(texts, options(file, "m", answers_per_context=2, contexts=2))
    assert one == candidates(texts, options(file, "m", answers_per_context=2, contexts=2))
    assert len({each.context.text for each in one}) == 2
    assert len(one) == 4
    drawn = {
        tuple(candidates(texts, options(file, "m", answers_per_context=2, contexts=2, seed=seed)))
        for seed in range(8)
    }
    assert len(drawn) > 3
    # A context's answers do not depend on which others are there.
    all_of = candidates(texts, options(file, "m", answers_per_context=2))
    assert {each.text for each in all_of if each.context == texts[1]} == {
        each.text for each in candidates(texts[1:2], options(file, "m", answers_per_context=2))
    }


def test_prompts_mark_the_answer(file: Path) -> None:
    first = candidates(contexts(options(file, "m")), options(file, "m"))[0]
    said = prompt(first, GeneratedOptions(path=str(file), generator="m"))
    assert said == f"generate question: {TEXTS[0].replace('Pune', '<hl> Pune <hl>')}"
    own = options(file, "m", prompt="answer: {answer} context: {context}")
    assert prompt(first, own) == f"answer: Pune context: {TEXTS[0]}"


@pytest.mark.parametrize("wrong", ["no answer", "{context}", "{question}", "{highlighted"])
def test_prompts_are_checked(file: Path, wrong: str) -> None:
    with pytest.raises(ValidationError, match="prompt"):
        options(file, "m", prompt=wrong)


# -- models ----------------------------------------------------------------------------------------


def test_rows_are_exact_and_made_once(
    file: Path, asker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load(file, asker)
    assert checked(made, "s")
    spans = {(text, *span) for text in TEXTS for span in candidate_answers(text, frozenset())}
    assert {(e.context, e.answers[0].start, e.answers[0].end) for e in made} <= spans
    assert len({each.id for each in made}) == len(made) > 4
    assert {each.document for each in made} == {"T0", "T1", "T2"}
    (note,) = made.notes
    assert f"{len(made)} for " in note
    assert "kept without being answered" in note
    monkeypatch.setattr("transformers.AutoModelForSeq2SeqLM.from_pretrained", None)
    assert load(file, asker) == made


def test_only_questions_that_are_answered_alike_are_kept(
    file: Path, asker: Path, tmp_path: Path
) -> None:
    """Of each text the answerer knows one word: questions about others are dropped."""
    answerer = write_answerer(tmp_path / "answerer", TEXTS, ["Pune", "64", "1869"])
    everything = load(file, asker)
    made = load(file, asker, answerer=str(answerer))
    asked = {each.answers[0].text for each in everything} & {"Pune", "64", "1869"}
    assert {each.answers[0].text for each in made} == asked
    assert asked
    assert f"{len(everything)} for " in made.notes[0]
    assert f"; {len(made)} kept, whose answer by {answerer} has an overlap of 0.5" in made.notes[0]
    assert load(file, asker, answerer=str(answerer)) == made
    unknown = write_answerer(tmp_path / "other", TEXTS, ["born"])
    with pytest.raises(DataError, match=r"has a question that is kept, .* were asked; lower"):
        load(file, asker, answerer=str(unknown), agreement=0.9)


def test_what_is_to_make_is_counted_and_not_made(file: Path, asker: Path, tmp_path: Path) -> None:
    answerer = write_answerer(tmp_path / "answerer", TEXTS, ["Pune", "64", "1869"])
    asked, both = options(file, asker), options(file, asker, answerer=str(answerer))
    total = len(candidates(contexts(asked), asked))
    for own in (asked, both):
        assert f"{asker} has {total} of {total} answers in 3 texts" in str(spec.to_make(own))
    assert not (tmp_path / "cache").exists()
    made = spec.load(asked)
    assert spec.to_make(asked) is None
    assert f"{answerer} has {len(made)} questions yet to answer" in str(spec.to_make(both))
    spec.load(both)
    assert spec.to_make(both) is None


def test_a_dry_run_makes_nothing(
    file: Path, asker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    source = f"""[sources.asked]
type = "generated-questions"
path = "{file}"
generator = "{asker}"
prompt = "{{answer}} ?"
beams = 1
[sources.train]"""
    portions = '[{ source = "train" }, { source = "asked", include = "search" }]'
    study = write_study(tmp_path)
    text = study.read_text().replace('[{ source = "train" }]', portions)
    study.write_text(text.replace("[sources.train]", source))
    code, out, err = run("search", study, "--dry-run", "--json")
    assert code == 0, err
    plan = json.loads(out)
    assert list(plan["sources"]) == ["train"]
    assert plan["validation"]["public"]
    assert "is without sources.asked" in plan["notes"][0]
    assert not list((tmp_path / "cache").rglob("*.sqlite"))
    out = run("search", study, "--dry-run")[1]
    assert f"source asked (generated-questions): {plan['to_make']['asked']}" in out
    made = spec.load(
        GeneratedOptions(path=str(file), generator=str(asker), prompt="{answer} ?", beams=1)
    )
    plan = json.loads(run("search", study, "--dry-run", "--json")[1])
    assert plan["to_make"] == {}
    assert sum(plan["sources"]["asked"].values()) == len(made)
    # Without another source there is nothing that could be counted.
    study.write_text(text.replace("[sources.train]", source).replace('{ source = "train" }, ', ""))
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    plan = json.loads(run("search", study, "--dry-run", "--json")[1])
    assert (plan["sources"], list(plan["to_make"])) == ({}, ["asked"])


def test_answers_are_found_in_every_window(tmp_path: Path, asker: Path) -> None:
    text = " ".join(["was"] * 700) + " in Pune ."
    answerer = write_answerer(tmp_path / "answerer", [text], ["Pune"])
    long = tmp_path / "long.txt"
    long.write_text(text)
    own = {"language": "en", "longest_context": 5000, "answerer": str(answerer)}
    (made,) = load(long, asker, **own)
    assert made.answers[0].text == "Pune"
    assert made.answers[0].start == text.index("Pune")


@pytest.mark.parametrize(
    "one, other, wanted",
    [("3 May 1901", "May 1901.", 2 / 3), ("東京都", "東京", 2 / 3), ("a", "b", 0), ("", "", 0)],
)
def test_overlap_is_that_of_words(one: str, other: str, wanted: float) -> None:
    assert overlap(one, other) == pytest.approx(wanted)


def test_models_of_another_kind_are_named(file: Path, asker: Path, tmp_path: Path) -> None:
    answerer = write_answerer(tmp_path / "answerer", TEXTS, ["Pune"])
    with pytest.raises(ConfigError, match=r"^generator: .* cannot be loaded as a sequence-to-seq"):
        load(file, answerer)
    nllb = write_nllb(tmp_path / "nllb")
    with pytest.raises(ConfigError, match=r"^answerer: .* cannot be loaded as an extractive"):
        load(file, asker, answerer=str(nllb))


def test_what_is_missing_is_said(file: Path, asker: Path, tmp_path: Path) -> None:
    assert spec.missing(options(file, asker)) is None
    assert "there is no file" in str(spec.missing(options(tmp_path / "none.csv", asker)))
    assert "does not exist" in str(spec.missing(options(file, tmp_path / "none")))
    sentence = spec.missing(options(file, asker, answerer=str(tmp_path / "none")))
    assert "does not exist" in str(sentence)


CODE = """
import sys
from autoqa_sources.generated.spec import spec
from autoqa_sources.generated.options import GeneratedOptions
options = GeneratedOptions(path=sys.argv[1], generator="someone/asker", answerer="someone/reader")
print(spec.missing(options))
print([each.name for each in spec.downloads(options)])
for each in spec.downloads(options):
    each.fetch(lambda received: None)
print(spec.missing(options), spec.downloads(options))
"""


def test_models_of_the_hub_are_fetched(file: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "served") as mirror:
        write_asker(mirror.repository("models", "someone/asker"), TEXTS)
        reader = mirror.repository("models", "someone/reader")
        write_answerer(reader, TEXTS, ["Pune", "64", "1869"])
        environment = hub_environment(mirror.address, tmp_path / "home")
        done = run_elsewhere(CODE, str(file), environment=environment)
    assert done.returncode == 0, done.stderr
    lacking, names, after = done.stdout.splitlines()
    assert lacking.startswith("the model someone/asker (revision main) is not in the local")
    assert "someone/asker" in names
    assert "someone/reader" in names
    assert after == "None []"


def test_the_kit_has_no_objection(file: Path, asker: Path) -> None:
    results = run_checks(spec, options(file, asker))
    assert [each for each in results if each.outcome == "failed"] == []
