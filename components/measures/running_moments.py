"""Mean and covariance of features that are seen in parts and not kept, in float64 (Chan, Golub & LeVeque 1983).

Parts may be of any size and seen by several processes: the sums of two are joined exactly, so that the result does not
depend on how the features were cut, up to rounding.
"""

import torch
from torch import Tensor

from components.measures.frechet_distance import Moments


class RunningMoments:
    """The count N, the mean D, and the scatter D×D (the sum of outer products of what is centred) so far, float64."""

    def __init__(self, size: int, device: torch.device | None = None) -> None:
        self.count = 0
        self.mean = torch.zeros(size, dtype=torch.float64, device=device)
        self.scatter = torch.zeros(size, size, dtype=torch.float64, device=device)

    def add(self, features: Tensor) -> None:
        """Takes in features N×D, of any float type, where they are."""
        features = features.to(self.mean.device, torch.float64)
        if len(features) == 0:
            return
        mean = features.mean(0)
        centred = features - mean
        self._join(len(features), mean, centred.T @ centred)

    def join(self, other: "RunningMoments") -> None:
        """Takes in what another one has seen."""
        if other.count:
            self._join(other.count, other.mean.to(self.mean.device), other.scatter.to(self.mean.device))

    def result(self) -> Moments:
        """Raises: ValueError, if fewer than two were seen."""
        if self.count < 2:
            raise ValueError(f"a covariance needs two images or more, and {self.count} were seen")
        return Moments(self.mean.clone(), self.scatter / (self.count - 1))

    def _join(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        total = self.count + count
        difference = mean - self.mean
        self.scatter += scatter
        self.scatter.addr_(difference, difference, alpha=self.count * count / total)
        self.mean += difference * (count / total)
        self.count = total
