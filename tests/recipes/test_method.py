"""What a recipe is called does not change with what later versions can do."""

import json

import pytest

from autoqa import recipes
from autoqa.config.study import StudyFile
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage
from autoqa.searching.setup import fingerprint

STAGE = Stage((Portion("squad", ("en",), 0.5),), 128, 32, (AugmentationUse("cutout"),))
LATER = {
    "adversary": "awp",
    "adversary_size": 2.0,
    "rdrop": 0.5,
    "reinit_layers": 1,
    "mlm_epochs": 2.0,
    "mlm_whole_words": True,
}


def study(**method: object) -> StudyFile:
    return StudyFile.model_validate(
        {
            "name": "a",
            "sources": {"rows": {"type": "file"}},
            "backbones": {"b": {"type": "c"}},
            "recipe": {
                "portions": [{"source": "rows"}],
                "method": {"head": "conditional", **method},
            },
            "validation": {"source": "rows", "share": 0.5},
        }
    )


def test_recipes_and_studies_of_the_first_version_keep_their_names() -> None:
    """The digits are what version 0.1.0 gave."""
    cutout = AugmentationUse("cutout", (("share", 0.1),))
    stage = Stage((Portion("squad", ("en",), 0.5),), 128, 32, (cutout,))
    assert Recipe((stage,), Method(schedule="wsd")).hash == "9a3fa1d6cd0e"
    assert fingerprint(study()) == "3b44ba97fcdb"


@pytest.mark.parametrize("key", LATER)
def test_a_later_key_at_its_default_is_as_if_it_were_not_there(key: str) -> None:
    assert key not in Recipe((STAGE,)).to_dict()["method"]
    assert fingerprint(study(**{key: getattr(Method(), key)})) == fingerprint(study())
    changed = Recipe((STAGE,), Method(**{key: LATER[key]}))  # type: ignore[arg-type]
    assert changed.hash != Recipe((STAGE,)).hash
    assert fingerprint(study(**{key: LATER[key]})) != fingerprint(study())
    assert Recipe.from_dict(json.loads(json.dumps(changed.to_dict()))) == changed


def test_a_card_says_each_method_that_is_not_plain() -> None:
    recipe = Recipe((STAGE,), Method(**LATER))  # type: ignore[arg-type]
    assert recipes.line(recipe, 3e-5) == (
        "[squad(en) 50%] 128/32 cutout; lr 3e-05, awp adversary, at 2 times its usual size, "
        "R-Drop 0.5, top layers re-initialised: 1, masked-language training first: 2 epochs, "
        "of whole words"
    )
