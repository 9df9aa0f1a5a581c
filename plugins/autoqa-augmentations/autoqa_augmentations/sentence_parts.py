"""A context as parts of whole sentences, put together again in another way with exact offsets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoqa.api import Answer, Example, sentences


@dataclass(frozen=True, slots=True)
class SentenceParts:
    """Parts of a context, none of which holds a piece of an answer only.

    Attributes:
        example: Whose context it is.
        spans: First and one-past-last character of each part, in order; what stands between two of
            them is white space or nothing.
        answered: Which parts hold an answer.
    """

    example: Example
    spans: tuple[tuple[int, int], ...]
    answered: tuple[bool, ...]

    @classmethod
    def of(cls, example: Example) -> "SentenceParts":
        """The sentences of a context; those that share an answer are one part."""
        spans = list(sentences(example.context))
        for answer in example.answers:
            first = next((n for n, (_, high) in enumerate(spans) if answer.start < high), 0)
            last = next((n for n, (_, high) in enumerate(spans) if answer.end <= high), len(spans))
            # An answer with white space at its ends is in no sentence, but still in a part.
            together = spans[first : last + 1]
            low = min(answer.start, together[0][0])
            spans[first : last + 1] = [(low, max(answer.end, together[-1][1]))]
        held = [any(low <= a.start < high for a in example.answers) for low, high in spans]
        return cls(example, tuple(spans), tuple(held))

    def together(self, order: Sequence[int]) -> Example:
        """An example whose context has these parts in this order.

        Args:
            order: Numbers of parts, each at most once; among them all that hold an answer.
        """
        if list(order) == list(range(len(self.spans))):
            return self.example
        context = self.example.context
        text = context[: self.spans[0][0]]
        moved: dict[int, int] = {}
        for place, number in enumerate(order):
            low, high = self.spans[number]
            moved[number] = len(text) - low
            text += context[low:high]
            if place + 1 < len(order):
                # Where all parts are there, white space keeps its place; else it goes with them.
                gap = place if len(order) == len(self.spans) else number
                text += context[self.spans[gap][1] : self.spans[gap + 1][0]]
        text += context[self.spans[-1][1] :]
        answers = tuple(
            replace(answer, start=answer.start + moved[self._part_of(answer)])
            for answer in self.example.answers
        )
        if (text, answers) == (context, self.example.answers):
            return self.example  # equal sentences changed places
        return replace(self.example, context=text, answers=answers)

    def _part_of(self, answer: Answer) -> int:
        return next(n for n, (low, high) in enumerate(self.spans) if low <= answer.start < high)
