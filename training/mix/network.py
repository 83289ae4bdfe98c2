"""The controller in PyTorch: every track through the same layers, then each beside the mean and the extremes of all."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.mixing import FEATURES

WIDTH = 64
LEAST_SPREAD_LU = 0.05


class Controller(nn.Module):
    """Deep sets (Zaheer et al., 2017): what it says of tracks moves with their order and does not depend on it."""

    def __init__(self, width: int = WIDTH, dropout: float = 0.3, values: int = 1) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, width)
        self.own = nn.Linear(width, width)
        self.among = nn.Linear(3 * width, width)
        self.heads = nn.Linear(width, 2 * values)
        self.straight = nn.Linear(FEATURES, values, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.heads.weight)
        nn.init.zeros_(self.heads.bias)
        nn.init.zeros_(self.straight.weight)

    def forward(self, tracks: Tensor, there: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(songs, tracks, FEATURES) to a change in LU and how far off that is, (songs, tracks) each.

        With more than one value per track both are (songs, tracks, values), in whatever unit they are taught in.
        `there` (songs, tracks) marks the tracks that are no padding; without it all are there.
        """
        own = self.dropout(nn.functional.relu(self.first(tracks)))
        own = self.dropout(nn.functional.relu(self.own(own)))
        if there is None:
            mean, most = own.mean(1, keepdim=True), own.amax(1, keepdim=True)
        else:
            weight = there[:, :, None]
            mean = (own * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
            most = (own * weight).amax(1, keepdim=True)
        beside = torch.cat((own, mean.expand_as(own), most.expand_as(own)), 2)
        bent, doubt = self.heads(self.dropout(nn.functional.relu(self.among(beside)))).chunk(2, 2)
        change = bent + self.straight(tracks)
        return change.squeeze(2), nn.functional.softplus(doubt.squeeze(2)) + LEAST_SPREAD_LU
