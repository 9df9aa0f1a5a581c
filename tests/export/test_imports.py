"""What answers questions needs none of what searches: no Optuna, no database, no command line."""

import json
import subprocess
import sys
from pathlib import Path

from tests import bundle_kit

FORBIDDEN = ("optuna", "sqlalchemy", "alembic", "click", "nbformat", "pip")

SCRIPT = """
import json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {forbidden!r}:
            raise ImportError(f"{{name}} is for searching, not for answering")

sys.meta_path.insert(0, Blocker())
import autoqa
from autoqa.bundle.input_rows import read_rows

ensemble = autoqa.load({bundle!r})
found = ensemble.predict(read_rows(__import__("pathlib").Path({rows!r})).good)
print(json.dumps([each.answer for each in found]))
"""


def test_a_bundle_answers_without_what_searches(bundle: Path, tmp_path: Path) -> None:
    import autoqa
    from autoqa.bundle.input_rows import read_rows

    rows = bundle_kit.write_squad(tmp_path / "rows.json", bundle_kit.examples(4))
    script = SCRIPT.format(forbidden=FORBIDDEN, bundle=str(bundle), rows=str(rows))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    here = autoqa.load(bundle).predict(read_rows(rows).good)
    assert json.loads(done.stdout) == [found.answer for found in here]
    assert any(json.loads(done.stdout))
