"""Recursive filters as matrix products.

A recursion gives one sample at a time, which no array library can hurry. Written as a state space, s' = A s + B x and
y = C s + D x, it takes whole blocks: the output of a block is a product of its samples and of the state at its start
with a fixed matrix, and so is what the block adds to the state. What is left is the recursion from block to block,
s' = A^L s + u, which is the same problem, L times shorter, and is solved by grouping again until a few steps are left
(C. Burrus, "Block Realization of Digital Filters", IEEE Trans. Audio Electroacoustics 20(4), 1972; G. Blelloch, "Prefix
Sums and Their Applications", 1990). All in float64, in which the result differs from the plain recursion's by rounding;
what is only measured may be done in float32, but for the states, in half of the time.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Audio, Floats

Signal = TypeVar("Signal", Audio, Floats)
_Any = NDArray[np.floating]

_BLOCK: Final = 32
"""Samples per block: the product is as cheap as the recursion from block to block."""
_GROUP: Final = 4
"""Steps of a recursion that are taken as one."""
_FEW: Final = 8
"""Steps that are simply taken."""
_MOST_ROWS: Final = 128
"""Rows per product: more gain nothing."""
_MOST_PRODUCTS: Final = 1 << 18
"""Multiplications per product: larger ones would be split among the threads of the linear algebra library, which costs
more than it gives and steals from the other core."""
_CHUNK: Final = 131_072
"""Samples taken at a time, so that what is worked on stays near the processor."""
_FLUSH: Final = 1e-30
"""States smaller than this (-600 dB) are zero: denormal numbers would cost a hundred times the time."""


def of_sections(sections: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Matrices A, B, C, D of a cascade of second-order sections (n, 6), each in transposed direct form II."""
    a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    for b0, b1, b2, a0, a1, a2 in sections:
        b0, b1, b2, a1, a2 = b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0
        inward = np.array([b1 - a1 * b0, b2 - a2 * b0])
        own = np.array([[-a1, 1.0], [-a2, 0.0]])
        a = np.block([[a, np.zeros((len(a), 2))], [np.outer(inward, c), own]])
        b = np.concatenate([b, inward * d])
        c = np.concatenate([b0 * c, [1.0, 0.0]])
        d *= b0
    return a, b, c, float(d)


class StateSpace:
    """A single-input, single-output filter that each of `channels` goes through, streaming."""

    def __init__(
        self, a: Floats, b: Floats, c: Floats, d: float, channels: int, *, dtype: type[np.floating] = np.float64
    ) -> None:
        """`a` (n, n), `b` (n,), `c` (n,): the filter's matrices. `dtype` is what samples are multiplied in."""
        order = len(a)
        self._a = a
        self.state = np.zeros((channels, order))
        powers = [np.eye(order)]
        for _ in range(_BLOCK):
            powers.append(a @ powers[-1])
        self._inward = np.array([powers[_BLOCK - 1 - at] @ b for at in range(_BLOCK)])
        """What each sample of a block adds to the state at its end: (block, n)."""
        response = np.array([d, *(c @ power @ b for power in powers[: _BLOCK - 1])])
        self._outward = np.zeros((_BLOCK + order, _BLOCK))
        """From the samples of a block, then the state at its start, to its output."""
        for at in range(_BLOCK):
            self._outward[at, at:] = response[: _BLOCK - at]
            self._outward[_BLOCK:, at] = c @ powers[at]
        self._in_samples = self._inward.astype(dtype)
        self._out_samples = self._outward.astype(dtype)
        self._from_block_to_block = _Recursion(powers[_BLOCK])

    def process(self, x: Signal) -> Signal:
        """Take and give (channels, frames), float32 or float64."""
        out = np.empty_like(x)
        whole = x.shape[1] // _BLOCK * _BLOCK
        for start in range(0, whole, _CHUNK):
            piece = slice(start, min(start + _CHUNK, whole))
            out[:, piece] = self._blocks(x[:, piece])
        rest = x.shape[1] - whole
        if rest:
            joined = np.concatenate((x[:, whole:], np.zeros((len(x), _BLOCK - rest)), self.state), axis=1)
            out[:, whole:] = (joined @ self._outward)[:, :rest]
            self.state = self.state @ np.linalg.matrix_power(self._a, rest).T + x[:, whole:] @ self._inward[-rest:]
        self.state[np.abs(self.state) < _FLUSH] = 0.0
        return out

    def _blocks(self, x: _Any) -> _Any:
        channels, order = self.state.shape
        rows = x.size // _BLOCK
        joined = np.empty((rows, _BLOCK + order), self._in_samples.dtype)
        joined[:, :_BLOCK] = x.reshape(rows, _BLOCK)
        added = _product(joined[:, :_BLOCK], self._in_samples).astype(np.float64, copy=False)
        added = added.reshape(channels, -1, order)
        states = joined.reshape(channels, -1, _BLOCK + order)[:, :, _BLOCK:]
        exact = states if states.dtype == np.float64 else np.empty_like(added)
        self.state = self._from_block_to_block.run(added, self.state, exact)
        if exact is not states:
            states[:] = exact
        return _product(joined, self._out_samples).reshape(x.shape)


class _Recursion:
    """s[k+1] = P s[k] + u[k]."""

    def __init__(self, step: Floats) -> None:
        self._step = step.T
        powers = [np.eye(len(step)), step]
        while len(powers) <= _GROUP:
            powers.append(step @ powers[-1])
        self._power = powers[_GROUP]
        self._gather = np.concatenate([powers[_GROUP - 1 - at].T for at in range(_GROUP)])
        """What the steps of a group add to the state behind it."""

    @cached_property
    def _coarser(self) -> _Recursion:
        return _Recursion(self._power)

    def run(self, added: _Any, state: Floats, states: _Any) -> Floats:
        """From u (channels, k, n) and s[0] (channels, n) to s[k]; s[0..k-1] is put into `states`, like u."""
        channels, steps, order = added.shape
        grouped = steps // _GROUP * _GROUP if steps > _FEW else 0
        if grouped:
            groups = added[:, :grouped].reshape(channels, -1, _GROUP, order)
            before = states[:, :grouped].reshape(groups.shape)
            gathered = _product(groups.reshape(-1, _GROUP * order), self._gather).reshape(channels, -1, order)
            state = self._coarser.run(gathered, state, before[:, :, 0])
            # All groups walk side by side.
            for step in range(1, _GROUP):
                walked = _product(before[:, :, step - 1].reshape(-1, order), self._step)
                np.add(walked.reshape(gathered.shape), groups[:, :, step - 1], out=before[:, :, step])
        for step in range(grouped, steps):
            states[:, step] = state
            state = state @ self._step + added[:, step]
        return state


def _product(rows: _Any, matrix: _Any) -> _Any:
    """`rows` (k, m) times `matrix` (m, n), a few rows at a time."""
    together = min(_MOST_ROWS, 1 << max(_MOST_PRODUCTS // matrix.size, 1).bit_length() - 1)
    if len(rows) % together == 0:
        product: _Any = rows.reshape(-1, together, rows.shape[1]) @ matrix
        return product.reshape(-1, matrix.shape[1])
    whole = len(rows) // together * together
    out = np.empty((len(rows), matrix.shape[1]), matrix.dtype)
    if whole:
        out[:whole] = _product(rows[:whole], matrix)
    np.matmul(rows[whole:], matrix, out=out[whole:])
    return out
