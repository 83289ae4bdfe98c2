"""A plan and its sources wired into a desk: channels, group buses, effects, master strip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from core.desk.sources import Source, at_rate
from core.desk.strip import Values, bus_processors, effect, fader_gain, number, resolve, strip_processors
from core.dsp.audio import Audio, DelayLine, Processor
from core.dsp.gain import db_to_gain
from core.errors import Exit, OtoError
from core.plans.document import BusStrip, MixPlan, Settings, Strip
from core.plans.parameters import BUS, DELAY, REVERB, SENDS, STRIP

GROUPS = ("drums", "music", "vocals", "master")
"""Where a strip can go; "master" is straight to the sum."""


class Channel:
    """A strip that reads its own source, with its latency taken out."""

    def __init__(self, source: Source, values: Values, rate_hz: int) -> None:
        self.name = source.name
        self.group = str(values["bus"])
        self.audible = fader_gain(values) > 0.0
        self.sends: dict[str, float] = {}
        for name in SENDS:
            level = db_to_gain(number(values, f"send_{name}_db"))
            if self.audible and level > 0.0:
                self.sends[name] = level
        self._source = at_rate(source, rate_hz)
        self._processor = strip_processors(values, rate_hz, source.channels)
        self._read_samples = 0
        self.frames = self._source.frames

    def read(self, frames: int) -> Audio:
        """The next `frames` samples behind the fader, shape (2, frames)."""
        if not self.audible:
            return np.zeros((2, frames), np.float32)
        late = self._processor.latency_samples
        if self._read_samples == 0 and late:
            self._processor.process(self._source.read(0, late))
            self._read_samples = late
        block = self._source.read(self._read_samples, frames)
        self._read_samples += frames
        return self._processor.process(block)


@dataclass
class Junction:
    """Channels summed into a bus or an effect, padded so that all junctions are equally late."""

    processor: Processor
    inputs: dict[int, float]
    """Number of the channel to gain."""
    gain: float
    """Of its fader, which the processor includes."""
    tail_samples: int = 0
    """How long it sounds on after its last input."""
    padding: DelayLine = field(default_factory=lambda: DelayLine(2, 0))

    def collect(self, channel: int, part: Audio, total: Audio) -> None:
        """Add to `total` what this channel sends here."""
        level = self.inputs.get(channel, 0.0)
        if level:
            total += part if level == 1.0 else part * np.float32(level)

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
        self.channels = [
            Channel(source, resolve(strip.settings, STRIP, f"the strip of '{strip.track}'"), rate_hz)
            for strip, source in _paired(plan.strips, sources)
        ]
        buses = {bus.name: bus for bus in plan.buses}
        self.groups = self._wire_groups(buses, rate_hz)
        self.effects = self._wire_effects(buses, rate_hz)
        master = resolve(plan.master, BUS, "the master strip")
        self.master = bus_processors(master, rate_hz)
        self.master_gain = fader_gain(master)

        junctions = [*self.groups.values(), *self.effects.values()]
        self.meet_samples = max((junction.processor.latency_samples for junction in junctions), default=0)
        for junction in junctions:
            junction.padding = DelayLine(2, self.meet_samples - junction.processor.latency_samples)
        self.latency_samples = self.meet_samples + self.master.latency_samples
        self.frames = max(channel.frames for channel in self.channels) + max(
            (effect.tail_samples for effect in self.effects.values()), default=0
        )

    def process(self, frames: int, pool: Executor, heard: Callable[[int, Audio], None]) -> Mixed:
        """The next `frames` samples. `heard` gets each channel's number and what comes from its fader, not late."""
        junctions = [*self.groups.values(), *self.effects.values()]
        totals = [np.zeros((2, frames), np.float32) for _ in junctions]
        # Summed as they come, in order: no more than a few parts are held at a time.
        for index, part in enumerate(pool.map(lambda channel: channel.read(frames), self.channels)):
            heard(index, part)
            for junction, total in zip(junctions, totals, strict=True):
                junction.collect(index, part, total)
        blocks = list(pool.map(Junction.process, junctions, totals))
        mix = np.zeros((2, frames), np.float32)
        for block in blocks:
            mix += block
        return Mixed(blocks[len(self.groups) :], self.master.process(mix))

    def stem_gain(self, channel: Channel) -> float:
        """What its bus's and the master's fader do to a channel."""
        group = self.groups.get(channel.group)
        return 0.0 if group is None else group.gain * self.master_gain

    def _wire_groups(self, buses: Mapping[str, BusStrip], rate_hz: int) -> dict[str, Junction]:
        groups = {}
        for name in GROUPS:
            values = resolve({} if name == "master" else _settings(buses, name), BUS, f"the {name} bus")
            members = {
                index: 1.0 for index, channel in enumerate(self.channels) if channel.audible and channel.group == name
            }
            if members and fader_gain(values) > 0.0:
                groups[name] = Junction(bus_processors(values, rate_hz), members, fader_gain(values))
        return groups

    def _wire_effects(self, buses: Mapping[str, BusStrip], rate_hz: int) -> dict[str, Junction]:
        effects = {}
        for name in SENDS:
            values = resolve(_settings(buses, name), DELAY if name == "delay" else REVERB, f"the {name}")
            feeds = {index: channel.sends[name] for index, channel in enumerate(self.channels) if name in channel.sends}
            if feeds and fader_gain(values) > 0.0:
                processor, tail_samples = effect(name, values, rate_hz)
                effects[name] = Junction(processor, feeds, fader_gain(values), tail_samples)
        return effects


def _settings(buses: Mapping[str, BusStrip], name: str) -> Settings:
    return buses[name].settings if name in buses else {}


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
