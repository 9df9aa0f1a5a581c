"""Links to what is no page of the site, and marks that are not for its readers."""

import importlib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform


class FolderNames(SphinxTransform):
    """A link to a folder of the repository becomes its text, for the site holds no folders."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Looks at all links of Markdown pages."""
        page = Path(self.env.doc2path(self.env.docname))
        for link in list(self.document.findall(pending_xref)):
            if link.get("reftype") == "myst" and (page.parent / link["reftarget"]).is_dir():
                link.replace_self(link.children)


class FieldDashes(SphinxTransform):
    """Two hyphens between an argument and what it means become the dash that they stand for."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Looks at all text of that kind."""
        for each in list(self.document.findall(nodes.Text)):
            if each.astext() == " -- ":
                each.parent.replace(each, nodes.Text(" – "))


class TestMarks(SphinxTransform):
    """Comments that tell the tests to run a block stay out of pages."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Looks at all comments."""
        for each in list(self.document.findall(nodes.raw)):
            if each.astext().startswith("<!--"):
                each.parent.remove(each)


def name_without_page(
    _: Sphinx, __: BuildEnvironment, link: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Shows the name of something in Python that exists, and has no entry on the site.

    Internal modules and other libraries are not described here; a name that does not exist at all
    stays an unresolved reference, which ends the build.
    """
    if link.get("refdomain") != "py":
        return None
    target = str(link["reftarget"]).split("[")[0]
    homes = (target, f"{link.get('py:module')}.{target}", f"builtins.{target}")
    return content if any(map(exists, homes)) else None


def exists(name: str) -> bool:
    """Whether a dotted name can be imported, as a module or out of one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            fields = getattr(found, "__annotations__", {})
            found = fields.get(part) if not hasattr(found, part) else getattr(found, part)
            if found is None:
                return False
        return True
    return False
