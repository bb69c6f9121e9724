from pathlib import Path

import numpy as np
from PIL import Image

from components.evaluate_representation.pictures import (
    choose_queries,
    confusion_counts,
    save_confusion,
    save_neighbours,
)


def test_rows_are_the_classes_and_columns_the_predictions() -> None:
    counts = confusion_counts(np.array([0, 0, 2, 2, 2]), np.array([0, 1, 2, 2, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 2]]


def test_queries_are_the_first_image_of_each_class() -> None:
    assert choose_queries(np.array([2, 2, 0, 1, 0]), 5, 10).tolist() == [2, 3, 0]


def test_queries_are_spread_over_many_classes() -> None:
    queries = choose_queries(np.arange(100), 100, 10)
    assert len(queries) == 10
    assert queries[0] == 0
    assert queries[-1] == 99


def test_queries_without_labels_are_the_first_images() -> None:
    assert choose_queries(None, 3, 10).tolist() == [0, 1, 2]


def test_pictures_are_drawn_for_many_classes_empty_rows_long_names_and_colours(tmp_path: Path) -> None:
    counts = np.zeros((70, 70), np.int64)
    counts[3, 4] = 2
    save_confusion(tmp_path / "many.png", counts, ["a very long name of a class"] * 70, "many")
    save_confusion(tmp_path / "few.png", counts[:5, :5], list("abcde"), "few")
    images = np.random.default_rng(0).integers(0, 255, (2, 3, 8, 8, 3), dtype=np.uint8)
    save_neighbours(tmp_path / "named.png", images[:, 0], images, ["a", "b"], [["a", "b", "b"]] * 2)
    save_neighbours(tmp_path / "nameless.png", images[:, 0], images, None, None)
    for name in ("many", "few", "named", "nameless"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.width > 200
