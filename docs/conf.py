"""How `make docs` builds the site.

The site is laid out as the repository, so that relative links between its pages are the same there,
on a hosting site, and on disk. A link to a file that is no page becomes a download.
"""

import sys
from pathlib import Path

import autoqa

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

project = "autoqa"
author = "The autoqa authors"
project_copyright = "the autoqa authors, Apache-2.0"
version = release = autoqa.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "autoqa_docs",
]

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "docs/**",
    "studies/README.md",
    "tests/benchmarks/RESULTS.md",
]
# Folders without pages, some of them large: nothing in them is looked at.
_with_pages = ("docs", "studies", "tests")
exclude_patterns = [
    *(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in _with_pages),
    *(f"tests/{path.name}" for path in (ROOT / "tests").glob("*/") if path.name != "benchmarks"),
    "docs/_*",
]

# What plain Markdown would show as it stands.
myst_disable_syntax = ["myst_line_comment", "myst_role", "myst_block_break", "myst_target"]
myst_heading_anchors = 6
smartquotes = False  # options begin with two hyphens, and quotes stand in commands
default_role = "code"  # what single backticks mean in help texts
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-dark"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
autodoc_default_options = {"exclude-members": "model_config"}
napoleon_use_rtype = False
# What libraries call their aliases in annotations.
nitpick_ignore = [("py:class", "types.Annotated")]

html_theme = "furo"
html_title = f"autoqa {release}"
html_static_path = ["_static"]
html_extra_path = ["_root"]
# Behind the fonts for Latin script stand those that have the scripts of the examples.
_scripts = '"Noto Sans Devanagari", "Noto Sans Tamil", "Nirmala UI", "Kohinoor Devanagari"'
html_theme_options = {
    "light_css_variables": {
        "font-stack": f"system-ui, -apple-system, Segoe UI, Noto Sans, {_scripts}, sans-serif",
        "font-stack--monospace": "ui-monospace, SFMono-Regular, Menlo, Consolas, "
        f"DejaVu Sans Mono, {_scripts}, monospace",
    },
}
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sphinx = False
html_copy_source = False
# A command that goes on in further lines is copied whole.
copybutton_prompt_text = r"\$ |> "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
