"""The names of the metrics: each says what was computed, on which network's features, of what, against what.

Only numbers on Inception are called FID and Inception score.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """`network` is the feature network's name. What is measured is named with its count, as in samples5000."""

    network: str
    neighbours: int

    def distance(self, candidate: str, reference: str) -> str:
        name = "fid" if self.network == "inception" else f"fd_{self.network}"
        return f"{name}_{candidate}_{reference}"

    def score(self, candidate: str, statistic: str) -> str:
        name = "inception_score" if self.network == "inception" else f"score_{self.network}"
        return f"{name}_{candidate}_{statistic}"

    def precision(self, candidate: str, reference: str) -> str:
        return f"precision_{self.network}_k{self.neighbours}_{candidate}_{reference}"

    def recall(self, candidate: str, reference: str) -> str:
        return f"recall_{self.network}_k{self.neighbours}_{candidate}_{reference}"

    def total_variation(self, candidate: str, reference: str) -> str:
        return f"class_total_variation_{self.network}_{candidate}_{reference}"

    def mean_pixel(self, candidate: str) -> str:
        return f"mean_pixel_{candidate}"

    def reconstruction(self, error: str, images: str) -> str:
        return f"reconstruction_{error}_{images}"

    def same_class(self, images: str) -> str:
        return f"reconstruction_same_class_{self.network}_{images}"
