"""The metrics as tables."""

from components.report.tables import accuracy_table, measure_rows, unread

VALUES = {
    "linear_top1_avepool_test": 0.5,
    "linear_top1_bn_crelu_test": 0.5,
    "linear_top1_mu_test": 0.25,
    "linear_top1_discriminator_test": 0.75,
    "linear_top1_pixels_test": 1.0,
    "linear_top5_mu_test": 0.5,
    "linear_top1_mu_1_percent_test_mean": 0.125,
    "linear_top1_mu_1_percent_test_std": 0.0625,
    "knn5_top1_mu_test": 0.25,
}


def test_rows_are_the_encoder_s_then_its_references_and_columns_are_protocols() -> None:
    table = accuracy_table(VALUES, {"mu": "the mean of E(x)"})
    assert table is not None
    assert table.groups == [("linear probe", 2), ("1 % of the labels", 1), ("k nearest neighbours", 1)]
    assert table.columns == ["top-1", "top-5", "top-1", "k = 5"]
    assert [(row.title, row.definition, row.is_reference) for row in table.rows] == [
        ("BN+CReLU", "", False),
        ("AvePool", "", False),
        ("mean of E(x)", "the mean of E(x)", False),
        ("raw pixels", "", True),
        ("D's features", "", True),
    ]
    assert [None if cell is None else cell.key for cell in table.rows[2].cells] == [
        "linear_top1_mu_test", "linear_top5_mu_test", "linear_top1_mu_1_percent_test_mean", "knn5_top1_mu_test",
    ]  # fmt: skip
    few = table.rows[2].cells[2]
    assert few is not None
    assert few.spread is not None
    assert (few.text, few.spread.text) == ("12.5 %", "6.2 %")


def test_best_are_of_the_encoder_alone_and_of_several() -> None:
    table = accuracy_table(VALUES, {})
    assert table is not None
    assert table.best == {"linear_top1_avepool_test", "linear_top1_bn_crelu_test"}


def test_without_accuracies_there_is_no_table() -> None:
    assert accuracy_table({"fd_a_samples5_train4": 1.0}, {}) is None


def test_measures_stand_by_measure_then_count_with_the_floor_in_their_row() -> None:
    values = {
        "recall_a_k3_samples5_train5": 0.5,
        "fd_a_samples500_train4": 2.0,
        "fd_a_samples5000_train4": 1.5,
        "fd_a_test500_train4": 0.25,
        "standard_error_fd_a_samples500_train4": 0.0123,
        "extrapolated_fd_a_samples5000_train4": 1.25,
        "mean_pixel_train4": 0.5,
        "score_a_samples5_mean": 8.0,
        "score_a_samples5_std": 0.00001,
    }
    rows = measure_rows(values)
    assert [(row.result.key, None if row.floor is None else row.floor.key) for row in rows] == [
        ("fd_a_samples5000_train4", None),
        ("fd_a_samples500_train4", "fd_a_test500_train4"),
        ("extrapolated_fd_a_samples5000_train4", None),
        ("score_a_samples5_mean", None),
        ("recall_a_k3_samples5_train5", None),
        ("mean_pixel_train4", None),
    ]
    spreads = [row.result.spread.text for row in rows if row.result.spread is not None]
    assert spreads == ["0.012", "1e-05"]
    shown = {row.result.key for row in rows} | {row.floor.key for row in rows if row.floor}
    shown |= {row.result.spread.key for row in rows if row.result.spread}
    assert shown == values.keys(), "no number is lost"


def test_unknown_keys_are_not_lost() -> None:
    assert [one.key for one in unread(VALUES | {"odd": 1.0, "even": 2.0})] == ["even", "odd"]
