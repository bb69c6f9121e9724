"""What a model's weights depend on, besides its data and its code; and what its parts must be to each other."""

from dataclasses import dataclass

from components.artifacts.parameters.checks import check
from components.artifacts.parameters.data import Image
from components.artifacts.parameters.model import Model
from components.artifacts.parameters.training import Augmentation, Objective, Train


@dataclass
class Recipe:
    image: Image
    model: Model
    objective: Objective
    augmentation: Augmentation
    train: Train

    def __post_init__(self) -> None:
        _check_image_sizes(self.image, self.model)
        _check_objective(self.objective, self.model)
        _check_augmentation(self.augmentation, self.image, self.model)


def _check_image_sizes(image: Image, model: Model) -> None:
    """What a network sees is an average of the dataset's pixels: their number must divide."""
    for name in ("generator", "encoder"):
        network = getattr(model, name)
        if network is not None:
            fits = image.size % network.image_size == 0
            allowed = f"a divisor of image.size, which is {image.size}"
            check(fits, f"model.{name}.image_size", network.image_size, allowed)


def _check_objective(objective: Objective, model: Model) -> None:
    """Every network must learn from something, and every term must have its networks."""
    adversarial = objective.adversarial != "none"
    has_d = model.discriminator is not None
    allowed = "hinge, hinge_of_sum or softplus" if has_d else "none, because model.discriminator is null"
    check(adversarial == has_d, "objective.adversarial", objective.adversarial, allowed)
    reconstructs = objective.reconstruction_l1 > 0 or objective.reconstruction_l2 > 0
    if model.encoder is None:
        for name, weight in objective.weights().items():
            check(weight == 0, f"objective.{name}", weight, "0, because model.encoder is null")
    if model.discriminator is None or model.discriminator.scores == ["latent"]:
        allowed = "more than 0 (or objective.reconstruction_l2): nothing else shows G what images are like"
        check(reconstructs, "objective.reconstruction_l1", objective.reconstruction_l1, allowed)
    elif model.encoder is not None and model.discriminator.scores == ["image"]:
        given = objective.latent_regression_encoder
        allowed = "more than 0 (or a weight of reconstruction): D scores images alone, so nothing else teaches E"
        check(given > 0 or reconstructs, "objective.latent_regression_encoder", given, allowed)
        sigma, allowed = (
            model.encoder.sigma,
            "none, because latent regression, which alone teaches E, asks for its mean",
        )
        check(reconstructs or sigma == "none", "model.encoder.sigma", sigma, allowed)
    if objective.latent_regression_encoder > 0 and model.encoder is not None:
        made, seen = model.generator.image_size, model.encoder.image_size
        allowed = f"a divisor of model.generator.image_size, which is {made}: E is shown what G makes"
        check(made % seen == 0, "model.encoder.image_size", seen, allowed)
    given = objective.latent_regression_generator
    allowed = "0, because objective.latent_regression_encoder is 0"
    check(
        given == 0 or objective.latent_regression_encoder > 0, "objective.latent_regression_generator", given, allowed
    )


def _check_augmentation(augmentation: Augmentation, image: Image, model: Model) -> None:
    """Views are in the dataset's pixels."""
    same = not augmentation.generated or model.generator.image_size == image.size
    allowed = "false, because model.generator.image_size is not image.size"
    check(same, "augmentation.generated", augmentation.generated, allowed)
