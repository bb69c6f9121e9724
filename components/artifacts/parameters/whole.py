"""`resolved.yaml`, whole."""

from dataclasses import dataclass

from components.artifacts.parameters.data import Image, Prepare
from components.artifacts.parameters.evaluation import EvaluateGeneration, EvaluateRepresentation, FeatureNetwork
from components.artifacts.parameters.model import Model
from components.artifacts.parameters.recipe import Recipe
from components.artifacts.parameters.registration import Register
from components.artifacts.parameters.training import Augmentation, Monitoring, Objective, Train


@dataclass
class Parameters:
    """Only `components.compose` needs it; a step loads its own sections."""

    image: Image
    prepare: Prepare
    model: Model
    objective: Objective
    augmentation: Augmentation
    train: Train
    monitoring: Monitoring
    feature_network: FeatureNetwork
    evaluate_representation: EvaluateRepresentation
    evaluate_generation: EvaluateGeneration
    register: Register

    def __post_init__(self) -> None:
        self.recipe()

    def recipe(self) -> Recipe:
        """What training is told. Raises: ValueError, if its parts do not fit each other."""
        return Recipe(self.image, self.model, self.objective, self.augmentation, self.train)
