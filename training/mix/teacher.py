"""What the network is taught before it may think for itself: a kernel regression of what authors did beside the rules.

With a few hundred songs a smooth regression is nearer to songs that were left out than a network that learned from the
songs alone; the network learns its answers, also for inputs that lie between the songs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from core.models.mixing import SET
from training.mix.examples import Example

REACH: Final = 0.5
"""Width of the kernel per root of the number of inputs."""
RIDGE: Final = 3.0
MOST_LU: Final = 8.0
"""Beyond this an author's place says nothing about the next song's."""


class Teacher:
    """Kernel ridge regression with a Gaussian kernel on everything but what a person has set."""

    def __init__(self, examples: Sequence[Example], weights: Mapping[str, float]) -> None:
        self._known = torch.from_numpy(np.concatenate([_fed(one) for one in examples]))
        wanted = np.concatenate([np.clip(_wanted(one), -MOST_LU, MOST_LU) for one in examples])
        weight = np.concatenate([np.full(len(one.fed), weights[one.kind]) for one in examples])
        kernel = self._kernel(self._known).double() + torch.diag(RIDGE / torch.from_numpy(weight))
        self._shares = torch.linalg.solve(kernel, torch.from_numpy(wanted)).float()

    def _kernel(self, asked: Tensor) -> Tensor:
        reach = 2.0 * REACH**2 * self._known.shape[1]
        return torch.exp(-(torch.cdist(asked, self._known) ** 2) / reach)

    def answers(self, fed: Tensor) -> Tensor:
        """(tracks, FEATURES) to the change in LU that the regression expects, (tracks,)."""
        return self._kernel(fed[:, : -len(SET)]) @ self._shares


def _fed(one: Example) -> np.ndarray:
    return one.fed[:, : -len(SET)]


def _wanted(one: Example) -> np.ndarray:
    off = one.author_lu - one.place_lu
    return np.asarray(off - np.median(off))
