"""A plan and its sources wired into a desk: channels, group buses, effects, master strip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np

from core.desk.settings import Values, fader_gain, number, resolve, ride_points, span_samples, tempo_bpm
from core.desk.sources import Source, SpannedSource, at_rate, identity_of
from core.desk.strip import PLACING, bus_processors, effect, level, placing, strip_processors
from core.desk.stripcache import Kept, Readable, Unrepeatable, desk_version
from core.desk.toned import Toned
from core.dsp.audio import Audio, Chain, DelayLine, Memoryless, Processor
from core.dsp.gain import db_to_gain, place
from core.dsp.ride import Points, Ride
from core.errors import Exit, OtoError
from core.plans.document import BusStrip, MixPlan, Strip
from core.plans.parameters import BUS, DELAY, REVERB, SENDS, STRIP

GROUPS = ("drums", "music", "vocals", "master")
"""Where a strip can go; "master" is straight to the sum."""
_AT_A_TIME: Final = 8
"""Channels that are held and summed together."""
_MOST_PRODUCTS: Final = 1 << 18
"""Multiplications per product: they stay near the processor, and BLAS starts no threads for so few."""
_FEWEST_COLUMNS: Final = 256


class Channel:
    """A strip's way from its own source to its bus and sends, not late."""

    def __init__(self, source: Source, values: Values, toned: Toned, ridden: Processor, key: str | None = None) -> None:
        self.name = source.name
        self.group = str(values["bus"])
        self.audible = fader_gain(values) > 0.0
        self.sends: dict[str, float] = {}
        for name in SENDS:
            gain = db_to_gain(number(values, f"send_{name}_db"))
            if self.audible and gain > 0.0:
                self.sends[name] = gain
        self.toned = toned
        self.strip: Readable = toned
        """Where the audio before the fader comes from: the strip itself, or what was kept of it."""
        self._ridden = ridden
        self.matrix = placing(values, source.channels)
        """Gains (2, channels) of fader, pan and width."""
        self.frames = source.frames
        self.key = key
        """Names what comes from the fader, on this box and for ever; None where it has no name."""

    def read(self, frames: int) -> Audio:
        """The next `frames` samples with the strip's ride, before `matrix`; shape (channels, frames)."""
        if not self.audible:
            return np.zeros((self.matrix.shape[1], frames), np.float32)
        return self._ridden.process(self.strip.read(frames))


@dataclass
class Junction:
    """Channels summed into a bus or an effect, padded so that all junctions are equally late."""

    processor: Processor
    inputs: dict[int, float]
    """Number of the channel to gain."""
    gain: float
    """Of its fader, which the processor includes."""
    ride: Points = ()
    """Of its fader, which the processor includes too."""
    tail_samples: int = 0
    """How long it sounds on after its last input."""
    padding: DelayLine = field(default_factory=lambda: DelayLine(2, 0))
    key: str | None = None
    """Names what it makes of its inputs; None where that is not worth keeping, or has no name."""
    frames: int = 0
    """Length of what is worth keeping."""
    channels: int = 2
    total: Audio | None = None
    """The next block of its inputs, summed."""

    def __post_init__(self) -> None:
        self.output: Readable = self
        """Where its audio comes from: itself, or what was kept of it."""

    def read(self, frames: int) -> Audio:
        """What it makes of `total`, (2, frames). Raises Unrepeatable where it was not given one."""
        if self.total is None:
            raise Unrepeatable
        return self.process(self.total[:, :frames])

    def process(self, total: Audio) -> Audio:
        """Take and give (2, n)."""
        return self.padding.process(self.processor.process(total))


@dataclass(frozen=True)
class Mixed:
    """One block of what a desk makes of its channels."""

    returns: list[Audio]
    """Per effect, `meet_samples` late."""
    mix: Audio
    """`latency_samples` late."""


class Desk:
    """Every processor of a plan, wired."""

    def __init__(self, plan: MixPlan, sources: Sequence[Source], rate_hz: int) -> None:
        """Raises OtoError: "not_found" for a strip without a source, "bad_input" for settings that can't be."""
        self._rate_hz = rate_hz
        paired = _paired(plan.strips, sources)
        span = span_samples(plan, rate_hz)
        self.start_samples = 0 if span is None else span[0]
        self.channels = [self._channel(strip, source, span) for strip, source in paired]
        longest = max(channel.frames for channel in self.channels)
        if span is not None and not longest:
            raise OtoError(
                "bad_input",
                f"The span that is mixed starts at {span[0] / rate_hz:g} s, where the recording has ended.",
                "Change the span in the plan; nothing was rendered.",
                Exit.BAD_INPUT,
            )
        buses = {bus.name: bus for bus in plan.buses}
        self.groups = self._wire_groups(buses)
        self.effects = self._wire_effects(buses, tempo_bpm(plan))
        master = resolve(plan.master, BUS, "the master strip")
        self._master_gain = fader_gain(master)
        self._master_ride = ride_points(plan.master_ride, "the master strip")

        junctions = [*self.groups.values(), *self.effects.values()]
        self.meet_samples = max((junction.processor.latency_samples for junction in junctions), default=0)
        for junction in junctions:
            junction.padding = DelayLine(2, self.meet_samples - junction.processor.latency_samples)
        self.master = self._ridden(bus_processors(master, rate_hz), self._master_ride, late_samples=self.meet_samples)
        self.latency_samples = self.meet_samples + self.master.latency_samples
        self.frames = longest + max((effect.tail_samples for effect in self.effects.values()), default=0)
        for name, junction in self.effects.items():
            junction.frames = self.frames + self.latency_samples
            if name != "delay":  # which is rendered as fast as it is read
                junction.key = self._return_key(junction, f"{name} {buses.get(name)}")
        numbers = range(len(self.channels))
        batches = [numbers[first : first + _AT_A_TIME] for first in numbers[::_AT_A_TIME]]
        self._sums = [(batch, _gains(self.channels, batch, junctions)) for batch in batches]

    def process(self, frames: int, pool: Executor, heard: Callable[[int, Audio], None] | None = None) -> Mixed:
        """The next `frames` samples. `heard` gets each channel's number and what comes from its fader, not late."""
        junctions = [*self.groups.values(), *self.effects.values()]
        totals = np.zeros((2 * len(junctions), frames), np.float32)
        for junction, total in zip(junctions, totals.reshape(-1, 2, frames), strict=True):
            junction.total = None if isinstance(junction.output, Kept) else total
        # Summed as they come, in order: no more than a few parts are held at a time.
        parts = pool.map(lambda channel: channel.read(frames), self.channels)
        for batch, gains in self._sums:
            held = list(islice(parts, len(batch)))
            if heard is not None:
                for number, part in zip(batch, held, strict=True):
                    heard(number, place(part, self.channels[number].matrix))
            # Also for what was kept: another number of rows might be rounded otherwise.
            _add_product(totals, gains, np.concatenate(held))
        blocks = list(pool.map(lambda junction: junction.output.read(frames), junctions))
        mix = np.zeros((2, frames), np.float32)
        for block in blocks:
            mix += block
        return Mixed(blocks[len(self.groups) :], self.master.process(mix))

    def stem_fader(self, channel: Channel) -> Processor:
        """What the faders of its bus and of the master do to a channel."""
        group = self.groups.get(channel.group)
        if group is None:
            return Chain(level(0.0))
        return self._ridden(self._ridden(Chain(level(group.gain * self._master_gain)), group.ride), self._master_ride)

    def return_fader(self) -> Processor:
        """What the master's fader does to an effect."""
        return self._ridden(Chain(level(self._master_gain)), self._master_ride)

    def _ridden(self, processor: Processor, points: Points, *, late_samples: int = 0) -> Processor:
        """A processor with a ride behind it, in time with the take; what it is given may be late already."""
        if not points:
            return processor
        start_samples = self.start_samples - late_samples - processor.latency_samples
        return Chain([processor, Ride(self._rate_hz, points, start_samples=start_samples)])

    def _channel(self, strip: Strip, source: Source, span: tuple[int, int] | None) -> Channel:
        where = f"the strip of '{strip.track}'"
        values = resolve(strip.settings, STRIP, where)
        converted = at_rate(source, self._rate_hz)
        cut = converted if span is None else SpannedSource(converted, *span)
        processors = strip_processors(values, self._rate_hz, cut.channels)
        cheap = converted is source and all(isinstance(one, Memoryless) for one in processors)
        key, points = self._key(cut, values), ride_points(strip.ride, where)
        toned = Toned(cut, Chain(processors), None if cheap else key)
        return Channel(cut, values, toned, self._ridden(Chain([]), points), None if key is None else f"{key} {points}")

    def _key(self, source: Source, values: Values) -> str | None:
        """Everything that a strip's audio before its fader depends on."""
        identity = identity_of(source)
        toning = sorted((name, value) for name, value in values.items() if name not in PLACING)
        return None if identity is None else f"{desk_version()} {self._rate_hz} {identity} {toning}"

    def _return_key(self, effect: Junction, made_by: str) -> str | None:
        """Everything that an effect's return depends on, to the order in which it is summed."""
        fed = [(number, self.channels[number], gain) for number, gain in effect.inputs.items()]
        if any(channel.key is None for _, channel, _ in fed):
            return None
        inputs = [(number, channel.key, channel.matrix.tolist(), gain) for number, channel, gain in fed]
        rows = [channel.matrix.shape[1] for channel in self.channels]
        return f"{made_by} {self.start_samples} {self.meet_samples} {effect.frames} {rows} {inputs}"

    def _wire_groups(self, buses: Mapping[str, BusStrip]) -> dict[str, Junction]:
        groups = {}
        for name in GROUPS:
            strip = buses[name] if name in buses and name != "master" else BusStrip(name=name)
            where = f"the {name} bus"
            values, points = resolve(strip.settings, BUS, where), ride_points(strip.ride, where)
            members = {
                index: 1.0 for index, channel in enumerate(self.channels) if channel.audible and channel.group == name
            }
            if members and fader_gain(values) > 0.0:
                processor = self._ridden(bus_processors(values, self._rate_hz), points)
                groups[name] = Junction(processor, members, fader_gain(values), points)
        return groups

    def _wire_effects(self, buses: Mapping[str, BusStrip], tempo: float | None) -> dict[str, Junction]:
        effects = {}
        for name in SENDS:
            strip, where = buses.get(name, BusStrip(name=name)), f"the {name}"
            values = resolve(strip.settings, DELAY if name == "delay" else REVERB, where)
            points = ride_points(strip.ride, where)
            feeds = {index: channel.sends[name] for index, channel in enumerate(self.channels) if name in channel.sends}
            if feeds and fader_gain(values) > 0.0:
                processor, tail_samples = effect(name, values, self._rate_hz, tempo)
                effects[name] = Junction(
                    self._ridden(processor, points), feeds, fader_gain(values), points, tail_samples
                )
        return effects


def _gains(channels: Sequence[Channel], batch: Sequence[int], junctions: Sequence[Junction]) -> Audio:
    """What the two sides of each junction get of the rows of some channels: (2 * junctions, rows)."""

    def sides(junction: Junction) -> Audio:
        gains = [channels[number].matrix * junction.inputs.get(number, 0.0) for number in batch]
        return np.concatenate(gains, axis=1).astype(np.float32)

    rows = sum(channels[number].matrix.shape[1] for number in batch)
    return np.concatenate([np.zeros((0, rows), np.float32), *map(sides, junctions)])


def _add_product(total: Audio, gains: Audio, rows: Audio) -> None:
    """Add gains @ rows."""
    columns = max(_MOST_PRODUCTS // max(gains.size, 1), _FEWEST_COLUMNS)
    for first in range(0, rows.shape[1], columns):
        now = slice(first, first + columns)
        total[:, now] += gains @ rows[:, now]


def _paired(strips: Sequence[Strip], sources: Sequence[Source]) -> list[tuple[Strip, Source]]:
    """Each source with the strip of its name, or a neutral one: nothing that was recorded is left out silently."""
    by_track = {strip.track: strip for strip in strips}
    missing = by_track.keys() - {source.name for source in sources}
    if missing:
        raise OtoError(
            "not_found",
            f"The plan has strips without a recording: {', '.join(sorted(missing))}.",
            "Was the plan made for another take? Propose a mix anew, or take the strips out.",
            Exit.NOT_FOUND,
        )
    if not sources:
        raise OtoError(
            "bad_input", "There is nothing to mix: no recording.", "Record or name some files.", Exit.BAD_INPUT
        )
    return [(by_track.get(source.name, Strip(track=source.name)), source) for source in sources]
