"""Curves as inline SVG: a drawing's geometry; `parts.html` makes the elements, `page.css` the colours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 350.0, 14.0, 172.0
# More points than pixels cannot be seen; they only make the page heavy.
_MOST_POINTS = 400


@dataclass(frozen=True)
class Line:
    """One entry of the legend: so many curves in one SVG path. `last`: the last value of a single one, in words."""

    name: str
    curves: int
    path: str
    last: str


@dataclass(frozen=True)
class Tick:
    position: float
    text: str


@dataclass(frozen=True)
class Chart:
    title: str
    unit: str
    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]

    @property
    def description(self) -> str:
        """For who cannot see it."""
        ends = ", ".join(f"{line.name} ends at {line.last}" for line in self.lines if line.last)
        return f"{self.title} over the steps of training" + (f": {ends}" if ends else "")


def draw(title: str, unit: str, curves: Mapping[str, Sequence[Points]], logarithmic: bool) -> Chart | None:
    """Lays out curves by the names of their legend. What is not finite, or not positive on a logarithmic axis, is left
    out; None, if nothing remains."""
    kept = {
        name: [[point for point in points if _can_be_drawn(point[1], logarithmic)] for points in several]
        for name, several in curves.items()
    }
    everything = [point for several in kept.values() for points in several for point in points]
    if not everything:
        return None
    steps, values = [x for x, _ in everything], [y for _, y in everything]
    x_axis = _Axis(0.0, max(steps), _LEFT, _RIGHT, logarithmic=False)
    y_axis = _Axis(min(values), max(values), _BOTTOM, _TOP, logarithmic)
    lines = [
        Line(
            name,
            len(several),
            " ".join(
                _path([(x_axis.at(x), y_axis.at(y)) for x, y in _thinned(points)]) for points in several if points
            ),
            f"{several[0][-1][1]:.3g}" if len(several) == 1 and several[0] else "",
        )
        for name, several in kept.items()
    ]
    return Chart(title, unit, lines, x_axis.ticks(), y_axis.ticks())


class _Axis:
    """Maps values between `low` and `high` to pixels between `start` and `end`."""

    def __init__(self, low: float, high: float, start: float, end: float, logarithmic: bool) -> None:
        self._logarithmic = logarithmic
        self._low, self._high = self._scaled(low), self._scaled(high)
        if self._high - self._low <= 1e-9 * max(abs(self._low), abs(self._high), 1e-9):
            self._low, self._high = self._low - 0.5, self._high + 0.5
        elif start > end:  # some air above and below the curves
            air = 0.05 * (self._high - self._low)
            self._low, self._high = self._low - air, self._high + air
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = (self._scaled(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[Tick]:
        values = self._logarithmic_ticks() if self._logarithmic else _round_values(self._low, self._high)
        return [Tick(round(self.at(value), 1), _tick_text(value)) for value in values]

    def _logarithmic_ticks(self) -> list[float]:
        """Powers of ten; where these are fewer than two, 1, 2 and 5 of each; where these are, round values."""
        decades = range(math.floor(self._low), math.ceil(self._high) + 1)
        for multiples in ((1,), (1, 2, 5)):
            values = [multiple * 10.0**decade for decade in decades for multiple in multiples]
            inside = [value for value in values if self._low <= math.log10(value) <= self._high]
            if len(inside) >= 2:
                return inside[:: max(1, len(inside) // 4)]
        return [value for value in _round_values(10**self._low, 10**self._high) if value > 0]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._logarithmic else value


def _round_values(low: float, high: float) -> list[float]:
    """Three to six multiples of 1, 2 or 5 times a power of ten between `low` and `high`."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(multiple * power for multiple in (1, 2, 5, 10) if multiple * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [index * step for index in range(first, last + 1)]


def _tick_text(value: float) -> str:
    if value and abs(value) >= 10_000:
        return f"{value / 1000:,.6g}k"
    return f"{value:.4g}"


def _thinned(points: Points) -> Points:
    """At most about 400 points: of each stretch its lowest and its highest, so that no spike is lost."""
    if len(points) <= _MOST_POINTS:
        return points
    size = -(-len(points) // (_MOST_POINTS // 2))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        extremes = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(extremes)
    return kept


def _path(pixels: Points) -> str:
    """A line through the points; a single one becomes a dot, by its round ends."""
    first, *others = [f"{x:.1f} {y:.1f}" for x, y in pixels]
    return f"M{first}" + ("".join(f"L{other}" for other in others) or "h0")


def _can_be_drawn(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)
