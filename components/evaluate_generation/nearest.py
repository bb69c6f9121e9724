"""Does a generator copy its train images? How near samples lie to them, beside images that it has not seen."""

import torch
from torch import Tensor


class NearestImages:
    """The nearest of many images, seen in parts and not kept, to each of Q queries. Exact, Euclidean, in float64.

    `squared_distances` Q float64 (infinite before the first part), `indices` Q int64.
    """

    def __init__(self, queries: Tensor) -> None:
        """`queries`: Q×D, features or pixels."""
        # Around their own mean, |a|² + |b|² - 2ab loses fewer digits to a common offset.
        self._middle = queries.double().mean(0)
        self._queries = queries.double() - self._middle
        self.squared_distances = torch.full((len(queries),), torch.inf, dtype=torch.float64, device=queries.device)
        self.indices = torch.full((len(queries),), -1, dtype=torch.int64, device=queries.device)

    def add(self, images: Tensor, indices: Tensor) -> None:
        """Looks through images N×D with the numbers N, which increase: of equally near ones the first stays."""
        others = images.double() - self._middle
        squares = self._queries.square().sum(1, keepdim=True) + others.square().sum(1)
        nearest, which = (squares - 2 * self._queries @ others.T).clamp(min=0).min(1)
        nearer = nearest < self.squared_distances
        self.squared_distances = torch.where(nearer, nearest, self.squared_distances)
        self.indices = torch.where(nearer, indices[which], self.indices)


def nearer_than(samples: Tensor, others: Tensor) -> float:
    """The probability that one of `samples`, distances N, is smaller than one of `others`, M; ties count half.

    Of distances to the nearest train image it is the statistic of Meehan et al. 2020 (section 3: Mann & Whitney's U,
    as a share) without cells: ½ where samples are as far from the train images as held-out images are, 1 where all are
    nearer, which is what copies are.
    """
    ordered = others.sort().values
    below = torch.searchsorted(ordered, samples)
    upto = torch.searchsorted(ordered, samples, right=True)
    return float((len(others) - (below + upto).double() / 2).mean() / len(others))
