"""Curves as SVG: where the points come to lie, what is left out, and what is kept of long logs."""

import re

import pytest

from components.report.chart import HEIGHT, WIDTH, Chart, draw


def pixels(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) (\S+?)(?=[MLh ]|$)", path)]


def drawn(*points: tuple[float, float], logarithmic: bool = False) -> Chart:
    chart = draw("Loss", "unit", {"D": [points]}, logarithmic)
    assert chart is not None
    return chart


def test_points_lie_where_the_axes_say() -> None:
    chart = drawn((0, 1.0), (100, 2.0), (400, 3.0))
    (first, second, third) = pixels(chart.lines[0].path)
    assert [tick.text for tick in chart.x_ticks] == ["0", "100", "200", "300", "400"]
    at = {tick.text: tick.position for tick in chart.x_ticks}
    assert [point[0] for point in (first, second, third)] == pytest.approx([at["0"], at["100"], at["400"]], abs=0.06)
    at = {tick.text: tick.position for tick in chart.y_ticks}
    assert [point[1] for point in (first, second, third)] == pytest.approx([at["1"], at["2"], at["3"]], abs=0.06)
    assert first[1] > third[1]


def test_steps_are_counted_from_zero() -> None:
    assert drawn((300, 1.0), (400, 2.0)).x_ticks[0].text == "0"


def test_logarithmic_axis_gives_equal_factors_equal_distances_and_leaves_out_what_has_no_logarithm() -> None:
    chart = drawn((0, 1.0), (1, 10.0), (2, 100.0), (3, 0.0), (4, -1.0), logarithmic=True)
    heights = [y for _, y in pixels(chart.lines[0].path)]
    assert len(heights) == 3
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.11)
    assert [tick.text for tick in chart.y_ticks] == ["1", "10", "100"]


@pytest.mark.parametrize("value", [0.0, 3.0, -2.5, 1e9, 1e-9])
def test_constant_curve_is_a_line_in_the_middle(value: float) -> None:
    chart = drawn((0, value), (10, value))
    (_, left), (_, right) = pixels(chart.lines[0].path)
    assert left == right
    assert 60 < left < 130


def test_single_point_is_a_dot() -> None:
    assert drawn((5, 1.0)).lines[0].path.endswith("h0")


def test_what_is_not_finite_is_left_out_and_nothing_left_gives_no_chart() -> None:
    assert len(pixels(drawn((0, 1.0), (1, float("nan")), (2, float("inf")), (3, 2.0)).lines[0].path)) == 2
    assert draw("Loss", "unit", {"D": [[(0, float("nan"))]]}, False) is None
    assert draw("Loss", "unit", {}, False) is None


def test_long_log_is_thinned_and_keeps_its_spikes() -> None:
    points = [(float(step), 1.0) for step in range(20_000)]
    points[7_777], points[12_345] = (7_777.0, 9.0), (12_345.0, -9.0)
    chart = drawn(*points)
    shown = pixels(chart.lines[0].path)
    assert len(shown) <= 400
    assert [x for x, _ in shown] == sorted(x for x, _ in shown)
    heights = [y for _, y in shown]
    assert max(heights) - min(heights) > 130


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.1305, 0.1362), (-3.0, 4.0), (120.0, 98_000.0), (1e-7, 3e-7)], ids=str
)
def test_every_axis_has_a_few_ticks_inside_the_drawing(low: float, high: float) -> None:
    for logarithmic in (False, True) if low > 0 else (False,):
        chart = drawn((0, low), (1000, high), logarithmic=logarithmic)
        assert 2 <= len(chart.y_ticks) <= 8, (logarithmic, chart.y_ticks)
        assert len({tick.text for tick in chart.y_ticks}) == len(chart.y_ticks)
        assert all(0 <= tick.position <= HEIGHT for tick in chart.y_ticks)
        assert all(0 <= tick.position <= WIDTH for tick in chart.x_ticks)


def test_several_curves_under_one_name_are_one_path() -> None:
    chart = draw("Singular values", "", {"G": [[(0, 1.0), (1, 2.0)], [(0, 2.0), (1, 3.0)]]}, False)
    assert chart is not None
    (line,) = chart.lines
    assert (line.curves, line.path.count("M"), line.last) == (2, 2, "")


def test_description_says_how_curves_end() -> None:
    assert drawn((0, 1.0), (10, 0.123456)).description == "Loss over the steps of training: D ends at 0.123"
