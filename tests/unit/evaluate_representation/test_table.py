from components.evaluate_representation.table import format_table


def test_the_table_is_aligned_in_percent_and_dashes_what_was_not_measured() -> None:
    values = {"linear_top1_mu_test": 0.5, "linear_top1_pixels_test": 1.0, "knn5_top1_mu_test": 0.1234}
    values["linear_top1_pixels_10_per_class_test_mean"] = 0.25
    values["linear_top1_mu_1_percent_test_mean"] = 0.125
    assert format_table(values, ["mu", "pixels"], ["10_per_class", "1_percent"], [5]) == [
        "% of test  linear top-1  10 labels a class  1 % of labels  kNN-5",
        "mu                 50.0                  –           12.5   12.3",
        "pixels            100.0               25.0              –      –",
    ]


def test_top5_has_a_column_only_where_it_was_measured() -> None:
    values = {"linear_top1_mu_test": 0.5, "linear_top5_mu_test": 0.75}
    assert format_table(values, ["mu"], [], []) == [
        "% of test  linear top-1  linear top-5",
        "mu                 50.0          75.0",
    ]
