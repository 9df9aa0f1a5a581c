"""Memory of a process that answers a file, MiB: ``python -m tests.benchmarks.memory BUNDLE FILE``.

Prints JSON: ``imports``, resident once everything is imported that answering imports, and ``peak``,
the most that was resident until the answers were written.
"""

import json
import sys
from pathlib import Path

from transformers.models.bert import modeling_bert  # noqa: F401

from autoqa.bundle.answer_files import render_answers
from autoqa.bundle.input_rows import read_rows
from autoqa.bundle.predictor import load
from autoqa.modeling import forward  # noqa: F401

from .memory_status import status


def main() -> None:
    imports = status("VmRSS")
    rows = read_rows(Path(sys.argv[2])).good
    answers = load(sys.argv[1], resident=False).predict(rows)
    render_answers([row.id for row in rows], answers, "csv")
    print(json.dumps({"imports": imports, "peak": status("VmHWM"), "answers": len(answers)}))


if __name__ == "__main__":
    main()
