"""The network: six plain convolutions that pay as int8, one embedding, one head."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from training.roles.labels import LABELS

EMBEDDING: Final = 64


class Layer(nn.Module):
    """Convolution, normalisation, rectifier; the input is added back where shapes allow it."""

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], stride: int | tuple[int, int] = 1, pad: bool = True
    ) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if pad else (0, 0)
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)
        self.adds = stride == 1 and inputs == outputs and pad

    def forward(self, pictures: Tensor) -> Tensor:
        """Shape (n, inputs, time, bands) to (n, outputs, time / stride, bands / stride)."""
        heard = self.normalisation(self.convolution(pictures))
        return torch.relu(heard + pictures if self.adds else heard)


class RoleNetwork(nn.Module):
    """Log-mel pictures to logits over LABELS and an embedding."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        w = width
        self.layers = nn.Sequential(
            Layer(1, 2 * w, (7, 5), stride=(4, 2)),
            Layer(2 * w, 3 * w, (3, 3), stride=2),
            Layer(3 * w, 5 * w, (3, 3), stride=2),
            Layer(5 * w, 5 * w, (3, 3)),
            Layer(5 * w, 7 * w, (3, 3), stride=2),
            Layer(7 * w, 7 * w, (3, 3)),
            Layer(7 * w, 8 * w, (1, 4), pad=False),  # all bands that are left: where in the spectrum matters here
        )
        self.dropout = nn.Dropout(0.25)
        self.embed = nn.Linear(16 * w, EMBEDDING)
        self.head = nn.Linear(EMBEDDING, len(LABELS))

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (n, 1, 200, 64) to logits (n, 20) and embedding (n, 64)."""
        heard = self.layers(mel)
        pooled = torch.cat([heard.mean(dim=(2, 3)), heard.amax(dim=(2, 3))], dim=1)
        embedding = torch.relu(self.embed(self.dropout(pooled)))
        return self.head(embedding), embedding
