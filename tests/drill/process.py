"""A process of the drill: ``python -m tests.drill.process`` with a folder and what to do there.

``search N`` searches N trials, ``join`` joins, ``retrain ID...`` makes candidates again.
"""

import sys
from pathlib import Path
from typing import Any


def hasten() -> None:
    """Shortens what is waited for: a drill has less time than a search."""
    from autoqa.searching import join, loop, machine_faults
    from autoqa.supervision import hearing, life_signs, membership

    changes: dict[Any, dict[str, Any]] = {
        join: {"_POLL": 0.2},
        loop: {"LOOK_SECONDS": 0.5},
        machine_faults: {"BACK_OFF": (0.1, 0.2, 0.4)},
        hearing: {"HUNG_SECONDS": 0.2},
        life_signs: {"SILENT_SECONDS": 4.0, "SILENT_GAPS": 20.0, "LOOPLESS_SECONDS": 20.0},
        membership: {"BEAT_SECONDS": 0.3},
    }
    for module, values in changes.items():
        for name, value in values.items():
            if not hasattr(module, name):
                raise AttributeError(f"{module.__name__} has no {name}")
            setattr(module, name, value)


def make_again(path: Path, names: list[str]) -> None:
    """Makes candidates again by the drill's runs, whose plugins are none."""
    from autoqa.config import load_study
    from autoqa.env import run_folder
    from autoqa.searching import retrain
    from autoqa.store.run_folder import RunFolder
    from autoqa.store.study_tables import Store
    from autoqa.supervision.display import PlainDisplay
    from tests.drill import runs
    from tests.searching import fakes

    study = load_study(path)
    changes = {
        "reopen": lambda folder, store: (fakes.bind(path), None),
        "training_factory": runs.factory,
    }
    for name, value in changes.items():
        setattr(retrain, name, value)
    folder = RunFolder(run_folder(study.name))
    with Store(folder.store_url(study.search.storage), study.name) as store:
        retrain.retrain(folder, store, names, PlainDisplay(sys.stderr))


def work(folder: Path, what: str, rest: list[str]) -> None:
    """Does one of the three."""
    from autoqa.searching.join import join_search
    from autoqa.searching.runner import run_search
    from autoqa.searching.setup import SearchOptions
    from autoqa.supervision.display import PlainDisplay
    from tests.drill import runs
    from tests.searching import fakes

    path, display = folder / "study.toml", PlainDisplay(sys.stderr)
    if what == "retrain":
        make_again(path, rest)
    elif what == "join":
        join_search(fakes.bind(path), runs.prepare, display=display, factory=runs.factory)
    else:
        options = SearchOptions(trials=int(rest[0]))
        text = path.read_text()
        run_search(
            fakes.bind(path), text, runs.prepare, options, display=display, factory=runs.factory
        )


if __name__ == "__main__":
    from autoqa.errors import AutoqaError

    hasten()
    try:
        work(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    except AutoqaError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_code)
