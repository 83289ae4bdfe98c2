"""How far 216 finished songs agree on their width: made by benchmarks/width.py, not by hand."""

from __future__ import annotations

from typing import Final

# fmt: off
WEIGHTS: Final = (
    -0.248, 0.160, -0.141, 0.604, -0.095, 0.261, 0.089, -0.062, 0.161, 0.003, 0.242, -0.107, 0.134
)
"""Of each of `core.master.width.readings`; they add up to 1."""
# fmt: on
USUAL_DB: Final = 7.11
"""What the weighted readings of a finished song come to on the mean."""
SPREAD_DB: Final = 3.25
"""How far songs of packages that the weights do not know lie from it."""
