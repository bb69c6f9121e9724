"""The typed sections of `resolved.yaml`: what each step may be told, and what is allowed.

There are no defaults here (but that a condition of the gate that is not named is no condition). Every value stands
in `params/`, with its meaning and unit beside it; these classes say which keys exist and of which type they are, and
refuse what cannot work. A step loads just the sections that it depends on:

    image, train = load(path, image=Image, train=Train)

Several sections that must fit each other, those of training, are a class as well: `load_together(path, Recipe)`.
"""

from components.artifacts.parameters.data import Image, Prepare
from components.artifacts.parameters.evaluation import EvaluateGeneration, EvaluateRepresentation, FeatureNetwork
from components.artifacts.parameters.model import Encoder, Latent, Model
from components.artifacts.parameters.reading import build, load, load_together
from components.artifacts.parameters.recipe import Recipe
from components.artifacts.parameters.registration import Condition, Register
from components.artifacts.parameters.training import (
    Augmentation,
    CropAugmentation,
    Monitoring,
    Objective,
    ShiftAugmentation,
    Train,
)
from components.artifacts.parameters.whole import Parameters

__all__ = [
    "Augmentation",
    "Condition",
    "CropAugmentation",
    "Encoder",
    "EvaluateGeneration",
    "EvaluateRepresentation",
    "FeatureNetwork",
    "Image",
    "Latent",
    "Model",
    "Monitoring",
    "Objective",
    "Parameters",
    "Prepare",
    "Recipe",
    "Register",
    "ShiftAugmentation",
    "Train",
    "build",
    "load",
    "load_together",
]
