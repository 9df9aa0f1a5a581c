"""Two versions of a study file, compared for a person."""

from autoqa.config import StudyFile, describe_changes


def study(**changes) -> StudyFile:
    tables = {
        "name": "tiny",
        "sources": {"squad": {"type": "file", "path": "a"}, "nq": {"type": "file", "path": "b"}},
        "backbones": {"e5": {"type": "e5-small"}},
        "recipe": {
            "portions": [{"source": "squad"}, {"source": "nq", "share": [0.5, 1.0]}],
            "length": {"low": 256, "high": 384, "step": 128},
        },
        "validation": {"source": "nq", "share": 0.5},
    }
    return StudyFile.model_validate(tables | changes)


def test_nothing_changed_where_a_default_is_spelled_out():
    assert describe_changes(study(), study(seed=0, selection={"seats": 5})) == []


def test_each_key_gets_a_line():
    old = study()
    new = study(
        sources={"squad": {"type": "file", "path": "c"}},
        recipe={
            "portions": [{"source": "squad", "languages": ["hi"]}],
            "length": {"low": 256, "high": 512, "step": 128},
        },
        validation={"source": "squad", "share": 0.5},
        search={"minutes": 3, "snapshots": [0.5, 1]},
    )
    assert describe_changes(old, new) == [
        'sources.squad.path: "a" -> "c"',
        "sources.nq: removed",
        'recipe.portions[squad].languages: unset -> ["hi"]',
        "recipe.portions[nq]: removed",
        "recipe.length.high: 384 -> 512",
        'validation.source: "nq" -> "squad"',
        "search.minutes: unset -> 3.0",
        "search.snapshots: [1.0] -> [0.5, 1.0]",
    ]


def test_a_slot_in_front_does_not_change_those_behind():
    portions = [{"source": "nq", "share": [0.5, 1.0]}, {"source": "squad"}]
    length = {"low": 256, "high": 384, "step": 128}
    new = study(
        recipe={"portions": [{"source": "nq", "name": "more"}, *portions], "length": length}
    )
    assert describe_changes(study(), new) == [
        "recipe.portions[more]: added",
        "recipe.portions: order squad, nq -> nq, squad",
    ]


def test_tables_that_come_and_go():
    portions = [{"source": "squad"}, {"source": "nq", "share": [0.5, 1.0]}]
    cutout = {"type": "cutout", "include": "search"}
    new = study(
        recipe={"portions": portions, "augmentations": [cutout]},
        search={"enqueue": [{"backbone": "e5"}]},
    )
    assert describe_changes(study(), new) == [
        "recipe.length: removed",
        "recipe.augmentations[cutout]: added",
        "search.enqueue[0]: added",
    ]


def test_mappings_are_compared_as_they_stand():
    old = study().model_dump(mode="json") | {"gone": {"a": 1}}
    assert describe_changes(old, study()) == ["gone: removed"]
