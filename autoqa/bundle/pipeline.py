"""The calls of transformers' question-answering pipeline, which version 5.3 removed.

Who used it changes where ``pipeline`` is imported from and which model it is given; the calls, and
the dictionaries that come back, stay as they were.
"""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autoqa.bundle.answer_options import AnswerKeywords, longest_answer
from autoqa.bundle.input_rows import Row, check_items
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.predictor import Ensemble, load
from autoqa.errors import ConfigError, DataError, did_you_mean

TASK = "question-answering"

_CALL = ("top_k", "topk", "max_answer_len", "handle_impossible_answer")
_INPUTS = ("question", "context", "X", "data")
_WITHOUT_EFFECT = (
    *("padding", "doc_stride", "max_seq_len", "max_question_len", "align_to_words", "batch_size"),
    *("tokenizer", "framework", "revision", "use_fast", "torch_dtype", "dtype", "num_workers"),
    *("device_map", "trust_remote_code", "model_kwargs", "config", "token"),
)
"""Windows, tokenizer and precision are those that the bundle was scored with."""


def pipeline(
    task: str | Path = TASK,
    model: str | Path | None = None,
    *,
    device: Any = None,
    **options: Any,
) -> "QuestionAnswering":
    """Opens a bundle behind the interface of transformers' question-answering pipeline.

    Args:
        task: ``"question-answering"``; or the bundle, where no model is named.
        model: The folder that ``autoqa export`` wrote.
        device: As there: a number is a GPU, -1 the CPU; or as :func:`autoqa.load` takes it.
        options: What calls may say, too; of further ones, a warning says that they have no effect.

    Raises:
        BundleError: The folder is no bundle, or damaged.
        ConfigError: There is no such task, device or option.
        MissingAssetError: The package that computes the bundle's models is not installed.
    """
    if model is None:
        model = task
    elif task != TASK:
        raise ConfigError(f"task {task!r} is unknown: a bundle answers questions, {TASK!r}.")
    if model == TASK:
        raise ConfigError("model is missing: give the folder that `autoqa export` wrote.")
    given = _checked(options, inputs=False)
    return QuestionAnswering(load(model, device=_device(device)), given)


class QuestionAnswering:
    """A bundle with the interface of transformers' question-answering pipeline.

    Args:
        ensemble: An opened bundle.
        defaults: Options of all calls.

    Attributes:
        ensemble: The same; its own calls can more.
    """

    def __init__(self, ensemble: Ensemble, defaults: Mapping[str, Any]) -> None:
        self.ensemble = ensemble
        self._defaults = dict(defaults)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answers questions.

        Args:
            args: ``{"question": ..., "context": ...}``, a list of such, or a question and a
                context.
            kwargs: In their place ``question`` and ``context``, both texts, both lists, or a list
                of questions about one context; ``X`` or ``data``, as a positional one. Beside:
                ``top_k`` (1), ``max_answer_len`` (tokens; without it, what the bundle says),
                ``handle_impossible_answer``: whether "no answer" is among the answers, as the empty
                text with its probability.

        Returns:
            A dictionary with ``score``, ``start``, ``end`` and ``answer``, with ``top_k`` above 1
            a list of them; of several questions a list with one of these for each.

        Raises:
            ConfigError: There is no such option, or its value could not be kept to.
            DataError: A question or a context is missing, empty or no text.
        """
        given = {**self._defaults, **_checked(kwargs, inputs=True)}
        rows = _rows(_inputs(args, kwargs))
        top_k = given.get("top_k", given.get("topk", 1))
        asked: AnswerKeywords = {"top_k": top_k, "no_answer": "never"}
        if given.get("max_answer_len") is not None:
            asked["max_answer_tokens"] = self._longest(given["max_answer_len"])
        impossible = bool(given.get("handle_impossible_answer"))
        if impossible:
            asked["no_answer"] = "auto"
        found = [
            _answers(each, top_k, impossible=impossible)
            for each in self.ensemble.predict(rows, keep_loaded=True, **asked)
        ]
        shown = [each[0] if top_k == 1 else each for each in found]
        return shown[0] if len(shown) == 1 else shown

    def _longest(self, most: Any) -> int:
        """A length within windows: transformers took any, and answers were as long as they let.

        Raises:
            ConfigError: It is no length.
        """
        if type(most) is not int or most < 1:
            raise ConfigError(f"max_answer_len is {most!r}: give a whole number from 1 on.")
        return min(most, longest_answer(self.ensemble.manifest))


def _answers(found: Prediction, top_k: int, *, impossible: bool) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = [
        {"score": each.score, "start": each.start, "end": each.end, "answer": each.answer}
        for each in (found, *found.others)
    ]
    if impossible and found.no_answer is not None and found.answer:
        # The bundle's threshold decides on the first answer, scores on the order of the others.
        none = {"score": found.no_answer, "start": 0, "end": 0, "answer": ""}
        answers[1:] = sorted([*answers[1:], none], key=lambda answer: -answer["score"])
    elif impossible and found.no_answer is None:
        warnings.warn(
            "handle_impossible_answer has no effect: the bundle was validated on no question "
            "without an answer, so it always answers.",
            stacklevel=3,
        )
    return answers[:top_k]


def _checked(options: Mapping[str, Any], *, inputs: bool) -> dict[str, Any]:
    """The options that have an effect.

    Raises:
        ConfigError: There is no such option.
    """
    known = (*_CALL, *_WITHOUT_EFFECT, *(_INPUTS if inputs else ()))
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are: {', '.join(_CALL)}."
            raise ConfigError(f"option {name!r} is unknown{hint}")
        if name in _WITHOUT_EFFECT and options[name] is not None:
            warnings.warn(
                f"{name} has no effect: the bundle reads windows as it was scored with them.",
                stacklevel=3,
            )
    return {name: options[name] for name in _CALL if options.get(name) is not None}


def _inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """What is asked, one item for each question."""
    if len(args) == 2 and all(isinstance(each, str) for each in args):
        return [{"question": args[0], "context": args[1]}]
    if args:
        inputs = args[0] if len(args) == 1 else args
    elif "question" in kwargs and "context" in kwargs:
        return _paired(kwargs["question"], kwargs["context"])
    else:
        inputs = kwargs.get("X", kwargs.get("data"))
    if isinstance(inputs, Mapping) or hasattr(inputs, "question_text"):
        return [inputs]
    if isinstance(inputs, str) or not isinstance(inputs, Iterable):
        raise DataError(
            "give question and context, by name, as {'question': ..., 'context': ...} or as a list "
            "of such."
        )
    return list(inputs)


def _paired(question: Any, context: Any) -> list[Any]:
    if isinstance(question, str) or not isinstance(question, Iterable):
        return [{"question": question, "context": context}]
    if not isinstance(context, Iterable):
        return [{"question": each, "context": context} for each in question]
    questions = list(question)
    contexts = [context] * len(questions) if isinstance(context, str) else list(context)
    if len(questions) != len(contexts):
        raise DataError(
            f"{len(questions)} questions and {len(contexts)} contexts: give as many of both, or "
            "one context for all."
        )
    pairs = zip(questions, contexts, strict=True)
    return [{"question": one, "context": other} for one, other in pairs]


def _rows(inputs: list[Any]) -> tuple[Row, ...]:
    # SquadExample, which transformers made of them.
    items = [
        {"question": each.question_text, "context": each.context_text}
        if hasattr(each, "question_text")
        else {key: value for key, value in each.items() if key != "id"}
        if isinstance(each, Mapping)
        else each
        for each in inputs
    ]
    checked = check_items(items)
    if checked.problems:
        raise DataError("\n".join(checked.problems))
    return checked.good


def _device(device: Any) -> str:
    """A device as transformers names it, in autoqa's words."""
    if device is None:
        return "auto"
    if isinstance(device, int):
        return "cpu" if device < 0 else f"cuda:{device}"
    return str(device)
