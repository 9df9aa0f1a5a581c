"""What the site makes of the code: references of study files, plugins, exit codes, the schema."""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from autoqa.errors import PluginError
from autoqa.registry.study_schema import study_schema
from autoqa_docs.commands import CommandNames, CommandsPart, no_bare_arguments
from autoqa_docs.constants import ConstantsPart
from autoqa_docs.exit_codes import ExitCodesPart
from autoqa_docs.links import FieldDashes, FolderNames, TestMarks, name_without_page
from autoqa_docs.plugins import PluginsPart, own_catalogue
from autoqa_docs.signatures import readable
from autoqa_docs.study_file import StudyFilePart

SCHEMA = "study.schema.json"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("commands", CommandsPart)
    app.add_directive("study-file", StudyFilePart)
    app.add_directive("plugins", PluginsPart)
    app.add_directive("exit-codes", ExitCodesPart)
    app.add_directive("constants", ConstantsPart)
    app.add_transform(CommandNames)
    app.add_transform(FolderNames)
    app.add_transform(FieldDashes)
    app.add_transform(TestMarks)
    app.connect("builder-inited", need_plugins)
    app.connect("missing-reference", name_without_page)
    app.connect("autodoc-process-signature", readable)
    app.connect("sphinx-click-process-arguments", no_bare_arguments)
    app.connect("build-finished", write_schema)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def need_plugins(_: Sphinx) -> None:
    """Ends the build with a sentence where plugins of the project cannot be shown.

    Raises:
        ExtensionError: They are not installed, or cannot be used.
    """
    try:
        own_catalogue()
    except PluginError as error:
        raise ExtensionError(str(error)) from None


def write_schema(app: Sphinx, failure: Exception | None) -> None:
    """Puts the JSON schema of study files beside the pages."""
    if failure is None:
        text = json.dumps(study_schema(own_catalogue()), indent=2, ensure_ascii=False)
        Path(app.outdir, SCHEMA).write_text(text, encoding="utf-8")
