"""Images/s of Inception's features, beside the plain eager module, in one run.

    python -m tests.benchmarks.inception_features [images in a batch] [repeats]

The weights are random: speed does not depend on them. `plain` is the module as it is written, in PyTorch's default
layout and eager; `folded` has its batch normalisations folded into the convolutions; `prepared` is what the steps run
(`FeatureNetworkModule.prepare`: folded, channels last, compiled on CUDA). Prints images/s, how many times as many as
plain, and how far the features lie from the plain ones, relative to the largest. All are interleaved and medians are
taken, so that a noisy machine disturbs all alike; on CUDA if there is one.
"""

import copy
import statistics
import sys
import time

import torch
from torch import Tensor, nn

from components.artifacts.feature_network import FeatureNetworkModule
from components.artifacts.feature_network.convolution import fold
from components.artifacts.feature_network.inception import Inception


def random_inception() -> Inception:
    """With weights that keep the size of what passes through, and statistics that are not trivial."""
    torch.manual_seed(0)
    network = Inception().eval().requires_grad_(False)
    for name, tensor in network.state_dict().items():
        if name.endswith(("bn.weight", "running_var")):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith("conv.weight"):
            tensor.normal_(std=(2 / tensor[0].numel()) ** 0.5)
    return network


@torch.inference_mode()
def features(network: nn.Module, images: Tensor) -> Tensor:
    return network(images)[0].cpu()  # where it can only come when it is computed


def main(batch_size: int = 32, repeats: int = 5) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.allow_tf32 = False  # as in the steps
    images = torch.randint(0, 256, (batch_size, 128, 128, 3), dtype=torch.uint8).to(device)
    plain = random_inception().to(device)
    folded = copy.deepcopy(plain)
    fold(folded)
    prepared = FeatureNetworkModule(copy.deepcopy(plain), {"kind": "inception"})
    prepared.prepare(device)
    networks = {"plain": plain, "folded": folded, "prepared": prepared}
    # The first pass, in which memory is found and code compiled, does not count.
    found = {name: features(network, images) for name, network in networks.items()}
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(repeats):
        for name, network in networks.items():
            started = time.perf_counter()
            features(network, images)
            times[name].append(time.perf_counter() - started)
    place = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{place}; {batch_size} images of 128 px in a batch, medians of {repeats}")
    rates = {name: batch_size / statistics.median(seconds) for name, seconds in times.items()}
    for name, rate in rates.items():
        difference = float((found[name] - found["plain"]).abs().max() / found["plain"].abs().max())
        print(
            f"{name:<10}{rate:8.1f} images/s   {rate / rates['plain']:5.2f} times plain   difference {difference:.1e}"
        )
        assert difference < 1e-4, "the features must be the same"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
