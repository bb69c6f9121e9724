"""A study as a Markdown table."""

from collections.abc import Mapping

from components.study.comparison import Cell, seeds_drawn
from components.study.study import Measure, Study


def to_markdown(study: Study, cells: Mapping[str, Mapping[str, Cell]]) -> str:
    """One line per row: each measure, its difference from the first row, the literature's numbers and the verdict."""
    head = ["row"]
    for measure in study.measures.values():
        head += [measure.title, "difference", measure.paper, "its order"]
    lines = [head, ["---"] * len(head)]
    for row in study.rows:
        line = [row.label]
        for name, measure in study.measures.items():
            line += _columns(cells[row.experiment].get(name), measure)
        lines.append(line)
    told = sum(1 for row in cells.values() for cell in row.values() if cell.verdict() not in ("", "one seed"))
    notes = (
        f"Mean ± standard deviation over {seeds_drawn(cells)} seeds; differences seed by seed, ± the half-width of "
        "their 95 % confidence interval (Student's t). *its order*: whether the literature's order of the two holds "
        f"here; *not told apart*: the interval holds 0. Of {told} such intervals one in twenty misses by chance."
    )
    return "\n".join([f"# {study.title}", "", *("| " + " | ".join(line) + " |" for line in lines), "", notes, ""])


def _columns(cell: Cell | None, measure: Measure) -> list[str]:
    if cell is None:
        return ["–", "–", "–", ""]
    value = f"{cell.mean:.3g}" if cell.deviation is None else f"{cell.mean:.3g} ± {cell.deviation:.2g}"
    paper = "–" if cell.paper is None else f"{cell.paper[0]:g} → {cell.paper[1]:g}"
    if cell.difference is None:
        return [value, "", paper, ""]
    width = "" if cell.half_width is None else f" ± {cell.half_width:.2g}"
    return [value, f"{cell.difference:+.2g}{width}", paper, cell.verdict()]
