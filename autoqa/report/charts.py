"""Pictures as SVG inside a page: drawn by the browser in the page's own colours, also on paper.

No library of plots is needed: there is nothing to load, nothing that a strict content policy would
stop, and every mark carries its figures as a text that can be read aloud.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 40
COLOURS = 8
"""Classes ``c0`` to ``c7``: colours that the style sheet gives, light and dark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point in a plane.

    Attributes:
        x: Across.
        y: Up.
        label: What it is, with its figures.
        colour: Number of its colour.
        marked: Whether it stands out.
    """

    x: float
    y: float
    label: str
    colour: int = 0
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """What a plane is of.

    Attributes:
        x: Name of what goes across.
        y: Name of what goes up.
        x_range: Its ends.
        y_range: Its ends.
    """

    x: str
    y: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def across(self, value: float) -> float:
        """Place of a value, in units of the picture."""
        return _between(value, self.x_range, _LEFT, WIDTH - _RIGHT)

    def up(self, value: float) -> float:
        """Likewise."""
        return _between(value, self.y_range, HEIGHT - _BOTTOM, _TOP)


def around(values: Sequence[float], spare: float = 0.05) -> tuple[float, float]:
    """Ends of an axis that holds all values with room to spare."""
    low, high = min(values), max(values)
    room = spare * (high - low) or 0.01
    return low - room, high + room


def plane(
    title: str,
    axes: Axes,
    points: Sequence[Mark],
    lines: Sequence[tuple[int, Sequence[tuple[float, float]]]] = (),
    steps: Sequence[tuple[float, float]] = (),
    diagonal: bool = False,
) -> str:
    """Points and lines in a plane.

    Args:
        title: What is to be seen, for whoever cannot see it.
        axes: The plane.
        points: Marks.
        lines: Colour and corners of each line.
        steps: Corners of a line that stands out.
        diagonal: Whether to draw where both values are equal.
    """
    parts = _axes(axes)
    if diagonal:
        low = max(axes.x_range[0], axes.y_range[0])
        high = min(axes.x_range[1], axes.y_range[1])
        parts.append(_line("guide", axes, [(low, low), (high, high)]) if low < high else "")
    parts += [_line(f"line c{colour % COLOURS}", axes, corners) for colour, corners in lines]
    if steps:
        parts.append(_line("ladder", axes, steps))
    for point in points:
        kind = f"dot c{point.colour % COLOURS}{' marked' if point.marked else ''}"
        x, y = axes.across(point.x), axes.up(point.y)
        parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{5 if point.marked else 3.5}">'
            f"<title>{escape(point.label)}</title></circle>"
        )
    return _picture(title, WIDTH, HEIGHT, parts)


def interval_strip(
    title: str,
    ends: tuple[float, float],
    mean: float,
    wide: tuple[float, float],
    narrow: tuple[float, float] | None = None,
    kind: str = "unclear",
    zero: float | None = None,
) -> str:
    """A dot with its interval, for a cell of a table.

    Args:
        title: The figures as a text.
        ends: Of the common axis of all cells.
        mean: Where the dot is.
        wide: Ends of the thin line.
        narrow: Ends of the thick one.
        kind: A class of the style sheet.
        zero: Where to draw a line up.
    """

    def at(value: float) -> float:
        return _between(min(max(value, ends[0]), ends[1]), ends, 4, 216)

    parts = []
    if zero is not None:
        parts.append(
            f'<line class="guide" x1="{at(zero):.1f}" x2="{at(zero):.1f}" y1="0" y2="22"/>'
        )
    for low, high, name in ((*wide, "thin"), *([(*narrow, "thick")] if narrow else [])):
        parts.append(
            f'<line class="{name} {kind}" x1="{at(low):.1f}" x2="{at(high):.1f}" y1="11" y2="11"/>'
        )
    parts.append(f'<circle class="dot {kind}" cx="{at(mean):.1f}" cy="11" r="4.5"/>')
    return _picture(title, 220, 22, parts)


@dataclass(frozen=True, slots=True)
class Bar:
    """A portion in a stage.

    Attributes:
        text: What it is.
        share: Length, 0 to 1; longer ones are cut.
        colour: Number of its colour.
    """

    text: str
    share: float
    colour: int


def stages_strip(title: str, stages: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """A recipe from left to right: each stage with its portions as bars below each other.

    Args:
        title: The recipe as a text.
        stages: Name and portions of each.
    """
    lane, head = 20, 18
    height = head + lane * max((len(bars) for _, bars in stages), default=1)
    wide = WIDTH / max(1, len(stages))
    parts = []
    for number, (name, bars) in enumerate(stages):
        left = number * wide
        parts.append(f'<text class="soft" x="{left + 2:.0f}" y="13">{escape(name)}</text>')
        for row, bar in enumerate(bars):
            y = head + row * lane
            length = max(3.0, min(bar.share, 1.0) * (wide - 8))
            parts.append(
                f'<rect class="bar c{bar.colour % COLOURS}" x="{left + 2:.0f}" y="{y}" rx="2" '
                f'width="{length:.0f}" height="{lane - 3}"/>'
                f'<text x="{left + 6:.0f}" y="{y + 13}">{escape(bar.text)}</text>'
            )
    return _picture(title, WIDTH, height, parts)


def _axes(axes: Axes) -> list[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = [
        f'<text class="soft" x="{(_LEFT + right) / 2:.0f}" y="{HEIGHT - 6}" '
        f'text-anchor="middle">{escape(axes.x)}</text>',
        f'<text class="soft" transform="translate(12 {(_TOP + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(axes.y)}</text>',
    ]
    for value in ticks(*axes.y_range):
        y = axes.up(value)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="soft" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    parts += [
        f'<text class="soft" x="{axes.across(value):.1f}" y="{bottom + 16}" '
        f'text-anchor="middle">{value:g}</text>'
        for value in ticks(*axes.x_range)
    ]
    return parts


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values between two ends."""
    if not high > low:
        return [low]
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    unit = next(step * power for step in (1, 2, 5, 10) if step * power >= least)
    first, last = math.ceil(low / unit), math.floor(high / unit)
    return [round(number * unit, 10) for number in range(first, last + 1)]


def _line(kind: str, axes: Axes, corners: Sequence[tuple[float, float]]) -> str:
    listed = " ".join(f"{axes.across(x):.1f},{axes.up(y):.1f}" for x, y in corners)
    return f'<polyline class="{kind}" points="{listed}"/>'


def _between(value: float, ends: tuple[float, float], low: float, high: float) -> float:
    return low + (value - ends[0]) / ((ends[1] - ends[0]) or 1.0) * (high - low)


def _picture(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    text = escape(title)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{text}"><title>{text}</title>{"".join(parts)}</svg>'
    )
