"""The step as a whole: what is measured under which key, what is not, and why."""

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from components.artifacts.dataset import Dataset, Split
from components.artifacts.errors import UserError
from components.artifacts.feature_network import FeatureNetworkModule, save_feature_network
from components.artifacts.metrics import Metrics, read_metrics, write_metrics
from components.artifacts.model import Model, save_model
from components.artifacts.parameters import EvaluateGeneration
from components.evaluate_generation import collect
from components.evaluate_generation.__main__ import main
from components.evaluate_generation.evaluate import evaluate
from components.evaluate_generation.features import extract, split_batches
from components.evaluate_generation.imported_statistics import ImportedStatistics
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.memorisation import Memorisation, Nearest
from components.evaluate_generation.pictures import save_pictures, save_reconstructions
from components.evaluate_generation.resolution import averaged
from components.evaluate_generation.sampling import encode, generate, latents, sample_batches
from components.evaluate_generation.summary import summary
from components.measures.frechet_distance import frechet_distance, moments
from tests.unit.evaluate_generation.toy import ALONE

MakeDataset = Callable[..., Dataset]
MakeNetwork = Callable[..., FeatureNetworkModule]
CPU = torch.device("cpu")
KEYS = {
    "fd_classifier_samples50_train60",
    "fd_classifier_samples20_train60",
    "fd_classifier_test20_train60",
    "score_classifier_samples50_mean",
    "score_classifier_samples50_std",
    "score_classifier_samples20_mean",
    "score_classifier_samples20_std",
    "score_classifier_test20_mean",
    "score_classifier_test20_std",
    "precision_classifier_k3_samples50_train50",
    "recall_classifier_k3_samples50_train50",
    "precision_classifier_k3_samples20_train20",
    "recall_classifier_k3_samples20_train20",
    "precision_classifier_k3_test20_train20",
    "recall_classifier_k3_test20_train20",
    "class_total_variation_classifier_samples50_train60",
    "class_total_variation_classifier_samples20_train60",
    "class_total_variation_classifier_test20_train60",
    "mean_pixel_samples50",
    "mean_pixel_samples20",
    "mean_pixel_test20",
    "mean_pixel_train60",
    "standard_error_fd_classifier_samples50_train60",
    "standard_error_fd_classifier_samples20_train60",
    "extrapolated_fd_classifier_samples50_train60",
    "kd_classifier_samples50_train50_mean",
    "kd_classifier_samples50_train50_std",
    "kd_classifier_samples20_train50_mean",
    "kd_classifier_samples20_train50_std",
    "kd_classifier_test20_train50_mean",
    "kd_classifier_test20_train50_std",
    "density_classifier_k5_samples50_train50",
    "coverage_classifier_k5_samples50_train50",
    "density_classifier_k5_samples20_train20",
    "coverage_classifier_k5_samples20_train20",
    "density_classifier_k5_test20_train20",
    "coverage_classifier_k5_test20_train20",
    "nearer_to_train_than_test_classifier_samples12_test12_train60",
    "nearer_to_train_than_test_pixels_samples12_test12_train60",
    "reconstruction_l1_test20",
    "reconstruction_l2_test20",
    "reconstruction_relative_l1_test20",
    "reconstruction_relative_l2_test20",
    "reconstruction_same_class_classifier_test20",
}


def measured(model: Model, dataset: Dataset, network: FeatureNetworkModule, parameters: EvaluateGeneration) -> Metrics:
    found = evaluate(model, dataset, network, parameters, ALONE, cache=None, imported=None)
    assert found is not None
    return found.metrics


def test_every_number_and_its_floor_under_its_name(
    tmp_path: Path,
    model: Model,
    make_dataset: MakeDataset,
    make_network: MakeNetwork,
    parameters: EvaluateGeneration,
) -> None:
    metrics = measured(model, make_dataset(), make_network(), parameters)
    assert metrics.values.keys() == KEYS
    assert metrics.protocol["counts"] == {"samples": 50, "train": 60, "test": 20}
    assert metrics.protocol["not_measured"] == {}
    assert metrics.protocol["feature_network"]["weights_sha256"] == "0" * 64
    write_metrics(tmp_path, metrics)
    assert read_metrics(tmp_path) == metrics


def test_numbers_are_those_of_the_images_that_the_keys_name(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    data, network = make_dataset(), make_network()
    values = measured(model, data, network, parameters).values
    images = generate(model, latents(model, 50, seed=0), CPU)
    train, test, samples = (
        network(torch.from_numpy(one))[0] for one in (data.train.images(), data.test.images(), images)
    )

    def distance(features: torch.Tensor) -> float:
        return frechet_distance(moments(features), moments(train))

    assert values["fd_classifier_samples50_train60"] == pytest.approx(distance(samples), rel=1e-4)
    assert values["fd_classifier_test20_train60"] == pytest.approx(distance(test), rel=1e-4)
    halves = [distance(samples[:20]), distance(samples[20:40])]
    assert values["fd_classifier_samples20_train60"] == pytest.approx(sum(halves) / 2, rel=1e-4)
    assert values["mean_pixel_train60"] == pytest.approx(data.train.images().mean() / 255)
    assert values["mean_pixel_samples50"] == pytest.approx(images.mean() / 255)


def test_batch_size_does_not_matter(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    first = measured(model, make_dataset(), make_network(), parameters)
    second = measured(model, make_dataset(), make_network(), replace(parameters, batch_size=7))
    assert first.protocol == second.protocol
    assert first.values == pytest.approx(second.values, rel=1e-4, abs=1e-6)


def test_same_seed_same_numbers_another_seed_others(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    first, second, other = (
        measured(model, make_dataset(), make_network(), replace(parameters, seed=seed)).values for seed in (0, 0, 1)
    )
    assert first == second
    assert first["mean_pixel_samples50"] != other["mean_pixel_samples50"]


def test_inception_alone_is_called_fid_and_inception_score(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    values = measured(model, make_dataset(), make_network("inception"), parameters).values
    assert {
        "fid_samples50_train60",
        "fid_test20_train60",
        "extrapolated_fid_samples50_train60",
        "kid_samples50_train50_mean",
        "inception_score_samples50_mean",
    } <= values.keys()
    assert not any("class" in key for key in values)
    for name in ("classifier", "rotations"):
        keys = Keys(name, 3, 5)
        given = {keys.distance("a", "b"), keys.score("a", "mean"), keys.kernel_distance("a", "b", "mean")}
        assert not given & {"fid_a_b", "inception_score_a_mean", "kid_a_b_mean"}


def test_rotations_have_no_score_and_no_classes(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    metrics = measured(model, make_dataset(), make_network("rotations"), parameters)
    assert "fd_rotations_samples50_train60" in metrics.values
    assert not any("score" in key or "class" in key for key in metrics.values)
    assert "rotations" in metrics.protocol["not_measured"]["score_rotations_samples50_mean"]


@pytest.mark.parametrize("test", [0, 1, 3])
def test_small_test_split_skips_the_floor_with_a_reason(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration, test: int
) -> None:
    metrics = measured(model, make_dataset(test=test), make_network(), parameters)
    absent = metrics.protocol["not_measured"]
    assert "fd_classifier_samples50_train60" in metrics.values
    assert f"fd_classifier_test{test}_train60" not in metrics.values
    assert ("nearer_to_train_than_test" in absent) == (test == 0)
    assert ("floor" in absent) if test == 0 else (f"fd_classifier_test{test}_train60" in absent)
    assert (f"reconstruction_relative_l2_test{test}" in absent) == (test < 2)
    assert "generated" in summary(metrics)


def test_small_train_split_skips_the_distance_with_a_reason(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    metrics = measured(model, make_dataset(train=5), make_network(), parameters)
    assert metrics.protocol["not_measured"]["fd_classifier_samples50_train5"].startswith("5 features need more than 5")
    assert "precision_classifier_k3_samples5_train5" in metrics.values


def test_large_test_split_gives_as_many_images_as_samples(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    metrics = measured(model, make_dataset(test=80), make_network(), parameters)
    assert metrics.protocol["counts"]["test"] == 50
    assert {"fd_classifier_samples50_train60", "fd_classifier_test50_train60"} <= metrics.values.keys()


@pytest.mark.parametrize("network", ["classifier", "rotations"])
def test_a_model_without_encoder_has_everything_but_reconstructions(
    gan: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration, network: str
) -> None:
    metrics = measured(gan, make_dataset(), make_network(network), parameters)
    reasons = metrics.protocol["not_measured"]
    absent = {key for key, reason in reasons.items() if reason == "the model has no encoder"}
    assert not any("reconstruction" in key for key in metrics.values)
    if network == "classifier":
        assert metrics.values.keys() == KEYS - absent
        assert absent == {key for key in KEYS if key.startswith("reconstruction")}
    else:
        assert absent == {key for key in KEYS if key.startswith("reconstruction") and "same_class" not in key}
    assert summary(metrics).endswith("\nreconstruction was not measured: the model has no encoder")


def test_an_autoencoder_has_every_number(
    autoencoder: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    assert measured(autoencoder, make_dataset(), make_network(), parameters).values.keys() == KEYS


def test_all_images_are_compared_at_the_resolution_of_the_generator(
    half_size: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    """The network takes 16 pixels, G makes 8: every image, real or not, reaches it as 8 pixels, each repeated."""
    data, network = make_dataset(size=16), make_network(image_size=16)
    metrics = measured(half_size, data, network, parameters)
    samples = generate(half_size, latents(half_size, 50, seed=0), CPU)
    train, test = (np.rint(halved(split.images())).astype(np.uint8) for split in (data.train, data.test))
    of_train, of_test, of_samples = (
        network(torch.from_numpy(images.repeat(2, 1).repeat(2, 2)))[0] for images in (train, test, samples)
    )

    def distance(features: torch.Tensor) -> float:
        return frechet_distance(moments(features), moments(of_train))

    assert metrics.values.keys() == KEYS
    assert metrics.values["fd_classifier_samples50_train60"] == pytest.approx(distance(of_samples), rel=1e-4)
    assert metrics.values["fd_classifier_test20_train60"] == pytest.approx(distance(of_test), rel=1e-4)
    assert metrics.values["mean_pixel_train60"] == pytest.approx(train.mean() / 255, rel=1e-9)
    assert metrics.protocol["resolution"] == {"compared": 8, "dataset": 16, "feature_network": 16}


def test_a_network_for_images_of_any_size_gets_them_as_the_generator_makes_them(
    half_size: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    """The network here takes 8 pixels, though it says that it takes any."""
    network = make_network(image_size=8)
    network.description["image"] = None
    metrics = measured(half_size, make_dataset(size=16), network, parameters)
    assert metrics.values.keys() == KEYS
    assert metrics.protocol["resolution"] == {"compared": 8, "dataset": 16, "feature_network": None}


def test_reconstructions_are_compared_with_averages_of_what_the_encoder_saw(
    half_size: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    data = make_dataset(size=16)
    values = measured(half_size, data, make_network(image_size=16), parameters).values
    images = data.test.images()
    z = encode(half_size.networks.encoder, images, CPU)
    expected = halved(images)[..., 0] / 127.5 - 1
    error = np.abs(half_size.networks.generator(z)[:, 0].numpy() - expected).mean()
    assert values["reconstruction_l1_test20"] == pytest.approx(error, rel=1e-5)


def halved(images: np.ndarray) -> np.ndarray:
    """N×2H×2W×C -> N×H×W×C, the means of squares, not rounded."""
    count, height, width, channels = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def test_averages_are_rounded_and_a_half_goes_to_the_even_number() -> None:
    images = np.array([[0, 0, 255, 255], [1, 1, 255, 254], [0, 0, 9, 9], [1, 2, 9, 9]], np.uint8)[None, :, :, None]
    assert averaged(images, 2)[0, :, :, 0].tolist() == [[0, 255], [1, 9]]
    assert averaged(images, 2).dtype == np.uint8
    assert np.array_equal(averaged(images, 4), images)
    colours = np.stack([np.zeros((4, 4)), np.full((4, 4), 7)], -1)[None].astype(np.uint8)
    assert averaged(colours, 1).tolist() == [[[[0, 7]]]]


def test_fewer_samples_than_features_are_refused(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    with pytest.raises(UserError, match=r"evaluate_generation\.samples is 5; the Fréchet distance on 5 features"):
        measured(model, make_dataset(), make_network(), replace(parameters, samples=5))


def test_what_does_not_belong_together_is_refused(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    with pytest.raises(UserError, match="feature network takes images of"):
        measured(model, make_dataset(), make_network(image_size=16), parameters)
    other = Model(model.networks, {**model.config, "image": {"size": 16, "channels": 1}}, {})
    with pytest.raises(UserError, match="the model was made for images of"):
        measured(other, make_dataset(), make_network(), parameters)
    with pytest.raises(UserError, match="fewer than two images"):
        measured(model, make_dataset(train=1), make_network(), parameters)


def test_features_that_are_not_finite_are_refused(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    network = make_network()
    network.network.logits.bias[1] = torch.nan
    with pytest.raises(UserError, match="the feature network classifier gives features that are not finite"):
        measured(model, make_dataset(), network, parameters)


def test_images_that_are_not_finite_are_refused(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    next(model.networks.generator.parameters()).fill_(torch.inf)
    with pytest.raises(UserError, match="G gives images that are not finite: the model's weights are of no use"):
        measured(model, make_dataset(), make_network(), parameters)


def test_too_few_images_for_pairs_and_subsets_are_said(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    metrics = measured(model, make_dataset(train=7, test=5), make_network(), replace(parameters, samples=6))
    absent = metrics.protocol["not_measured"]
    assert absent["kd_classifier_samples6_train7_mean"] == "subsets of 10 need as many images on both sides"
    assert absent["density_classifier_k5_test5_train5"] == "5 neighbours need more images on both sides"
    assert "4 groups" in absent["standard_error_fd_classifier_samples6_train7"]
    assert "three sizes" in absent["extrapolated_fd_classifier_samples6_train7"]
    assert "5 features" in absent["standard_error_fd_classifier_samples5_train7"]
    assert not absent.keys() & metrics.values.keys()


def test_the_standard_error_is_that_of_the_mean_over_subsets(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    data, network = make_dataset(), make_network()
    values = measured(model, data, network, parameters).values
    train = moments(network(torch.from_numpy(data.train.images()))[0])
    samples = network(torch.from_numpy(generate(model, latents(model, 50, seed=0), CPU)))[0]
    first, second = (frechet_distance(train, moments(part)) for part in (samples[:20], samples[20:40]))
    # Of two numbers it is half their difference.
    expected = pytest.approx(abs(first - second) / 2, rel=1e-3)
    assert values["standard_error_fd_classifier_samples20_train60"] == expected
    alone = measured(model, make_dataset(test=30), make_network(), parameters)
    assert "one subset" in alone.protocol["not_measured"]["standard_error_fd_classifier_samples30_train60"]


def test_the_distance_to_imported_statistics_stands_beside(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    data, network = make_dataset(), make_network()
    train = moments(network(torch.from_numpy(data.train.images()))[0])
    imported = ImportedStatistics(train, "1" * 64)
    found = evaluate(model, data, make_network(), parameters, ALONE, cache=None, imported=imported)
    assert found is not None
    values = found.metrics.values
    assert values.keys() == KEYS | {f"fd_classifier_{name}_imported" for name in ("samples50", "samples20", "test20")}
    for name in ("samples50", "samples20", "test20"):
        expected = pytest.approx(values[f"fd_classifier_{name}_train60"], rel=1e-4)
        assert values[f"fd_classifier_{name}_imported"] == expected
    assert found.metrics.protocol["imported_statistics"] == {"sha256": "1" * 64}


@pytest.mark.parametrize("images", ["copies", "test"])
def test_memorisation_is_seen(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration, images: str
) -> None:
    """A train split that holds the samples, or the test images."""
    data = make_dataset()
    samples = generate(model, latents(model, 50, seed=0), CPU)
    known = samples if images == "copies" else data.test.images()
    train = Split([np.concatenate([data.train.images(), known])], np.zeros(60 + len(known), np.int64))
    metrics = measured(model, replace(data, train=train), make_network(), parameters)
    for by in ("classifier", "pixels"):
        share = metrics.values[f"nearer_to_train_than_test_{by}_samples12_test12_train{len(train)}"]
        assert share == (1.0 if images == "copies" else 0.0)


def test_memorisation_is_told_by_the_space_that_the_key_names(
    model: Model,
    make_dataset: MakeDataset,
    make_network: MakeNetwork,
    parameters: EvaluateGeneration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twelve samples, then twelve test images: by features half of the samples are copies, by pixels a quarter."""

    def nearest(copies: int) -> Nearest:
        distances = torch.cat([torch.zeros(copies), torch.full((12 - copies,), 9.0), torch.ones(12)])
        return Nearest(distances.double(), torch.zeros(24, dtype=torch.int64))

    monkeypatch.setattr(collect, "search", lambda *given: Memorisation(12, nearest(6), nearest(3)))
    values = measured(model, make_dataset(), make_network(), parameters).values
    assert values["nearer_to_train_than_test_classifier_samples12_test12_train60"] == 0.5
    assert values["nearer_to_train_than_test_pixels_samples12_test12_train60"] == 0.25


def test_memorisation_is_left_out_on_demand(
    model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    metrics = measured(model, make_dataset(), make_network(), replace(parameters, memorisation_images=0))
    assert KEYS - metrics.values.keys() == {key for key in KEYS if key.startswith("nearer")}
    assert metrics.protocol["not_measured"] == {"nearer_to_train_than_test": "memorisation_images is 0"}


def test_picture_of_memorisation_shows_the_nearest_train_images(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, make_network: MakeNetwork, parameters: EvaluateGeneration
) -> None:
    data = make_dataset()
    found = evaluate(model, data, make_network(), parameters, ALONE, cache=None, imported=None)
    assert found is not None
    save_pictures(tmp_path, model, data, replace(parameters, sheet_images=6), found.memorisation, CPU)
    whole = np.asarray(Image.open(tmp_path / "memorisation.png"))
    factor = 7  # 26 pixels become 182
    sheet = whole[len(whole) - factor * (8 + 6) :][::factor, ::factor]
    samples = generate(model, latents(model, 50, seed=0)[:12], CPU)
    train = data.train.images()
    features = [make_network()(torch.from_numpy(images))[0].numpy() for images in (samples, train)]
    by_features = np.linalg.norm(features[0][:, None] - features[1][None], axis=2)
    by_pixels = np.linalg.norm((samples[:, None] / 255 - train[None] / 255).reshape(12, 60, -1), axis=2)
    for place, sample in enumerate(by_features.min(1).argsort(kind="stable")[:2]):
        shown = (samples[sample], train[by_features[sample].argmin()], train[by_pixels[sample].argmin()])
        for column, image in enumerate(shown):
            left = 3 + place * (26 + 3) + column * 9
            assert np.array_equal(sheet[3:11, left : left + 8], image[..., 0])


def test_features_do_not_depend_on_the_batches(make_dataset: MakeDataset, make_network: MakeNetwork) -> None:
    split, order = make_dataset().train, np.arange(60)[::-1]
    one, many = (extract(make_network(), split_batches(split, order, 8, size), CPU) for size in (60, 7))
    torch.testing.assert_close(one.features, many.features)
    torch.testing.assert_close(one.logits, many.logits)
    torch.testing.assert_close(one.mean_pixels, torch.from_numpy(split.images(order).mean((1, 2, 3)) / 255))


def test_samples_do_not_depend_on_the_batches(model: Model) -> None:
    z = latents(model, 10, seed=3)
    whole = generate(model, z, CPU)
    assert whole.dtype == np.uint8
    assert whole.shape == (10, 8, 8, 1)
    assert np.abs(whole.astype(int) - np.concatenate(list(sample_batches(model, z, 3, CPU)))).max() <= 1


def test_encoding_is_the_mean(model: Model, make_dataset: MakeDataset) -> None:
    images = make_dataset().test.images()
    z = encode(model.networks.encoder, images, CPU)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(z, model.networks.encoder(pixels, torch.zeros(20, 4)))


@pytest.mark.parametrize("test", [0, 20])
def test_pictures_show_originals_where_they_should(
    tmp_path: Path, model: Model, make_dataset: MakeDataset, parameters: EvaluateGeneration, test: int
) -> None:
    data = make_dataset(test=test)
    save_pictures(tmp_path, model, data, replace(parameters, sheet_images=9), None, CPU)
    order = np.random.default_rng(0).permutation(test or 60)
    images = (data.test if test else data.train).images(order)
    factor = 7  # 8 pixels become 56

    def tile(name: str, row: int, column: int) -> np.ndarray:
        sheet = np.asarray(Image.open(tmp_path / name))[::factor, ::factor]
        return sheet[1 + 9 * row :, 1 + 9 * column :][:8, :8, None]

    samples = generate(model, latents(model, 50, seed=0)[:9], CPU)
    assert np.array_equal(tile("samples.png", 1, 0), samples[3])
    reconstructions = generate(model, encode(model.networks.encoder, images[:4], CPU), CPU)
    assert np.array_equal(tile("reconstructions.png", 0, 2), images[2])
    assert np.array_equal(tile("reconstructions.png", 1, 2), reconstructions[2])
    assert np.array_equal(tile("interpolations.png", 1, 0), images[1])
    assert np.array_equal(tile("interpolations.png", 1, 4), images[4])
    z = encode(model.networks.encoder, images[:6], CPU)
    middle = generate(model, (z[1:2] + z[4:5]) / 2, CPU)[0].astype(int)
    assert np.abs(tile("interpolations.png", 1, 2) - middle).max() <= 1


def test_pictures_of_a_model_without_encoder_say_what_they_show(
    tmp_path: Path, gan: Model, make_dataset: MakeDataset, parameters: EvaluateGeneration
) -> None:
    save_pictures(tmp_path, gan, make_dataset(), replace(parameters, sheet_images=20, interpolation_steps=5), None, CPU)
    assert {path.name for path in tmp_path.iterdir()} == {"samples.png", "interpolations.png"}
    whole = np.asarray(Image.open(tmp_path / "interpolations.png"))
    title = len(whole) - 7 * (4 * 9 + 1)
    ink = (whole[:title] < 128).nonzero()
    assert min(ink[0].min(), ink[1].min(), title - 1 - ink[0].max(), whole.shape[1] - 1 - ink[1].max()) >= 1
    sheet = whole[title::7, ::7]
    z = latents(gan, 50, seed=0)
    images = generate(gan, torch.stack([z[1], (z[1] + z[5]) / 2, z[5]]), CPU)[..., 0].astype(int)
    for column, image in zip((0, 2, 4), images, strict=True):
        assert np.abs(sheet[10:18, 1 + 9 * column : 9 + 9 * column] - image).max() <= 1


def test_pictures_show_originals_at_the_resolution_of_the_generator(
    tmp_path: Path, half_size: Model, make_dataset: MakeDataset, parameters: EvaluateGeneration
) -> None:
    data = make_dataset(size=16)
    save_pictures(tmp_path, half_size, data, parameters, None, CPU)
    original = np.rint(halved(data.test.images(np.random.default_rng(0).permutation(20)[:1])))[0, :, :, 0]
    for name in ("reconstructions.png", "interpolations.png"):
        assert np.array_equal(np.asarray(Image.open(tmp_path / name))[::7, ::7][1:9, 1:9], original)


def test_a_last_row_that_is_not_full_keeps_its_pairs(tmp_path: Path, model: Model, make_dataset: MakeDataset) -> None:
    images = make_dataset().train.images(range(13))
    save_reconstructions(tmp_path / "sheet.png", model, model.networks.encoder, images, CPU)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))[::7, ::7]
    assert sheet.shape == (4 * 9 + 1, 10 * 9 + 1)
    reconstructions = generate(model, encode(model.networks.encoder, images, CPU), CPU)
    assert np.array_equal(sheet[1 + 18 : 9 + 18, 1 + 18 : 9 + 18], images[12, :, :, 0])
    assert np.array_equal(sheet[1 + 27 : 9 + 27, 1 + 18 : 9 + 18], reconstructions[12, :, :, 0])
    assert (sheet[1 + 18 :, 1 + 27 :] == 255).all()


def test_the_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: Model,
    make_dataset: MakeDataset,
    make_network: MakeNetwork,
    parameters: EvaluateGeneration,
) -> None:
    network = make_network()
    for name in ("model", "network"):
        (tmp_path / name).mkdir()
    save_model(tmp_path / "model", model.networks, model.config, {})
    description = {key: value for key, value in network.description.items() if key not in ("format", "weights_sha256")}
    save_feature_network(tmp_path / "network", network.network, description)
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump({"evaluate_generation": asdict(parameters)}))
    monkeypatch.setattr("components.evaluate_generation.__main__.open_dataset", lambda directory: make_dataset())
    places = {"params": "resolved.yaml", "model": "model", "feature-network": "network", "output": "out"}
    flags = [word for flag, place in places.items() for word in (f"--{flag}", str(tmp_path / place))]
    np.savez(tmp_path / "reference.npz", mu=np.zeros(5), sigma=np.eye(5))
    flags += ["--reference-statistics", str(tmp_path / "reference.npz"), "--cache", str(tmp_path / "cache")]
    monkeypatch.setattr(sys, "argv", ["evaluate_generation", *flags, "--dataset", "data"])
    main()
    imported = {f"fd_classifier_{name}_imported" for name in ("samples50", "samples20", "test20")}
    assert read_metrics(tmp_path / "out").values.keys() == KEYS | imported
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "metrics.json",
        "protocol.json",
        "samples.png",
        "memorisation.png",
        "reconstructions.png",
        "interpolations.png",
    }
    table = capsys.readouterr().out.splitlines()
    assert table[-1].endswith("out: interpolations.png, memorisation.png, reconstructions.png, samples.png")
    assert table[0].split() == ["on", "classifier's", "features", "50", "generated", "20", "generated", "20", "real"]
    rows = {line[:26].strip(): line[26:].split() for line in table[1:]}
    whole = ["Fréchet distance", "kernel distance", "score", "precision, k = 3", "recall, k = 3", "density, k = 5"]
    assert all(len(rows[label]) == 3 and "-" not in rows[label] for label in [*whole, "coverage, k = 5"])
    assert [cell == "-" for cell in rows["± standard error"]] == [False, False, True]
