"""The file formats that leave the box, and how a bounce becomes each: converted, dithered and tagged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.dsp.dither import SHAPED_RATES_HZ, Dither, ShapedDither
from core.errors import Exit, OtoError
from core.export.tags import Tags, write_tags
from core.progress import Progress, report

BLOCK_FRAMES: Final = 16_384
"""Small, because libsndfile's Vorbis encoder keeps a whole call's audio on the stack."""

DITHER_FRAMES: Final = 262_144
"""Noise shaping goes sample by sample, many frames abreast."""

RIFF_LIMIT_BYTES: Final = 0xFFFF_0000
"""Beyond this a WAV can't say its own length and is written as RF64."""


@dataclass(frozen=True)
class Format:
    """One way to write audio for other people."""

    name: str
    suffix: str
    container: str
    """libsndfile's name."""
    subtype: str
    about: str
    bits: int | None = None
    """Bits of an integer sample; None when the encoder takes float."""
    rates_hz: tuple[int, ...] = ()
    """Rates it can hold; none named means any."""
    encoder: tuple[tuple[str, Any], ...] = ()
    """Quality, in libsndfile's terms."""


FORMATS: Final[dict[str, Format]] = {
    format.name: format
    for format in (
        Format("wav16", ".wav", "WAV", "PCM_16", "WAV, 16 bit, dithered", bits=16),
        Format("wav24", ".wav", "WAV", "PCM_24", "WAV, 24 bit", bits=24),
        Format("flac", ".flac", "FLAC", "PCM_24", "FLAC, 24 bit, lossless", bits=24),
        Format(
            "mp3",
            ".mp3",
            "MP3",
            "MPEG_LAYER_III",
            "MP3, 320 kbit/s",
            rates_hz=(32_000, 44_100, 48_000),
            encoder=(("compression_level", 0.0), ("bitrate_mode", "CONSTANT")),
        ),
        Format("ogg", ".ogg", "OGG", "VORBIS", "Ogg Vorbis, quality 8", encoder=(("compression_level", 0.2),)),
        Format(
            "opus",
            ".opus",
            "OGG",
            "OPUS",
            "Opus at 48 kHz",
            rates_hz=(48_000,),
            encoder=(("compression_level", 0.5),),
        ),
    )
}
"""Formats by the name that `--format` takes. "stems" is not among them: stems are copied as they are."""


def rate_for(wanted: Format, source_hz: int, asked_hz: int | None) -> int:
    """The rate to write at: what was asked, else the source's, else the best that the format holds."""
    rate_hz = asked_hz or source_hz
    if not wanted.rates_hz or rate_hz in wanted.rates_hz:
        return rate_hz
    if asked_hz is not None:
        raise OtoError(
            "bad_input",
            f"{wanted.about.split(',')[0]} can't hold {asked_hz} Hz.",
            "It can hold " + ", ".join(f"{rate}" for rate in wanted.rates_hz) + " Hz.",
            Exit.BAD_INPUT,
        )
    family = [rate for rate in wanted.rates_hz if source_hz % rate == 0]
    return max(family or wanted.rates_hz)


def encode(
    source: Path,
    out: Path,
    wanted: Format,
    *,
    rate_hz: int | None = None,
    tags: Tags | None = None,
    progress: Progress | None = None,
) -> None:
    """Write `source` (any file libsndfile reads) to `out` in a format, streaming.

    Samples that need no conversion keep their bits: 24-bit audio goes to 24-bit formats exactly, 16-bit to 16-bit
    without dither. `rate_hz` asks for another rate. Raises OtoError: "bad_input" for a rate the format can't hold.
    """
    with soundfile.SoundFile(source) as audio:
        out_hz = rate_for(wanted, audio.samplerate, rate_hz)
        converted = out_hz != audio.samplerate
        dithered = wanted.bits == 16 and (converted or audio.subtype not in ("PCM_16", "PCM_S8", "PCM_U8"))
        expected_bytes = audio.frames * out_hz // audio.samplerate * audio.channels * ((wanted.bits or 0) // 8)
        container = "RF64" if wanted.container == "WAV" and expected_bytes > RIFF_LIMIT_BYTES else wanted.container
        total = max(audio.frames, 1)
        with soundfile.SoundFile(
            out,
            "w",
            out_hz,
            audio.channels,
            wanted.subtype,
            format=container,
            **dict(wanted.encoder),
        ) as file:
            if tags is not None and wanted.container == "WAV":
                _write_info(file, tags)
            blocks = _at_rate(audio, out_hz, DITHER_FRAMES if dithered else BLOCK_FRAMES)
            for block in _dithered(blocks, audio.channels, out_hz) if dithered else blocks:
                file.write(block if wanted.bits is None else _integers(block, wanted.bits))
                report(progress, min(audio.tell() / total, 1.0), f"encoding {out.name}")
    if tags is not None and wanted.container != "WAV":
        write_tags(out, tags)


def _at_rate(audio: soundfile.SoundFile, out_hz: int, block_frames: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of (frames, channels) at `out_hz`."""
    blocks = audio.blocks(block_frames, dtype="float32", always_2d=True)
    if out_hz == audio.samplerate:
        yield from blocks
        return
    import soxr

    resampler = soxr.ResampleStream(audio.samplerate, out_hz, audio.channels, dtype="float32", quality="VHQ")
    for block in blocks:
        yield from _pieces(resampler.resample_chunk(block), block_frames)
    yield from _pieces(resampler.resample_chunk(np.zeros((0, audio.channels), np.float32), last=True), block_frames)


def _pieces(audio: NDArray[np.float32], block_frames: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(audio), block_frames):
        yield audio[start : start + block_frames]


def _dithered(blocks: Iterable[NDArray[np.float32]], channels: int, rate_hz: int) -> Iterator[NDArray[np.float32]]:
    """The same blocks on a grid of 16 bits, their noise where the ear is dull if the rate has a filter for that."""
    noise = (ShapedDither if rate_hz in SHAPED_RATES_HZ else Dither)(channels, bits=16)
    late = noise.latency_samples
    for block in chain(blocks, [np.zeros((late, channels), np.float32)]):
        ready = noise.process(block.T).T
        yield ready[late:]
        late = max(late - len(ready), 0)


def _integers(block: NDArray[np.float32], bits: int) -> NDArray[np.int32]:
    """Left-aligned, so that libsndfile cuts zeros only."""
    full = float(1 << (bits - 1))
    whole = np.clip(np.rint(block.astype(np.float64) * full), -full, full - 1).astype(np.int32)
    return whole << (32 - bits)


def _write_info(file: soundfile.SoundFile, tags: Tags) -> None:
    """RIFF INFO, which players read in a WAV; libsndfile writes it."""
    for field, text in (
        ("title", tags.title),
        ("artist", tags.artist),
        ("album", tags.album),
        ("date", tags.date),
        ("comment", tags.comment),
    ):
        if text:
            setattr(file, field, text)
