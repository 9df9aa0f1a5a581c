"""From sources to training, public and private examples."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoqa.api import Answer, DataError, Examples, MissingAssetError
from autoqa.data import StudyData, prepare_data
from autoqa.errors import PluginError
from tests.data.stand_in import BoundStudy, bind, example, examples


def error(bound: BoundStudy) -> str:
    with pytest.raises(DataError) as caught:
        prepare_data(bound)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_parts_are_disjoint_and_complete() -> None:
    target = examples(range(100))
    data = prepare_data(bind({"hi": target}, {"source": "hi", "share": 0.5}))
    parts = (data.train["hi"], data.public, data.private)
    assert [len(part) for part in parts] == [50, 20, 30]
    assert {one.id for part in parts for one in part} == {one.id for one in target}
    assert {one.source for part in parts for one in part} == {"hi"}


def test_source_that_only_validates_is_not_trained_on() -> None:
    bound = bind(
        {"hi": examples(range(10)), "en": examples(range(10, 20), language="en", prefix="r")},
        {"source": "hi"},
        [{"source": "en"}],
    )
    data = prepare_data(bound)
    assert set(data.train) == {"en"}
    assert len(data.public) + len(data.private) == 10
    assert data.languages("en") == ("en",)
    assert data.languages("hi") == ()


def test_only_sources_that_are_used_are_loaded() -> None:
    def never(options: object) -> Any:
        raise AssertionError("loaded")

    portions = [{"source": "hi"}, {"source": "off", "include": False}]
    sources = {"hi": examples(range(40)), "off": never, "unused": never}
    data = prepare_data(bind(sources, {"source": "hi", "share": 0.5}, portions))
    assert set(data.train) == {"hi"}


def test_a_source_in_two_slots_is_loaded_once() -> None:
    loads = []

    def load(options: object) -> Any:
        loads.append(options)
        return examples(range(40))

    portions = [{"source": "hi", "name": "one"}, {"source": "hi", "name": "two"}]
    prepare_data(bind({"hi": load}, {"source": "hi", "share": 0.5}, portions))
    assert len(loads) == 1


def test_languages_are_sorted() -> None:
    mixed = examples(range(4), language="ta", prefix="r") + examples(range(4), language="bn")
    bound = bind(
        {"hi": examples(range(50, 60), prefix="v"), "mixed": mixed},
        {"source": "hi"},
        [{"source": "mixed"}],
    )
    assert prepare_data(bound).languages("mixed") == ("bn", "ta")


# -- checks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"answers": (Answer("answer3", 0),)}, "expected the answer 'answer3' at character 0"),
        ({"answers": (Answer("answer3", -7),)}, "at character -7 of the context, found ''"),
        ({"answers": (Answer("", 3),)}, "an answer is empty"),
        ({"language": "hindi"}, "language must be an ISO 639 code such as 'hi', found 'hindi'"),
        ({"question": "  "}, "question is empty"),
        ({"document": ""}, "document is empty"),
        ({"id": 3}, "id must be text, found 3"),
    ],
)
def test_bad_row_of_any_plugin_is_named(changes: dict[str, Any], expected: str) -> None:
    rows = [*examples(range(3)), replace(example(3), **changes)]
    said = error(bind({"hi": rows}, {"source": "hi"}))
    assert said.startswith("sources.hi: row 4, id ")
    assert expected in said


def test_row_that_is_no_example() -> None:
    assert "row 1 is dict, not Example" in error(bind({"hi": [{}]}, {"source": "hi"}))


def test_empty_source() -> None:
    assert "sources.hi: it holds no examples" in error(bind({"hi": []}, {"source": "hi"}))


def test_all_sources_that_cannot_be_used_are_named_at_once() -> None:
    def broken(options: object) -> Any:
        raise DataError("oh.jsonl:3: no.")

    sources = {"hi": broken, "en": examples(range(10)), "none": []}
    bound = bind(sources, {"source": "hi"}, [{"source": "en"}, {"source": "none"}])
    with pytest.raises(DataError) as caught:
        prepare_data(bound)
    first, second = str(caught.value).splitlines()
    assert first == "sources.hi: oh.jsonl:3: no."
    assert second.startswith("sources.none: it holds no examples")


def test_errors_of_a_plugin_get_the_name_of_the_source() -> None:
    def missing(options: object) -> Any:
        raise MissingAssetError("there is no file 'x'.")

    def broken(options: object) -> Any:
        yield example(1)
        raise KeyError("answers")

    with pytest.raises(MissingAssetError, match=r"^sources\.hi: there is no file 'x'\.$"):
        prepare_data(bind({"hi": missing}, {"source": "hi"}))
    with pytest.raises(PluginError, match=r"sources\.hi: the plugin 'list' .* KeyError"):
        prepare_data(bind({"hi": broken}, {"source": "hi"}))


def test_notes_of_a_plugin_are_passed_on() -> None:
    rows = Examples(examples(range(10)), notes=["3 rows dropped."])
    data = prepare_data(bind({"hi": rows}, {"source": "hi", "share": 0.5}))
    assert "sources.hi: 3 rows dropped." in data.notes


# -- overlap and emptiness -----------------------------------------------------------------------


def prepared(train: list[Any], validation: list[Any] | None = None) -> StudyData:
    sources = {"hi": validation or examples(range(10)), "more": train}
    return prepare_data(bind(sources, {"source": "hi"}, [{"source": "more"}]))


def test_training_rows_that_overlap_are_removed_and_counted() -> None:
    target = examples(range(10))
    fresh = example(100, prefix="t")
    spaced = replace(example(101, prefix="t"), context=target[0].context.replace(" ", " \n"))
    spaced = replace(spaced, answers=())
    translated = replace(example(102, prefix="t", language="en"), id=target[1].id)
    asked = example(
        103,
        prefix="t",
        question=target[2].question.upper(),
        context="Elsewhere, Answer2 is told too.",
        answers=(Answer("Answer2", 11),),
    )
    data = prepared([fresh, spaced, translated, asked], target)
    assert [one.id for one in data.train["more"]] == [fresh.id]
    assert (
        "sources.more: 3 of 4 rows left out of training: 1 with a context of the validation set, "
        "1 with the id of one of its questions, as translations have, "
        "1 with one of its questions, as it is or nearly, and the same answer."
    ) in data.notes
    assert [(leak.id, leak.held, leak.reason) for leak in data.leaks] == [
        (spaced.id, target[0].id, "context"),
        (translated.id, target[1].id, "id"),
        (asked.id, target[2].id, "question"),
    ]


def test_source_with_nothing_left_says_why() -> None:
    target = examples(range(10))
    said = error(bind({"hi": target, "more": target}, {"source": "hi"}, [{"source": "more"}]))
    assert "sources.more: nothing is left to train on; of its 10 rows 10 overlap" in said
    said = error(bind({"hi": target}, {"source": "hi", "share": 0.96}))
    assert "sources.hi: nothing is left to train on; of its 10 rows 10 belong to documents" in said


def test_source_without_answers_cannot_be_trained_on() -> None:
    target, silent = examples(range(10)), [replace(one, answers=()) for one in examples([50, 51])]
    sources = {"hi": target, "more": silent}
    said = error(bind(sources, {"source": "hi"}, [{"source": "more"}]))
    assert said.startswith("sources.more: none of the 2 rows that are left to train on has an ans")
    assert "take its portions out of the recipe" in said
    # The rows with answers all overlap with the validation set.
    said = error(
        bind({**sources, "more": [*silent, *target]}, {"source": "hi"}, [{"source": "more"}])
    )
    assert "none of the 2 rows" in said


def test_portion_languages_must_be_there() -> None:
    sources = {"hi": examples(range(10)), "more": examples(range(50, 60), language="en")}
    portions = [{"source": "more", "languages": ["bn", "te"]}]
    said = error(bind(sources, {"source": "hi"}, portions))
    assert said == (
        "recipe.portions[0].languages: sources.more has nothing to train on in bn, te; it has en."
    )
    portions = [{"source": "more", "languages": ["en", "te"]}]
    notes = prepare_data(bind(sources, {"source": "hi"}, portions)).notes
    assert any("nothing to train on in te, only in en" in note for note in notes)


@pytest.mark.parametrize("share", [0.3, [0.0, 0.3]])
def test_unanswerable_questions_must_be_there_where_a_portion_asks_for_them(share: object) -> None:
    sources = {"hi": examples(range(10)), "more": examples(range(50, 60))}
    portions = [{"source": "more", "unanswerable": share}]
    said = error(bind(sources, {"source": "hi"}, portions))
    assert said == (
        "recipe.portions[0].unanswerable: sources.more has no question without an answer to train "
        "on; leave the key out."
    )
    sources["more"] = [*sources["more"], replace(example(60), answers=())]
    assert len(prepare_data(bind(sources, {"source": "hi"}, portions)).train["more"]) == 11


def test_validation_needs_answers() -> None:
    unanswered = [replace(one, answers=()) for one in examples(range(10))]
    assert "no row has an answer" in error(bind({"hi": unanswered}, {"source": "hi"}))
    data = prepare_data(bind({"hi": [*unanswered[:3], *examples(range(3, 50))]}, HALF))
    assert any("questions without an answer" in note for note in data.notes)


HALF = {"source": "hi", "share": 0.98}


# -- real data -----------------------------------------------------------------------------------


def test_parallel_xquad_never_trains_on_validated_questions(data_folder: Path) -> None:
    from autoqa_sources.file import FileOptions, load

    def xquad(pattern: str, **options: Any) -> Any:
        path = str(data_folder / f"xquad.{pattern}.even-articles.json")
        return lambda _: load(FileOptions(path=path, **options))

    sources = {language: xquad(language, language=language) for language in ("hi", "en", "ru")}
    data = prepare_data(bind(sources, {"source": "hi", "share": 0.5}))
    held_out = {one.id for one in data.public + data.private}
    trained = {one.id for rows in data.train.values() for one in rows}
    assert held_out
    assert not held_out & trained
    assert {one.document for one in data.public}.isdisjoint(one.document for one in data.private)


def test_tydi_train_and_dev_share_no_context(data_folder: Path) -> None:
    from autoqa_sources.file import FileOptions, load

    def tydi(pattern: str) -> Any:
        return lambda _: load(FileOptions(path=str(data_folder / f"tydiqa-goldp.{pattern}")))

    sources = {"dev": tydi("*.dev*"), "train": tydi("*.train*")}
    data = prepare_data(bind(sources, {"source": "dev"}, [{"source": "train"}]))
    contexts = {" ".join(one.context.split()) for one in data.public + data.private}
    assert not any(" ".join(one.context.split()) in contexts for one in data.train["train"])
    assert any("188 with a context of the validation set" in note for note in data.notes)
