"""A search with a fake trial function as a process of its own: ``python -m`` with its name."""

import sys
from pathlib import Path

from autoqa.errors import AutoqaError
from autoqa.supervision.display import PlainDisplay
from tests.searching import fakes

if __name__ == "__main__":
    try:
        folder, factory, text = Path(sys.argv[1]), getattr(fakes, sys.argv[2]), sys.argv[3]
        fakes.search(folder, factory, text, display=PlainDisplay(sys.stderr))
    except AutoqaError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
        sys.exit(error.exit_code)
    sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
