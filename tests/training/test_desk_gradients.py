"""Gradients of the differentiable desk: there for every knob wherever it stands, and true where the desk is smooth."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.plans.parameters import BUS, DELAY, MASTER, STRIP, by_name

torch = pytest.importorskip("torch", reason="PyTorch is in the environment of training alone: ./oto test training")

from training.desk import console, knobs  # noqa: E402

pytestmark = pytest.mark.training
RATE_HZ = 48_000
ELSEWHERE = ("delay", "gate", "deess", "send", "transient", "limiter", "time_ms")
TURNING = {
    chain: [each for each in knobs.continuous(parameters) if not each.name.startswith(ELSEWHERE)]
    for chain, parameters in {"strip": STRIP, "bus": BUS, "master": MASTER, "delay": DELAY}.items()
}
CHAINS = {
    "strip": console.strip,
    "bus": console.bus,
    "master": console.master,
    "delay": lambda audio, rate_hz, values: console.effect("delay", audio, rate_hz, {"time_ms": 15.0, **values}),
}


def played(batch, frames, seed=0, dtype=torch.float64):
    random = np.random.default_rng(seed)
    swell = 0.4 * np.exp(-4.0 * ((np.arange(frames) / frames * 3 + random.uniform(0, 1)) % 1))
    return torch.from_numpy(random.standard_normal((batch, 2, frames)) * swell).to(dtype)


def loss_of(chain, positions, audio):
    values = knobs.physical(TURNING[chain], positions)
    out = CHAINS[chain](audio, RATE_HZ, values)
    # Weighted so that level, sides and time all count.
    weights = torch.linspace(0.5, 2.0, out.shape[-1], dtype=out.dtype) * torch.tensor([[1.0], [0.7]], dtype=out.dtype)
    return (out.square() * weights).mean() / audio.square().mean()


@pytest.mark.parametrize("chain", CHAINS)
@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(data=st.data())
def test_gradients_are_finite_wherever_the_knobs_stand(chain, data):
    places = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
    count = len(TURNING[chain])
    drawn = data.draw(st.lists(places, min_size=count, max_size=count))
    positions = torch.tensor([drawn, drawn[::-1]], requires_grad=True)
    audio = played(2, 4_000, data.draw(st.integers(0, 99)), torch.float32).requires_grad_()
    loss_of(chain, positions, audio).backward()
    assert torch.isfinite(positions.grad).all()
    assert torch.isfinite(audio.grad).all()


@pytest.mark.parametrize("chain", CHAINS)
def test_gradients_are_finite_in_silence(chain):
    positions = torch.full((1, len(TURNING[chain])), 0.6, requires_grad=True)
    audio = torch.zeros(1, 2, 3_000).requires_grad_()
    values = knobs.physical(TURNING[chain], positions)
    CHAINS[chain](audio, RATE_HZ, values).sum().backward()
    assert torch.isfinite(positions.grad).all()
    assert torch.isfinite(audio.grad).all()


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("seed", range(2))
def test_gradients_agree_with_numeric_differences(chain, seed):
    random = np.random.default_rng(seed)
    audio = played(1, 3_000, seed)
    positions = torch.from_numpy(random.uniform(0.2, 0.8, (1, len(TURNING[chain])))).requires_grad_()
    loss_of(chain, positions, audio).backward()
    step = 1e-5
    for index, parameter in enumerate(TURNING[chain]):
        moved = torch.zeros_like(positions)
        moved[0, index] = step
        with torch.no_grad():
            numeric = (loss_of(chain, positions + moved, audio) - loss_of(chain, positions - moved, audio)) / (2 * step)
        assert positions.grad[0, index] == pytest.approx(float(numeric), rel=2e-3, abs=1e-7), parameter.name


@pytest.mark.parametrize("name", [f"eq{band}_gain_db" for band in range(1, 7)])
def test_an_equaliser_can_be_learned_from_its_neutral_place(name):
    """At 0 dB a bell turns from a cut into a boost; a gradient of nought there would keep every band shut."""
    band = name.removesuffix("gain_db")
    known = by_name(STRIP)
    gain_db = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    values = {name: gain_db, **{f"{band}{knob}": known[f"{band}{knob}"].neutral for knob in ("freq_hz", "q")}}
    console.strip(played(1, 4_000), RATE_HZ, values).square().sum().backward()
    assert gain_db.grad.item() > 0.0


def test_positions_and_values_are_the_desks():
    parameters = knobs.continuous(STRIP)
    places = torch.rand(5, len(parameters), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    values = knobs.physical(parameters, places)
    for index, parameter in enumerate(parameters):
        wanted = [parameter.from_normalised(float(place)) for place in places[:, index]]
        np.testing.assert_allclose(values[parameter.name].numpy(), wanted, rtol=1e-12)
    torch.testing.assert_close(knobs.normalised(parameters, values), places)
