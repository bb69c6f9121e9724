"""The names of the metrics: each says what was computed, on which network's features, of what, against what.

Only numbers on Inception are called FID, KID and Inception score.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """`network` is the feature network's name; `neighbours` the k of precision and recall, `density_neighbours` that of
    density and coverage. What is measured is named with its count, as in samples5000."""

    network: str
    neighbours: int
    density_neighbours: int

    def distance(self, candidate: str, reference: str) -> str:
        name = "fid" if self.network == "inception" else f"fd_{self.network}"
        return f"{name}_{candidate}_{reference}"

    def standard_error(self, candidate: str, reference: str) -> str:
        return f"standard_error_{self.distance(candidate, reference)}"

    def extrapolated(self, candidate: str, reference: str) -> str:
        return f"extrapolated_{self.distance(candidate, reference)}"

    def kernel_distance(self, candidate: str, reference: str, statistic: str) -> str:
        name = "kid" if self.network == "inception" else f"kd_{self.network}"
        return f"{name}_{candidate}_{reference}_{statistic}"

    def score(self, candidate: str, statistic: str) -> str:
        name = "inception_score" if self.network == "inception" else f"score_{self.network}"
        return f"{name}_{candidate}_{statistic}"

    def precision(self, candidate: str, reference: str) -> str:
        return f"precision_{self.network}_k{self.neighbours}_{candidate}_{reference}"

    def recall(self, candidate: str, reference: str) -> str:
        return f"recall_{self.network}_k{self.neighbours}_{candidate}_{reference}"

    def density(self, candidate: str, reference: str) -> str:
        return f"density_{self.network}_k{self.density_neighbours}_{candidate}_{reference}"

    def coverage(self, candidate: str, reference: str) -> str:
        return f"coverage_{self.network}_k{self.density_neighbours}_{candidate}_{reference}"

    def nearer_to_train(self, by: str, samples: str, others: str, train: str) -> str:
        return f"nearer_to_train_than_test_{by}_{samples}_{others}_{train}"

    def total_variation(self, candidate: str, reference: str) -> str:
        return f"class_total_variation_{self.network}_{candidate}_{reference}"

    def mean_pixel(self, candidate: str) -> str:
        return f"mean_pixel_{candidate}"

    def reconstruction(self, error: str, images: str) -> str:
        return f"reconstruction_{error}_{images}"

    def same_class(self, images: str) -> str:
        return f"reconstruction_same_class_{self.network}_{images}"
