"""A search with a fake trial function as a process of its own: ``python -m`` with its name.

Arguments: a folder, the name of the factory, and ``join`` for a process that joins the search.
"""

import sys
from pathlib import Path

from autoqa.errors import AutoqaError
from autoqa.supervision.display import PlainDisplay
from tests.searching import fakes

if __name__ == "__main__":
    folder, factory, *joins = sys.argv[1:]
    begin = fakes.join if joins else fakes.search
    try:
        begin(Path(folder), getattr(fakes, factory), display=PlainDisplay(sys.stderr))
    except AutoqaError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
        sys.exit(error.exit_code)
    sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
