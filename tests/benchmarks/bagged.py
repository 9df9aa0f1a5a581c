"""The whole selection in a process of its own: ``python -m tests.benchmarks.bagged 200 1000``.

Prints its seconds and the most memory that the process had, the candidates' logits included, as
JSON.
"""

import json
import resource
import sys
import time

from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selector import Selector

from .candidates import make_field


def main() -> None:
    field = make_field(int(sys.argv[1]), int(sys.argv[2]))
    begin = time.perf_counter()
    limits = EnsembleLimits(seats=13, recipe_cap=4)
    selector = Selector(field.candidates, field.windows, field.examples, limits, bags=20)
    selector.select()
    seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": round(seconds, 2), "GiB": round(memory, 2)}))


if __name__ == "__main__":
    main()
