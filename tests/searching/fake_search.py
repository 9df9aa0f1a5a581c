"""A search with a fake trial function as a process of its own.

``python -m`` with a folder, the function's name, and possibly a database's address, or ``join`` for
a process that joins the search.
"""

import sys
from pathlib import Path

from autoqa.errors import AutoqaError
from autoqa.supervision.display import PlainDisplay
from tests.searching import fakes

if __name__ == "__main__":
    try:
        folder, factory, *rest = sys.argv[1:]
        run, display = getattr(fakes, factory), PlainDisplay(sys.stderr)
        if rest == ["join"]:
            fakes.join(Path(folder), run, display)
        else:
            text = rest[0] if rest else fakes.STUDY
            text = text if "\n" in text else fakes.stored(text)
            fakes.search(Path(folder), run, text, display=display)
    except AutoqaError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
        sys.exit(error.exit_code)
    sys.stderr.write(f"torch imported: {'torch' in sys.modules}\n")
