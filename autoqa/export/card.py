"""The README of a bundle: a short model card."""

from collections.abc import Mapping, Sequence

from autoqa.export.manifest import GroupEntry, MemberEntry, ScoreEntry, VoteEntry


def model_card(
    study: str,
    members: Sequence[MemberEntry],
    groups: Sequence[GroupEntry],
    vote: VoteEntry,
    public: ScoreEntry,
    private: ScoreEntry,
    *,
    rules: Mapping[str, Sequence[str]],
) -> str:
    """Writes the card, in Markdown.

    Args:
        study: Name of the study.
        members: The models.
        groups: Their groups.
        vote: How members are joined.
        public: The ensemble's score on the part that selection saw.
        private: Its score on the part that nothing saw before.
        rules: Post-processing rules by language.
    """
    languages = sorted({language for member in members for language in _languages(member)})
    trained = f" Languages named in its recipes: {', '.join(languages)}." if languages else ""
    lines = [
        f"# {study}: extractive question answering",
        "",
        f"{_kind(len(members), len(groups))} that answers a question with a fragment of the "
        f"given context; it cannot answer what the context does not say.{trained} Made by autoqa; "
        "works offline.",
        "",
        "    autoqa predict . questions.csv",
        "",
        "    import autoqa",
        '    ensemble = autoqa.load(".")',
        '    ensemble(question="...", context="...").answer',
        "",
        "## Scores",
        "",
        "Mean word-level Jaccard with its 95 % interval (documents drawn anew), exact match, F1.",
        "",
        "| part | questions | Jaccard | EM | F1 |",
        "|---|---|---|---|---|",
        _score_row("public (selection saw it)", public),
        _score_row("private (sealed until export)", private),
        "",
        *_members(members),
        *_joining(members, groups, vote, rules),
    ]
    return "\n".join(lines)


def _members(members: Sequence[MemberEntry]) -> list[str]:
    return [
        "## Members",
        "",
        "| member | backbone | group | weight | public Jaccard | licence of the weights |",
        "|---|---|---|---|---|---|",
        *(
            f"| {m.id} | {m.backbone} | {m.group} | {m.weight:g} | {m.public} | {m.licence} |"
            for m in members
        ),
        "",
        *(f"- {m.id}: {m.reason}" for m in members if m.reason),
        "",
        "What each member was trained on is in `manifest.json`, as is a checksum of every file. "
        "The licences of the pretrained weights and of the training data both apply.",
        "",
    ]


def _joining(
    members: Sequence[MemberEntry],
    groups: Sequence[GroupEntry],
    vote: VoteEntry,
    rules: Mapping[str, Sequence[str]],
) -> list[str]:
    """How answers come about, beyond the members themselves."""
    lines = []
    if len(members) > 1:
        place = " at one place of the context" if vote.words == "position" else ""
        voting = f"on each word{place}, and {vote.best} decides ties"
        lines += {
            "characters": [
                "Every member's start and end probabilities are averaged, by weight, over the "
                "characters of the context."
            ],
            "vote-only": [f"Members vote by weight {voting}."],
            "vote": [
                "Logits are averaged within a group"
                + (f"; groups vote {voting}." if len(groups) > 1 else ".")
            ],
        }[vote.aggregator]
    lines += [
        f"Answers in {language} are post-processed: {', '.join(names)}."
        for language, names in rules.items()
    ]
    return ["## How members answer together", "", *lines, ""] if lines else []


def _languages(member: MemberEntry) -> set[str]:
    return {
        language
        for stage in member.recipe.get("stages", ())
        for portion in stage.get("portions", ())
        for language in portion.get("languages") or ()
    }


def _score_row(name: str, score: ScoreEntry) -> str:
    return f"| {name} | {score.questions} | {score} | {score.em:.2f} | {score.f1:.2f} |"


def _kind(members: int, groups: int) -> str:
    if members == 1:
        return "A model"
    across = f" in {groups} groups" if groups > 1 else ""
    return f"An ensemble of {members} models{across}"
