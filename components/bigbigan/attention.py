"""Self-attention over the positions of a feature map (Zhang et al. 2018), as BigGAN uses it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.bigbigan.recompute import Block
from components.bigbigan.spectral_norm import SpectralConv2d


class SelfAttention(Block):
    """x + gamma · attention(x), N×C×H×W; gamma starts at 0. Keys and values are 2×2 max-pooled."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.query = SpectralConv2d(channels, inner, 1, bias=False)
        self.key = SpectralConv2d(channels, inner, 1, bias=False)
        self.value = SpectralConv2d(channels, max(1, channels // 2), 1, bias=False)
        self.output = SpectralConv2d(max(1, channels // 2), channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        query = self.query(x).flatten(2)
        key = F.max_pool2d(self.key(x), 2).flatten(2)
        value = F.max_pool2d(self.value(x), 2).flatten(2)
        products = query.transpose(1, 2) @ key
        # Under autocast CUDA would take it in float32 anyway, and the CPU would not.
        weights = torch.softmax(products, dim=-1, dtype=torch.promote_types(products.dtype, torch.float32))
        weights = weights.to(value.dtype)
        mixed = (value @ weights.transpose(1, 2)).unflatten(2, (height, width))
        return x + self.gamma * self.output(mixed)
