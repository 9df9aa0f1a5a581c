"""Public names that are neither classes nor functions: types, versions, tables."""

import inspect
import sys
from importlib import import_module
from typing import Any

from sphinx.pycode import ModuleAnalyzer

from autoqa_docs.markup import GeneratedPart, paragraphs


class ConstantsPart(GeneratedPart):
    """``.. constants:: MODULE``: those that a module names in ``__all__``.

    They are defined in other modules, where autodoc does not look for what is said about them.
    """

    required_arguments = 1

    def text(self) -> str:
        """An entry for each."""
        module = import_module(self.arguments[0])
        values = {name: getattr(module, name) for name in module.__all__}
        head = f".. py:data:: {{}}\n   :module: {module.__name__}"
        return paragraphs(
            paragraphs([head.format(name), indented(said_of(name, value))])
            for name, value in values.items()
            if not inspect.isclass(value) and not inspect.isroutine(value)
        )


def said_of(name: str, value: Any) -> list[str]:
    """The lines below a definition.

    Args:
        name: What is defined.
        value: Its value, which tells it from another module's of the same name.

    Raises:
        LookupError: Nothing stands there.
    """
    for home, module in sorted(sys.modules.items()):
        if home.startswith("autoqa.") and vars(module).get(name) is value:
            found = ModuleAnalyzer.for_module(home).find_attr_docs().get(("", name))
            if found:
                return list(found)
    raise LookupError(f"nothing is said of {name} where it is defined")


def indented(lines: list[str]) -> str:
    """Lines as the content of a directive."""
    return "\n".join(f"   {line}".rstrip() for line in lines)
