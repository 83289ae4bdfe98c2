"""The controller: a portrait in, the inverse of its faults out, each value with its spread."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from core.models.mastering import FEATURES, VALUES

HIDDEN: Final = 128
CHANGE_SCALE_DB: Final = 4.0
LEAST_SPREAD_DB: Final = 0.1


class Controller(nn.Module):
    """Two hidden layers, and a head each for the changes in dB and for how far off they are on the mean."""

    def __init__(self, hidden: int = HIDDEN, dropout: float = 0.3) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.change = nn.Linear(hidden, len(VALUES))
        self.spread = nn.Linear(hidden, len(VALUES))
        self.drop = nn.Dropout(dropout)

    def forward(self, portrait: Tensor) -> tuple[Tensor, Tensor]:
        """(n, FEATURES) to changes and spreads in dB, (n, VALUES) each."""
        hidden = self.drop(torch.relu(self.first(portrait)))
        hidden = self.drop(torch.relu(self.second(hidden)))
        spread = LEAST_SPREAD_DB + nn.functional.softplus(self.spread(hidden))
        return CHANGE_SCALE_DB * self.change(hidden), spread


def loaded(checkpoint: Path) -> Controller:
    """A trained controller."""
    weights = torch.load(checkpoint)
    network = Controller(hidden=len(weights["first.bias"]))
    network.load_state_dict(weights)
    network.eval()
    return network
