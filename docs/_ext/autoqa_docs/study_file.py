"""The reference of study files: every table and key, out of the models that read them."""

from autoqa.registry.description import OptionDescription
from autoqa.registry.study_tables import TableDescription, study_tables
from autoqa_docs.markup import GeneratedPart, code, heading, marked, paragraphs, typed


class StudyFilePart(GeneratedPart):
    """``.. study-file::``: a section for each table, with what its keys mean."""

    def text(self) -> str:
        """All tables in the order of the models."""
        return paragraphs(section(table) for table in study_tables())


def section(table: TableDescription) -> str:
    """One table.

    Args:
        table: What is known of it.
    """
    title = code(table.heading) if table.path else "Top level"
    needed = "A study file needs it." if table.required and table.path else ""
    plugin = (
        f"Beside these keys it takes the options of the :ref:`{table.plugin} <{table.plugin}s>` "
        "that ``type`` names."
        if table.plugin
        else ""
    )
    return paragraphs(
        [
            heading(title, 1),
            *(marked(each) for each in table.meaning),
            needed,
            plugin,
            *(entry(table, key) for key in table.keys),
        ]
    )


def entry(table: TableDescription, key: OptionDescription) -> str:
    """One key, which other pages and the search can point to."""
    name = f"{table.path}.{key.name}".strip(".")
    required = " (required)" if key.default is None else ""
    fields = [f"   :type: {typed(key.type)}{required}"]
    # Else the meaning says what leaving it out does.
    if key.default not in (None, "none", '""'):
        fields.append(f"   :default: {code(key.default)}")
    return "\n".join([f".. confval:: {name}", *fields, "", f"   {marked(key.meaning)}"])
