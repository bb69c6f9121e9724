"""The step as a whole: what is measured under which key, what is not, and why."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from components.artifacts.dataset import Dataset, Split
from components.artifacts.errors import UserError
from components.artifacts.metrics import Metrics, read_metrics, write_metrics
from components.artifacts.model import Model
from components.artifacts.parameters import EvaluateGeneration, load
from components.evaluate_generation.evaluate import evaluate, save_pictures
from components.evaluate_generation.features import extract, split_batches
from components.evaluate_generation.frechet_distance import frechet_distance, moments
from components.evaluate_generation.keys import Keys
from components.evaluate_generation.sampling import encode, generate, latents, sample_batches
from components.evaluate_generation.summary import summary

sys.path.insert(0, str(Path(__file__).parent))
from conftest import make_dataset, make_network

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
    "reconstruction_l1_test20",
    "reconstruction_l2_test20",
    "reconstruction_relative_l1_test20",
    "reconstruction_relative_l2_test20",
    "reconstruction_same_class_classifier_test20",
}
