"""The numbers as an aligned table for the terminal."""

from collections.abc import Mapping, Sequence


def format_table(
    values: Mapping[str, float], views: Sequence[str], draws: Sequence[str], neighbours: Sequence[int]
) -> list[str]:
    """One line per view, in percent of the test split; a dash stands for what was not measured.

    Args:
        draws: the kinds of low-label draws, as `low_label.Draws` names them.
    """
    columns = {"linear top-1": "linear_top1_{view}_test"}
    if any(key.startswith("linear_top5_") for key in values):
        columns["linear top-5"] = "linear_top5_{view}_test"
    for kind in draws:
        count, unit = kind.split("_", 1)
        title = f"{count} labels a class" if unit == "per_class" else f"{count} % of labels"
        columns[title] = f"linear_top1_{{view}}_{kind}_test_mean"
    for k in neighbours:
        columns[f"kNN-{k}"] = f"knn{k}_top1_{{view}}_test"
    rows = [["% of test", *columns]]
    for view in views:
        found = (values.get(key.format(view=view)) for key in columns.values())
        rows.append([view, *("–" if value is None else f"{100 * value:.1f}" for value in found)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
