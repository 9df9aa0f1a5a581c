"""The process that a tracker runs in: takes calls as lines of JSON, and answers each.

It ends when its input does, so that it outlives no search.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from autoqa.tracking.base import TRACKERS, TrackerPlace, make_tracker


def main() -> None:
    """Serves one tracker until its calls end."""
    # What packages print must not be taken for an answer.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        name, place = sys.argv[1], json.loads(sys.argv[2])

        def answer(problem: str = "") -> None:
            answers.write(json.dumps(problem) + "\n")
            answers.flush()

        try:
            tracker = make_tracker(
                name, TrackerPlace(place["study"], Path(place["folder"]), place["options"])
            )
            answer()
            for line in sys.stdin:
                call: list[Any] = json.loads(line)
                getattr(tracker, call[0])(*call[1:])
                answer()
            tracker.close()
        except ImportError as error:
            extra = TRACKERS[name][1]
            answer(f"the package {error.name} is missing: pip install 'autoqa[{extra}]'")
        except BaseException as error:
            words = str(error).strip().splitlines() or [""]
            answer(f"{type(error).__name__}: {words[0][:300]}")
            raise


if __name__ == "__main__":
    main()
