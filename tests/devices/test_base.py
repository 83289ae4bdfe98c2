"""What an interface says of itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.alsa import STANDARD_RATES_HZ
from devices.base import Interface

RATES = st.sampled_from(STANDARD_RATES_HZ)


@given(st.lists(RATES, unique=True), RATES, RATES)
def test_an_interface_is_asked_for_a_rate_that_it_has_and_for_the_wished_one_if_it_has_that(rates, own, wished):
    interface = Interface("usb:1", "Card", "ALSA", 2, 2, default_rate_hz=own, rates_hz=tuple(rates))
    near = interface.rate_near(wished)
    if wished in rates or not rates:
        assert near == wished
    else:
        assert near == own if own in rates else near in rates
