"""The README of a bundle: its model card."""

from collections.abc import Mapping, Sequence

from autoqa.bundle.entries import ConversionEntry, GroupEntry, MemberEntry, RefitEntry
from autoqa.bundle.manifest import UNKNOWN
from autoqa.bundle.reliability_entries import ConfidenceEntry, NoAnswerEntry
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.export.reliability_card import beyond, judgement, reliability_lines
from autoqa.scores.registry import further_metrics, get_metric, title
from autoqa.scores.summary import ScoreEntry


def model_card(
    study: str,
    members: Sequence[MemberEntry],
    groups: Sequence[GroupEntry],
    ensemble: EnsemblePlan,
    public: ScoreEntry,
    private: ScoreEntry,
    *,
    max_answer_tokens: int,
    data: Mapping[str, str],
    conversion: ConversionEntry | None = None,
    refit: RefitEntry | None = None,
    no_answer: NoAnswerEntry | None = None,
    confidence: ConfidenceEntry | None = None,
) -> str:
    """Writes the card, in Markdown.

    Args:
        study: Name of the study.
        members: The models.
        groups: Their groups.
        ensemble: How members are joined and their answers post-processed.
        public: The ensemble's score on the part that selection saw.
        private: Its score on the part that nothing saw before.
        max_answer_tokens: Most tokens in an answer of groups that do not say their own.
        data: Licence of each source that a member was trained on.
        conversion: What converting the weights changed, where they were converted.
        refit: What members were trained again with, where they were.
        no_answer: When no answer is given, where that was fitted.
        confidence: How scores of answers are made, where that was fitted.
    """
    languages = sorted({language for member in members for language in _languages(member)})
    trained = f" Languages named in its recipes: {', '.join(languages)}." if languages else ""
    lines = [
        f"# {study}: extractive question answering",
        "",
        f"{_kind(len(members), len(groups))} that answers a question with a fragment of the "
        f"given context; {beyond(no_answer)}.{trained} Made by autoqa; works offline.",
        "",
        "    autoqa predict . questions.csv",
        "",
        "    import autoqa",
        '    ensemble = autoqa.load(".")',
        '    ensemble(question="...", context="...").answer',
        "",
        "## Scores",
        "",
        *_scores(public, private),
        *_refitted(refit),
        *reliability_lines(no_answer, confidence),
        *_converted(conversion),
        *_members(members),
        *_joining(ensemble),
        *_recipes(members),
        *_licences(members, data),
        *("## Known limits", "", f"- {judgement(no_answer, confidence)}."),
        *_limits(groups, max_answer_tokens, public, private, conversion),
    ]
    return "\n".join(lines)


def _scores(public: ScoreEntry, private: ScoreEntry) -> list[str]:
    objective, further = get_metric(public.metric), further_metrics(public.metric)
    phrases = ", ".join(metric.summary for metric in further)
    titles = ("part", "questions", objective.title, *(metric.title for metric in further))
    return [
        f"Mean {objective.summary} with its 95 % interval (documents drawn anew), {phrases}.",
        "",
        f"| {' | '.join(titles)} |",
        f"|{'---|' * len(titles)}",
        _score_row("public (selection saw it)", public),
        _score_row("private (sealed until export)", private),
        "",
    ]


def _refitted(refit: RefitEntry | None) -> list[str]:
    if refit is None:
        return []
    seeds: dict[tuple[int, ...], list[str]] = {}
    for member, numbers in refit.seeds.items():
        seeds.setdefault(numbers, []).append(member)
    trained = "; ".join(
        f"{', '.join(members)} with the seed{'s' if len(numbers) > 1 else ''} "
        f"{', '.join(map(str, numbers))}"
        for numbers, members in seeds.items()
    )
    return [
        f"These are the scores of the models before their refit. The models in this bundle were "
        f"trained again by the same recipes, with {refit.rows} added to the rows that their "
        f"portions of that source draw from: {trained}. Nothing is left that could score them: "
        "the questions of both parts are among what they were trained on.",
        "",
    ]


def _converted(conversion: ConversionEntry | None) -> list[str]:
    if conversion is None:
        return []
    kind = {"onnx": "ONNX files", "onnx-int8": "ONNX files with 8-bit integers"}
    return [
        f"The models are {kind[conversion.weights]} (`{conversion.weights}`), made from weights in "
        f"half precision. On the public part that changed {title(conversion.after.metric)} "
        f"{conversion.change}, and {conversion.answers}. The private score was measured with the "
        "weights in half precision.",
        "",
        "They are computed on the CPU by the package onnxruntime (`pip install 'autoqa[onnx]'`).",
        "",
    ]


_GENERATES = (
    "is a sequence-to-sequence model: it generates its answers token by token, fragments of the "
    "context and nothing else, and votes alone; its logits are averaged with no other's."
)


def _members(members: Sequence[MemberEntry]) -> list[str]:
    return [
        "## Members",
        "",
        f"| member | backbone | group | weight | public {title(members[0].public.metric)} |",
        "|---|---|---|---|---|",
        *(f"| {m.id} | {m.backbone} | {m.group} | {m.weight:g} | {m.public} |" for m in members),
        "",
        *(f"- {m.id}: {m.reason}" for m in members if m.reason),
        *(f"- {m.id} {_GENERATES}" for m in members if m.kind == "text"),
        "",
    ]


def _recipes(members: Sequence[MemberEntry]) -> list[str]:
    """One card per distinct recipe; snapshots of one run share theirs."""
    owners: dict[tuple[str, ...], list[str]] = {}
    for member in members:
        point = f"seed {member.seed}, saved at {member.fraction:.0%} of the run"
        made = f"an average of {len(member.ingredients)} models" if member.ingredients else point
        if member.teachers:
            made = f"seed {member.seed}, distilled from {len(set(member.teachers))} models"
        owners.setdefault(member.card, []).append(f"{member.id} ({made})")
    cards = [
        line
        for card, names in owners.items()
        if card
        for line in (f"{', '.join(names)}:", "", *(f"    {text}" for text in card), "")
    ]
    order = "Stages in order; in brackets the sources with the languages and shares that were taken"
    lead = f"{order}, then tokens of a window / tokens that windows share."
    return ["## Recipes", "", lead, "", *cards] if cards else []


def _licences(members: Sequence[MemberEntry], data: Mapping[str, str]) -> list[str]:
    weights = {member.backbone: member.licence for member in members}
    unknown = [name for name, licence in {**weights, **data}.items() if licence == UNKNOWN]
    lines = [
        "## Licences",
        "",
        "Those of the pretrained weights and of the training data both apply.",
        "",
        "| what | licence |",
        "|---|---|",
        *(f"| weights of {name} | {licence} |" for name, licence in sorted(weights.items())),
        *(f"| data of {name} | {licence} |" for name, licence in data.items()),
        "",
    ]
    if unknown:
        lines += [f"Find out about {', '.join(unknown)} before you give this bundle away.", ""]
    return lines


def _limits(
    groups: Sequence[GroupEntry],
    max_answer_tokens: int,
    public: ScoreEntry,
    private: ScoreEntry,
    conversion: ConversionEntry | None,
) -> list[str]:
    eight_bits = conversion is not None and conversion.weights == "onnx-int8"
    rounded = "8-bit integers" if eight_bits else "half precision"
    longest = max(group.length for group in groups)
    limits = {group.id: group.max_answer_tokens or max_answer_tokens for group in groups}
    most = f"{max_answer_tokens} tokens"
    if len(set(limits.values())) > 1:
        most = ", ".join(f"{limit} tokens of {group}" for group, limit in limits.items())
    return [
        "- Selection chose what is best on the public part, so that score is too high; the "
        f"private one is measured on {private.questions} questions and says what to expect of "
        "texts and questions like them, no others.",
        f"- A difference of less than {public.half_width:.2f} between two bundles on these "
        "questions may be luck.",
        f"- A context is read in windows of at most {longest} tokens: what a question asks about "
        "and its answer must stand that close together.",
        f"- An answer has at most {most}.",
        f"- Weights are rounded to {rounded}; other processors and library versions than "
        "`manifest.json` names change scores in the last digits and may change an answer whose "
        "rivals were as good.",
        "",
    ]


def _joining(ensemble: EnsemblePlan) -> list[str]:
    """How answers come about, beyond the members themselves."""
    lines = []
    if len(ensemble.members) > 1:
        place = " at one place of the context" if ensemble.words == "position" else ""
        unit = "word" if ensemble.segmentation == "words" else "word or unspaced character"
        voting = f"on each {unit}{place}, and {ensemble.tie_group} decides ties"
        lines += {
            "characters": [
                "Every member's start and end probabilities are averaged, by weight, over the "
                "characters of the context."
            ],
            "vote-only": [f"Members vote by weight {voting}."],
            "vote": [
                "Logits are averaged within a group"
                + (f"; groups vote {voting}." if len(ensemble.groups) > 1 else ".")
            ],
        }[ensemble.aggregator]
    lines += [
        f"Spans of {group} are chosen by {each.start:g} times the start's logit, {each.end:g} "
        f"times the end's, and {each.length:g} times a prior on their length."
        for group, each in ensemble.scoring.items()
    ]
    lines += [
        f"Answers in {language} are post-processed: {', '.join(names)}."
        for language, names in ensemble.rules.items()
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
    means = (_mean(score.further.get(metric.name)) for metric in further_metrics(score.metric))
    return f"| {' | '.join((name, str(score.questions), str(score), *means))} |"


def _mean(value: float | None) -> str:
    """A private score kept from an earlier opening lacks the metrics that came later."""
    return "–" if value is None else f"{value:.2f}"


def _kind(members: int, groups: int) -> str:
    if members == 1:
        return "A model"
    across = f" in {groups} groups" if groups > 1 else ""
    return f"An ensemble of {members} models{across}"
