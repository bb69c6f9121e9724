from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.evaluate_representation.per_class import class_accuracies, save_per_class, write_per_class

COUNTS = np.array([[3, 1, 0], [0, 0, 0], [2, 0, 2]])


def test_accuracies_are_the_shares_of_the_rows_and_unknown_without_images() -> None:
    np.testing.assert_array_equal(class_accuracies(COUNTS), [0.75, np.nan, 0.5])


def test_the_table_has_a_line_per_class_and_a_column_per_view(tmp_path: Path) -> None:
    other = np.array([[4, 0, 0], [0, 0, 0], [1, 0, 3]])
    write_per_class(tmp_path / "x.csv", {"avepool": COUNTS, "mu": other}, ["a", "b, c", "d"])
    lines = ["class,test_images,avepool,mu", "a,4,0.75,1", '"b, c",0,,', "d,4,0.5,0.75", ""]
    assert (tmp_path / "x.csv").read_text() == "\n".join(lines)


@pytest.mark.parametrize("classes", [1, 3, 200])
def test_the_picture_is_no_larger_for_a_thousand_classes(tmp_path: Path, classes: int) -> None:
    accuracies = np.linspace(0, 1, classes)
    accuracies[-1] = np.nan if classes > 1 else 0.5
    save_per_class(tmp_path / "x.png", accuracies, [f"class {i} {'x' * i}" for i in range(classes)], "title")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width == 880
        assert picture.height < 1900
