"""A search with a fake trial function as a process of its own.

``python -m`` with a folder, the function's name, and a database's address.
"""

import sys
from pathlib import Path

from autoqa.errors import AutoqaError
from autoqa.supervision.display import PlainDisplay
from tests.searching import fakes

if __name__ == "__main__":
    try:
        folder, factory, *address = sys.argv[1:]
        fakes.search(
            Path(folder),
            getattr(fakes, factory),
            fakes.stored(*address) if address else fakes.STUDY,
            display=PlainDisplay(sys.stderr),
        )
    except AutoqaError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
        sys.exit(error.exit_code)
    sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
