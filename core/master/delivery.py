"""Is a file ready to leave for a target: loudness, peaks, faults, and what lossy codecs make of it.

One streaming pass over the file answers everything but the codecs; each of these encodes the file, decodes it again
and measures what a listener will get.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile as sf

from core.analysis.features import Clipping
from core.analysis.loudness import Loudness, LoudnessMeter, measure_file
from core.analysis.spectrum import Spectrum, SpectrumMeter
from core.dsp.audio import Audio, Floats
from core.errors import Exit, OtoError
from core.master.targets import MEDIA
from core.plans.document import Target
from core.progress import Progress, report
from core.scratch import scratch_folder

RoundTrip = Callable[[Path, Path], Path]
"""Encodes a file (first) into a folder (second), decodes it, and returns a file that libsndfile reads."""

LOUDNESS_TOLERANCE_LU: Final = 0.5
"""EBU R 128 allows 0.5 LU where exact normalisation is not achievable."""
_PEAK_TOLERANCE_DB: Final = 0.1
"""Meters differ by this much (EBU Tech 3341 allows +0.2, -0.4 dB)."""
LEAST_RATE_HZ: Final = 44_100
MOST_DC_DBFS: Final = -50.0
LONGEST_LEAD_S: Final = 1.0
LONGEST_TAIL_S: Final = 8.0
WIDEST_LOWS_DB: Final = -12.0
"""Side against middle where a medium wants its bass in the middle."""

_SILENT: Final = 10 ** (-66 / 20)
_BLOCK_FRAMES: Final = 65_536
_BITS: Final = {"PCM_16": "16 bit", "PCM_24": "24 bit", "PCM_32": "32 bit", "FLOAT": "32-bit float"}
_LOSSY: Final = ("VORBIS", "OPUS", "MPEG_LAYER_III")
_MEASURING_SHARE: Final = 0.3


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a delivery is judged by."""

    name: str
    passes: bool
    says: str
    """A sentence with what was measured and, if it fails, what to do."""


class EncodedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener gets of a lossy copy."""

    format: str
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    passes: bool
    """True while it stays below full scale, so that no player clips."""
    says: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A report on one file and one target."""

    target: str
    passes: bool
    """Every check passes, and every copy."""
    checks: tuple[Check, ...]
    copies: tuple[EncodedCopy, ...] = ()


def check_delivery(
    path: Path,
    target: Target,
    *,
    codecs: Mapping[str, RoundTrip] | None = None,
    loudness: bool = True,
    progress: Progress | None = None,
) -> Delivery:
    """Judge a file by what a target asks for, also after each of `codecs`.

    `loudness=False` leaves the loudness out: a song of an album keeps its place below the loudest. Raises OtoError:
    "not_found" and "bad_input" for a file that can't be used, "cancelled" when `progress` says so.
    """
    codecs = codecs or {}
    share = _MEASURING_SHARE if codecs else 1.0
    heard = _listen(path, lambda fraction: report(progress, share * fraction, f"checking {path.name}"))
    checks = [
        *([_loudness(heard.loudness, target)] if loudness else []),
        _true_peak(heard.loudness, target),
        _clipping(heard),
        _dc(heard),
        _mono(heard.spectrum),
        *_medium(heard.spectrum, target),
        _ends(heard),
        _file(heard, target),
    ]
    copies: list[EncodedCopy] = []
    for done, (name, codec) in enumerate(codecs.items()):
        report(progress, share + (1 - share) * done / len(codecs), f"trying {path.name} as {name}")
        copies.append(_copy(path, name, codec))
    report(progress, 1.0, f"checking {path.name}")
    return Delivery(
        target=target.name,
        passes=all(check.passes for check in checks) and all(copy.passes for copy in copies),
        checks=tuple(checks),
        copies=tuple(copies),
    )


# ---------------------------------------------------------------- listening


class _Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass over the file found."""

    loudness: Loudness
    spectrum: Spectrum
    clipped_samples: int
    dc_dbfs: float
    """Of the worse channel."""
    lead_s: float
    """Silence before the first sound."""
    tail_s: float
    rate_hz: int
    subtype: str


def _listen(path: Path, tell: Callable[[float], None]) -> _Heard:
    if not path.is_file():
        raise OtoError("not_found", f"There is no file {path}.", "Check the name.", Exit.NOT_FOUND)
    try:
        with sf.SoundFile(path) as file:
            if file.channels > 2:
                raise OtoError(
                    "bad_input",
                    f"{path.name} has {file.channels} channels; a delivery is mono or stereo.",
                    "",
                    Exit.BAD_INPUT,
                )
            return _measure(file, path.name, tell)
    except sf.LibsndfileError as error:
        raise OtoError(
            "bad_input", f"{path.name} can't be read as audio: {error.error_string}", "", Exit.BAD_INPUT
        ) from error


def _measure(file: sf.SoundFile, name: str, tell: Callable[[float], None]) -> _Heard:
    loudness = LoudnessMeter(file.samplerate, file.channels, name)
    spectrum = SpectrumMeter(file.samplerate, file.channels)
    clipping = Clipping()
    total: Floats = np.zeros(file.channels)
    frames, first, last = 0, -1, -1
    for frame_block in file.blocks(_BLOCK_FRAMES, dtype="float32", always_2d=True):
        block: Audio = np.ascontiguousarray(frame_block.T)
        loudness.add(block)
        spectrum.add(block)
        clipping.add(block)
        total += block.sum(axis=1, dtype=np.float64)
        if np.maximum(block.max(), -block.min()) > _SILENT:
            sounding = np.flatnonzero(np.abs(block).max(axis=0) > _SILENT)
            first = frames + int(sounding[0]) if first < 0 else first
            last = frames + int(sounding[-1])
        frames += block.shape[1]
        tell(min(frames / max(file.frames, 1), 1.0))
    dc = float(np.abs(total).max(initial=0.0)) / max(frames, 1)
    return _Heard(
        loudness=loudness.result(),
        spectrum=spectrum.result(),
        clipped_samples=clipping.samples,
        dc_dbfs=20 * math.log10(max(dc, 1e-10)),
        lead_s=max(first, 0) / file.samplerate,
        tail_s=(frames - 1 - last) / file.samplerate if last >= 0 else 0.0,
        rate_hz=file.samplerate,
        subtype=file.subtype,
    )


# ---------------------------------------------------------------- judging


def _loudness(heard: Loudness, target: Target) -> Check:
    lufs, wanted = heard.integrated_lufs, target.integrated_lufs
    if lufs is None:
        return Check(name="loudness", passes=False, says="There is no loudness to measure: silence, or under 0.4 s.")
    off = lufs - wanted
    if abs(off) <= LOUDNESS_TOLERANCE_LU:
        return Check(name="loudness", passes=True, says=f"{lufs:.1f} LUFS, as {target.name} asks.")
    side = "louder" if off > 0 else "quieter"
    says = f"{lufs:.1f} LUFS is {abs(off):.1f} LU {side} than the {wanted:g} LUFS of {target.name}."
    return Check(name="loudness", passes=False, says=says)


def _true_peak(heard: Loudness, target: Target) -> Check:
    peak, ceiling = heard.true_peak_dbtp, target.true_peak_dbtp
    if peak is None:
        return Check(name="true_peak", passes=True, says="Silence has no peak.")
    if peak <= ceiling + _PEAK_TOLERANCE_DB:
        return Check(name="true_peak", passes=True, says=f"True peak {peak:.1f} dBTP, {ceiling:g} at most.")
    says = f"True peak {peak:.1f} dBTP is {peak - ceiling:.1f} dB above the ceiling of {ceiling:g}. Master it again."
    return Check(name="true_peak", passes=False, says=says)


def _clipping(heard: _Heard) -> Check:
    if heard.clipped_samples == 0:
        return Check(name="clipping", passes=True, says="Nothing is clipped.")
    says = f"{heard.clipped_samples} samples sit flat at full scale: clipped. Look for it in the mix or its tracks."
    return Check(name="clipping", passes=False, says=says)


def _dc(heard: _Heard) -> Check:
    if heard.dc_dbfs <= MOST_DC_DBFS:
        return Check(name="dc", passes=True, says="No DC offset.")
    says = f"A DC offset of {heard.dc_dbfs:.0f} dBFS costs headroom and clicks at edits. A high-pass takes it out."
    return Check(name="dc", passes=False, says=says)


def _mono(spectrum: Spectrum) -> Check:
    correlation = spectrum.correlation
    if correlation is None or correlation >= 0.0:
        found = "" if correlation is None else f" (correlation {correlation:.2f})"
        return Check(name="mono", passes=True, says=f"Holds together on one loudspeaker{found}.")
    says = f"Left and right cancel on one loudspeaker (correlation {correlation:.2f}). Check the polarity in the mix."
    return Check(name="mono", passes=False, says=says)


def _medium(spectrum: Spectrum, target: Target) -> list[Check]:
    medium = MEDIA.get(target.name)
    if medium is None or not medium.mono_below_hz:
        return []
    edge_hz = medium.mono_below_hz
    lows_db = spectrum.side_db(20.0, edge_hz)
    if lows_db is None or lows_db <= WIDEST_LOWS_DB:
        return [Check(name="lows", passes=True, says=f"Below {edge_hz:g} Hz the sound is in the middle.")]
    says = f"Below {edge_hz:g} Hz the sides are {-lows_db:.0f} dB under the middle: {target.name} wants mono there."
    return [Check(name="lows", passes=False, says=says)]


def _ends(heard: _Heard) -> Check:
    faults = []
    if heard.lead_s > LONGEST_LEAD_S:
        faults.append(f"{heard.lead_s:.1f} s of silence before the first sound")
    if heard.tail_s > LONGEST_TAIL_S:
        faults.append(f"{heard.tail_s:.1f} s of silence after the last")
    if faults:
        return Check(name="ends", passes=False, says=f"There are {' and '.join(faults)}: trim the mix.")
    return Check(
        name="ends", passes=True, says=f"{heard.lead_s:.1f} s of silence at the start, {heard.tail_s:.1f} s at the end."
    )


def _file(heard: _Heard, target: Target) -> Check:
    rate = f"{heard.rate_hz / 1000:g} kHz"
    if heard.subtype in _LOSSY:
        says = "The file is lossy already, and would be encoded a second time: deliver WAV or FLAC."
        return Check(name="file", passes=False, says=says)
    if heard.rate_hz < LEAST_RATE_HZ:
        return Check(name="file", passes=False, says=f"{rate} is too low a rate: 44.1 kHz is the least.")
    says = f"{rate}, {_BITS.get(heard.subtype, heard.subtype)}."
    if target.name == "cd" and (heard.rate_hz, heard.subtype) != (44_100, "PCM_16"):
        says += " A CD holds 44.1 kHz and 16 bit: 'oto export --format wav16 --rate 44100' makes that."
    return Check(name="file", passes=True, says=says)


def _copy(path: Path, name: str, codec: RoundTrip) -> EncodedCopy:
    with scratch_folder() as folder:
        loudness = measure_file(codec(path, folder))
    peak = loudness.true_peak_dbtp
    passes = peak is None or peak <= 0.0
    if peak is None:
        says = f"As {name}: silence."
    elif passes:
        says = f"As {name} the true peak is {peak:.1f} dBTP."
    else:
        says = f"As {name} the true peak is {peak:+.1f} dBTP: players clip. Lower the ceiling by {peak + 0.1:.1f} dB."
    return EncodedCopy(
        format=name, integrated_lufs=loudness.integrated_lufs, true_peak_dbtp=peak, passes=passes, says=says
    )
