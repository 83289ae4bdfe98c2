"""How much was lost, from a clock that is read late at times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.driver import LossMeter

PERIOD = 512


@given(
    st.integers(20, 60).flatmap(
        lambda count: st.lists(
            st.tuples(st.floats(0.0, 0.4), st.sampled_from([0] * 20 + [1, 2, 27])), min_size=count, max_size=count
        )
    )
)
def test_whole_lost_periods_are_found_through_late_callbacks(callbacks):
    meter = LossMeter(48_000)
    clock_frames, lost_periods, found = 1_000.0, 0, 0
    for n, (lateness, lost) in enumerate(callbacks):
        lost = lost if n > 2 and not callbacks[n - 1][1] else 0
        lost_periods += lost
        clock_frames += lost * PERIOD
        # The one that reports a loss is the latest of all.
        late = 0.95 if lost else lateness
        found += meter.add((clock_frames + late * PERIOD) / 48_000, PERIOD, loss=lost > 0)
        clock_frames += PERIOD
    found += meter.add(clock_frames / 48_000, PERIOD, loss=False)
    assert found == lost_periods * PERIOD


def test_a_report_without_a_loss_counts_no_frames():
    meter = LossMeter(48_000)
    assert sum(meter.add(n * PERIOD / 48_000, PERIOD, loss=n == 5) for n in range(20)) == 0
