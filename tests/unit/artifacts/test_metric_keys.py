"""Keys of metrics, read: nothing of a key is lost, and each number stands beside what it must be held against."""

from dataclasses import replace

import pytest

from components.artifacts.metric_keys import Accuracy, OfImages, beside, direction, format_value, read_key, spread
from components.evaluate_generation.keys import Keys

ACCURACIES = [
    ("linear_top1_bn_crelu_test", "linear probe", "BN+CReLU", ""),
    ("linear_top5_untrained_avepool_test", "linear probe, top-5", "AvePool, untrained E", ""),
    ("linear_top1_pixels_10_per_class_test_mean", "linear probe, 10 labels a class", "raw pixels", "mean"),
    ("linear_top5_features_dino_1_percent_test_std", "linear probe, top-5, 1 % of the labels (std)", "dino", "std"),
    ("knn25_top1_discriminator_test", "kNN, k = 25", "D's features", ""),
]
OF_IMAGES = [
    ("fd_classifier_samples500_train4000", "Fréchet distance, classifier", "500 samples against 4,000 train images"),
    ("fid_samples50000_imported", "Fréchet inception distance", "50,000 samples against imported statistics"),
    (
        "standard_error_fid_samples5_train9",
        "Fréchet inception distance, standard error",
        "5 samples against 9 train images",
    ),
    (
        "extrapolated_fd_effnet_lite0_samples5_train9",
        "Fréchet distance, extrapolated to infinitely many samples, effnet_lite0",
        "5 samples against 9 train images",
    ),
    ("kd_classifier_samples50_train4_mean", "kernel distance, classifier", "50 samples against 4 train images"),
    ("inception_score_test500_std", "Inception score (std)", "500 test images"),
    ("precision_classifier_k3_samples5_train5", "precision, classifier, k = 3", "5 samples against 5 train images"),
    ("coverage_inception_k5_samples5_train5", "coverage, inception, k = 5", "5 samples against 5 train images"),
    ("mean_pixel_train4000", "mean pixel", "4,000 train images"),
    ("reconstruction_relative_l1_test5", "reconstruction error (1: shuffled pairs), l1", "5 test images"),
    (
        "reconstruction_same_class_classifier_test500",
        "reconstructions of the same class, classifier",
        "500 test images",
    ),
    (
        "nearer_to_train_than_test_pixels_samples500_test500_train4000",
        "memorisation (0.5: as test images), pixels",
        "500 samples against 500 test images and 4,000 train images",
    ),
]


@pytest.mark.parametrize(("key", "protocol", "features", "statistic"), ACCURACIES)
def test_an_accuracy_is_read_and_written_back(key: str, protocol: str, features: str, statistic: str) -> None:
    reading = read_key(key)
    assert isinstance(reading, Accuracy)
    assert (reading.key, reading.title, reading.statistic) == (key, f"{protocol}, {features}", statistic)


@pytest.mark.parametrize(("key", "what", "of"), OF_IMAGES)
def test_a_measure_of_images_is_read_and_written_back(key: str, what: str, of: str) -> None:
    reading = read_key(key)
    assert isinstance(reading, OfImages)
    assert (reading.key, reading.what, reading.of) == (key, what, of)
    assert reading.title == f"{what}, {of.split(' against')[0]}"


@pytest.mark.parametrize("network", ["classifier", "rotations", "inception", "effnet_lite0"])
def test_every_key_that_evaluate_generation_makes_is_read(network: str) -> None:
    keys = Keys(network, 3, 5)
    made = (
        keys.distance, keys.standard_error, keys.extrapolated, keys.precision, keys.recall, keys.density, keys.coverage,
        keys.total_variation,
    )  # fmt: skip
    for make in made:
        reading = read_key(make("samples50", "train40"))
        assert isinstance(reading, OfImages)
        assert (reading.images, reading.count, reading.against) == ("samples", 50, "train40")
        assert network in reading.name or reading.name == "fid"
    for key in (
        keys.kernel_distance("samples50", "train40", "std"),
        keys.nearer_to_train("pixels", "samples50", "test50", "train40"),
    ):
        assert isinstance(read_key(key), OfImages)
    assert isinstance(read_key(keys.score("test50", "std")), OfImages)
    assert isinstance(read_key(keys.mean_pixel("test50")), OfImages)
    assert isinstance(read_key(keys.reconstruction("relative_l1", "test50")), OfImages)
    assert isinstance(read_key(keys.same_class("test50")), OfImages)


@pytest.mark.parametrize("key", ["", "something", "linear_top1_test", "accuracy_of_all_test", "fd_samples"])
def test_what_is_of_no_known_form_is_not_guessed(key: str) -> None:
    assert read_key(key) is None
    assert direction(key) is None
    assert beside(key, {key: 1.0}) == {}


def test_linear_probe_comes_first_then_fewer_labels_then_neighbours() -> None:
    ordered = [
        "linear_top1_mu_test", "linear_top5_mu_test", "linear_top1_mu_100_per_class_test_mean",
        "linear_top1_mu_10_per_class_test_mean", "linear_top1_mu_1_percent_test_mean", "knn1_top1_mu_test",
        "knn25_top1_mu_test",
    ]  # fmt: skip
    readings = [reading for reading in map(read_key, reversed(ordered)) if isinstance(reading, Accuracy)]
    assert [reading.key for reading in sorted(readings, key=lambda reading: reading.order)] == ordered


def test_views_measured_alike_have_one_protocol() -> None:
    one, other = (read_key(f"linear_top1_{view}_10_per_class_test_mean") for view in ("mu", "untrained_avepool"))
    assert isinstance(one, Accuracy)
    assert isinstance(other, Accuracy)
    assert one.protocol == other.protocol
    assert one.protocol != replace(one, labels="").protocol


def test_accuracies_stand_beside_the_same_of_untrained_features_and_pixels() -> None:
    values = dict.fromkeys(
        (
            "linear_top1_mu_test", "linear_top1_untrained_mu_test", "linear_top1_pixels_test",
            "linear_top5_pixels_test", "linear_top1_mu_10_per_class_test_mean",
            "linear_top1_untrained_mu_10_per_class_test_std",
        ),
        0.5,
    )  # fmt: skip
    both = {"untrained": "linear_top1_untrained_mu_test", "raw pixels": "linear_top1_pixels_test"}
    assert beside("linear_top1_mu_test", values) == both
    assert beside("linear_top1_pixels_test", values) == {}
    assert beside("linear_top1_discriminator_test", values | {"linear_top1_discriminator_test": 0.5}) == {}
    assert beside("linear_top1_untrained_mu_test", values) == {}
    assert beside("linear_top1_mu_10_per_class_test_mean", values) == {}


def test_floor_is_of_as_many_images_unless_the_measure_is_unbiased() -> None:
    values = dict.fromkeys(
        (
            "fd_a_samples500_train40", "fd_a_samples5000_train40", "fd_a_test500_train40", "fd_a_test500_train50",
            "fd_b_test500_train40", "kd_a_samples5000_train40_mean", "kd_a_test500_train40_mean",
            "kd_a_test500_train40_std", "standard_error_fd_a_samples500_train40",
        ),
        0.5,
    )  # fmt: skip
    assert beside("fd_a_samples500_train40", values) == {"real images": "fd_a_test500_train40"}
    assert beside("fd_a_samples5000_train40", values) == {}
    assert beside("fd_a_test500_train40", values) == {}
    assert beside("kd_a_samples5000_train40_mean", values) == {"real images": "kd_a_test500_train40_mean"}
    assert beside("standard_error_fd_a_samples500_train40", values) == {}


@pytest.mark.parametrize(
    ("key", "better"),
    [
        ("linear_top1_mu_test", "higher"),
        ("linear_top1_mu_10_per_class_test_std", None),
        ("fd_a_samples5_train4", "lower"),
        ("extrapolated_fd_a_samples5_train4", "lower"),
        ("standard_error_fd_a_samples5_train4", None),
        ("kd_a_samples5_train4_std", None),
        ("inception_score_samples5_mean", "higher"),
        ("recall_a_k3_samples5_train5", "higher"),
        ("class_total_variation_a_samples5_train5", "lower"),
        ("reconstruction_relative_l1_test5", "lower"),
        ("reconstruction_same_class_a_test5", "higher"),
        ("mean_pixel_samples5", None),
    ],
)
def test_direction(key: str, better: str | None) -> None:
    assert direction(key) == better


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("linear_top1_mu_test", 0.9561, "95.6 %"),
        ("precision_a_k3_samples5_train5", 1.0, "100.0 %"),
        ("fid_samples5_train5", 31.19, "31.19"),
        ("fid_samples5_train5", 312.345, "312.3"),
        ("fid_samples5_train5", 12345.6, "12,346"),
        ("fd_a_samples5_train5", 0.9, "0.900"),
        ("kd_a_samples5_train5_mean", 0.0021349, "0.00213"),
        ("kd_a_samples5_train5_mean", -0.5, "-0.500"),
        ("unknown", 0.0, "0.000"),
    ],
)
def test_numbers_in_words(key: str, value: float, text: str) -> None:
    assert format_value(key, value) == text


def test_spread_is_the_standard_error_or_else_the_standard_deviation() -> None:
    values = dict.fromkeys(
        (
            "fd_a_samples5_train4", "standard_error_fd_a_samples5_train4", "kd_a_samples5_train4_mean",
            "kd_a_samples5_train4_std", "linear_top1_mu_test", "linear_top1_mu_10_per_class_test_mean",
            "linear_top1_mu_10_per_class_test_std",
        ),
        0.5,
    )  # fmt: skip
    assert {key: spread(key, values) for key in values if spread(key, values)} == {
        "fd_a_samples5_train4": "standard_error_fd_a_samples5_train4",
        "kd_a_samples5_train4_mean": "kd_a_samples5_train4_std",
        "linear_top1_mu_10_per_class_test_mean": "linear_top1_mu_10_per_class_test_std",
    }
