from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from components.train.monitoring import signs
from components.train.monitoring.log import Log

# A row of each log of a healthy run.
STEP = {
    "discriminator/accuracy_image": 0.7,
    "discriminator/accuracy_latent": 0.5,
    "discriminator/accuracy_joint": 0.8,
    "discriminator/score_latent_data": 0.0,
    "discriminator/score_latent_generated": 0.0,
    "discriminator/score_image_data": 0.2,
    "discriminator/score_image_generated": -0.1,
    "discriminator/score_joint_data": 0.4,
    "discriminator/score_joint_generated": -0.3,
    "discriminator/gradient_norm": 6.0,
    "generator_encoder/gradient_norm": 8.0,
}
LOOK = {
    "drift/coarse_distance": 0.1,
    "diversity/all_pairs": 0.95,
    "diversity/nearest_pairs": 0.8,
    "sigma/generator.linear": 2.0,
    "sigma/encoder.linear": 3.0,
    "sigma/discriminator.linear": 2.0,
}


def advice(
    directory: Path,
    steps: Mapping[str, Sequence[float]] | None = None,
    looks: Mapping[str, Sequence[float]] | None = None,
) -> str | None:
    """The advice after 20 rows of each log, all healthy but for the last values of the columns that are given."""
    with Log(directory, 0) as log:
        for name, interval, row, changes in (("log.csv", 20, STEP, steps), ("drift.csv", 200, LOOK, looks)):
            for index in range(20):
                changed = {
                    key: values[index - 20 + len(values)]
                    for key, values in (changes or {}).items()
                    if index - 20 + len(values) >= 0
                }
                log.write(name, interval * (index + 1), row | changed)
    return signs.advice(directory)


def terms(image: float, joint: float, data: float, count: int = 15) -> dict[str, list[float]]:
    """D's accuracies, and its mean scores `data` and -`data`, in the last rows."""
    numbers = {"accuracy_image": image, "accuracy_joint": joint}
    for term in ("image", "joint"):
        numbers |= {f"score_{term}_data": data, f"score_{term}_generated": -data}
    return {f"discriminator/{key}": [value] * count for key, value in numbers.items()}


def test_a_healthy_run_gets_none(tmp_path: Path) -> None:
    assert advice(tmp_path) is None


def test_a_run_that_has_just_begun_gets_none(tmp_path: Path) -> None:
    assert signs.advice(tmp_path) is None
    with Log(tmp_path, 0) as log:
        log.write("log.csv", 20, STEP | {"discriminator/accuracy_image": 0.5, "discriminator/accuracy_joint": 0.5})
        log.write("drift.csv", 20, LOOK | {"diversity/all_pairs": 0.3, "diversity/nearest_pairs": 0.1})
    assert signs.advice(tmp_path) is None


def test_too_few_images_to_measure_drift_and_no_discriminator_get_none(tmp_path: Path) -> None:
    with Log(tmp_path, 0) as log:
        for step in range(20, 400, 20):
            log.write("log.csv", step, {"generator_encoder/gradient_norm": 5.0})
            log.write("drift.csv", step, {"sigma/generator.linear": 2.0})
    assert signs.advice(tmp_path) is None


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        pytest.param(terms(image=0.52, joint=0.58, data=0.05), "D loses (accuracy on image 0.52", id="coin"),
        pytest.param(terms(image=0.52, joint=0.70, data=0.05), None, id="one term is told apart"),
        pytest.param(terms(image=0.52, joint=0.58, data=0.20), None, id="the scores are apart"),
        pytest.param(terms(image=0.52, joint=0.58, data=0.05, count=4), None, id="a few batches are not enough"),
        pytest.param(terms(image=1.0, joint=1.0, data=1.5), "augmentation.generated=true", id="won"),
        pytest.param(terms(image=0.9, joint=1.0, data=1.5), None, id="not on every term"),
        pytest.param(terms(image=1.0, joint=1.0, data=0.5), None, id="the hinge still acts"),
        pytest.param({"discriminator/gradient_norm": [70, 80, 90]}, "gradient of D has grown to 80", id="explodes"),
        pytest.param({"generator_encoder/gradient_norm": [85, 90, 95]}, "gradient of G and E", id="that of G and E"),
        pytest.param({"generator_encoder/gradient_norm": [8, 900, 9]}, None, id="one batch"),
    ],
)
def test_signs_of_the_steps(tmp_path: Path, steps: dict[str, list[float]], said: str | None) -> None:
    check(advice(tmp_path, steps=steps), said)


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        pytest.param({"diversity/all_pairs": [0.4]}, "G collapses: two samples", id="all alike"),
        pytest.param({"diversity/all_pairs": [0.4, 0.6]}, None, id="recovered"),
        pytest.param({"diversity/nearest_pairs": [0.1]}, "nearest other one lie on average only 0.10", id="copies"),
        pytest.param({"diversity/all_pairs": [0.2] * 20}, "G collapses", id="never anything else"),
        pytest.param({"sigma/generator.linear": [2.5, 3, 5]}, "generator.linear explode", id="sigma of G"),
        pytest.param({"sigma/discriminator.linear": [2.5, 3, 5]}, "discriminator.linear explode", id="sigma of D"),
        pytest.param({"sigma/encoder.linear": [2.5, 3, 9]}, None, id="E is not normalised"),
        pytest.param({"sigma/generator.linear": [2.2, 2.6, 3.0, 3.4, 3.8, 4.2]}, None, id="sigma grows slowly"),
        pytest.param({"drift/coarse_distance": [0.16]}, "G drifts", id="drift"),
        pytest.param({"drift/coarse_distance": [0.14]}, None, id="noise of the distance"),
        pytest.param({"drift/coarse_distance": [0.16, 0.1]}, None, id="the distance has fallen again"),
        pytest.param({"drift/coarse_distance": [0.09, 0.15]}, "train.steps=3800", id="the best step is named"),
    ],
)
def test_signs_of_the_looks(tmp_path: Path, looks: dict[str, list[float]], said: str | None) -> None:
    check(advice(tmp_path, looks=looks), said)


def test_of_several_signs_the_gravest_is_told(tmp_path: Path) -> None:
    warning = advice(tmp_path, looks={"drift/coarse_distance": [0.9], "diversity/all_pairs": [0.1]})
    assert warning is not None
    assert warning.startswith("warning: G collapses")
    assert "\n" not in warning


def check(warning: str | None, said: str | None) -> None:
    if said is None:
        assert warning is None
    else:
        assert warning is not None
        assert said in warning


def test_history_is_all_advice_that_was_given_while_the_logs_grew(tmp_path: Path) -> None:
    given = []
    with Log(tmp_path, 0) as log:
        for index in range(1, 9):
            log.write("log.csv", 100 * index, STEP)
            log.write("drift.csv", 100 * index, LOOK | {"drift/coarse_distance": 1.0 if index in (4, 8) else 0.1})
            if told := signs.advice(tmp_path):
                given.append({"step": 100 * index, "sign": told.removeprefix("warning: ")})
    assert [one["step"] for one in given] == [400, 800]
    assert signs.history(tmp_path) == given


def test_history_of_a_healthy_run_is_empty(tmp_path: Path) -> None:
    assert advice(tmp_path) is None
    assert signs.history(tmp_path) == []
